"""Sweeps: budgets, draws, laws, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalefast as sf
from reference import close, grid


def test_without_a_law_the_default_answers_and_its_peers_follow() -> None:
    sweep = sf.sweep(budget=1e24)
    rows = sweep.summary.to_dicts()
    assert rows[0]["law"] == "epoch-2024-huber"
    assert {row["law"] for row in rows[1:]} == {"hoffmann-2022", "epoch-2024"}
    assert rows[0]["uncertainty"] == "draws" and all(row["uncertainty"] == "none" for row in rows[1:])
    assert rows[0]["N_q05"] < rows[0]["N"] < rows[0]["N_q95"]
    # The bootstrap interval of N at 1e24 that the replication implies is 73 to 145 billion.
    assert close(rows[0]["N_q05"], 71e9, 0.05) and close(rows[0]["N_q95"], 145e9, 0.05)
    assert all(rows[1][name] is None for name in ("N_q05", "D_q50", "L_q95"))
    spread = sweep.spread.row(0, named=True)
    assert spread["laws"] == 3 and spread["N_lowest"] == rows[1]["N"] and spread["N_highest"] == rows[0]["N"]
    assert close(rows[0]["extrapolation_decades"], math.log10(1e24 / 1.30e22), 1e-12)


def test_the_frame_has_the_documented_columns() -> None:
    frame = sf.sweep("epoch-2024-huber", budget=1e22, quantiles=(0.025, 0.5)).summary
    expected = ["law", "C"]
    for name in ("N", "D", "D_per_N", "L"):
        expected += [name, f"{name}_q2.5", f"{name}_q50"]
    expected += ["L_plan_q2.5", "L_plan_q50", "status", "at_bound", "extrapolation_decades", "uncertainty"]
    assert frame.columns == [*expected, "n_draws", "n_solved"]


def test_quantiles_are_those_of_the_single_allocations() -> None:
    law = sf.law("epoch-2024-huber")
    draws = law.draws
    assert draws is not None
    row = sf.sweep(law, budget=1e23, draws=101).summary.row(0, named=True)
    found = [
        sf.sweep(law.with_values(one), budget=1e23).summary.row(0, named=True)
        for one in draws.head(101).iter_rows(named=True)
    ]
    for name in ("N", "D", "D_per_N", "L"):
        for label, quantile in (("05", 0.05), ("50", 0.5), ("95", 0.95)):
            expected = float(np.quantile([one[name] for one in found], quantile))
            assert close(row[f"{name}_q{label}"], expected, 1e-12)


exponents = st.floats(min_value=0.1, max_value=0.8)


@given(
    alpha=exponents,
    beta=exponents,
    logs=st.tuples(*[st.floats(min_value=2, max_value=9)] * 2),
    budget=st.floats(min_value=1e18, max_value=1e27),
)
def test_no_neighbour_at_the_same_cost_is_better(
    alpha: float, beta: float, logs: tuple[float, float], budget: float
) -> None:
    values = {"E": 1.5, "A": math.exp(logs[0]), "B": math.exp(logs[1]), "alpha": alpha, "beta": beta}
    law = sf.law("chinchilla").with_values(values)
    row = sf.sweep(law, budget=budget).summary.row(0, named=True)
    assert close(6 * row["N"] * row["D"], budget, 1e-12)
    shifts = np.exp(np.linspace(-0.5, 0.5, 21))
    losses = law.predict({"N": row["N"] * shifts, "D": row["D"] / shifts})["L"].to_numpy()
    assert row["L"] <= losses.min() * (1 + 1e-13)
    power = sf.law(
        "E + (A/N**alpha + B/D**beta)**0.4",
        parameters={name: values[name] for name in ("E", "A", "B", "alpha", "beta")},
    )
    other = sf.sweep(power, budget=budget, cost="6*N*D").summary.row(0, named=True)
    assert close(other["N"], row["N"], 1e-9)


def test_budgets_come_as_numbers_lists_and_grids() -> None:
    assert sf.sweep("hoffmann-2022", budget="1e20..1e22:3").summary["C"].to_list() == [1e20, 1e21, 1e22]
    assert sf.sweep("hoffmann-2022", budget=[1e20, "1e21"]).summary["C"].to_list() == [1e20, 1e21]  # type: ignore[list-item]
    assert sf.sweep(["hoffmann-2022", "epoch-2024"], budget=1e20).summary["law"].to_list() == [
        "hoffmann-2022",
        "epoch-2024",
    ]


@pytest.mark.parametrize(
    "budget", [-1, 0, float("nan"), float("inf"), "abc", "1e400", "-1", "0", "nan", None, [], object()]
)
def test_bad_budgets_are_refused(budget: Any) -> None:
    with pytest.raises(sf.SettingsError):
        sf.sweep(budget=budget)


@pytest.mark.parametrize(
    ("law", "settings", "kind", "code"),
    [
        ("chinchilla", {}, sf.LawError, "no-values"),
        ("kaplan-nd/kaplan-2020", {}, sf.LawError, "no-cost"),
        ("kaplan-n/kaplan-2020", {"cost": "6*N*D"}, sf.LawError, "unknown-symbol"),
        ("hoffmann-2022", {"cost": "6*N"}, sf.LawError, "no-tradeoff"),
        ("hoffmann-2022", {"bounds": {"N": (2e9, 1e9)}}, sf.SettingsError, "bad-bounds"),
        ("hoffmann-2022", {"bounds": {"alpha": (0.1, 1)}}, sf.SettingsError, "bad-bounds"),
        ("hoffmann-2022", {"given": {"alpha": 0.3}}, sf.SettingsError, "bad-given"),
        ("hoffmann-2022", {"given": {"Z": 1.0}}, sf.SettingsError, "unknown-symbol"),
        ("hoffmann-2022", {"given": {"N": 1e9, "D": 1e10}}, sf.SettingsError, "contradictory"),
        ("hoffmann-2022", {"given": {"N": 1e9}, "bounds": {"N": (None, 2e9)}}, sf.SettingsError, "contradictory"),
        ("muennighoff-2023", {}, sf.SettingsError, "missing-given"),
        ("kaplan-frontier/kaplan-2020", {"bounds": {"N": (None, 2e9)}}, sf.SettingsError, "bad-given"),
        ("hoffmann-2022", {"cost": "6*N*M"}, sf.LawError, "unknown-symbol"),
        ("hoffmann-2022", {"cost": "6*N^D"}, sf.FormulaError, "caret-power"),
        ("hoffmann-2022", {"quantiles": (0.5, 1.0)}, sf.SettingsError, "bad-quantile"),
        ("hoffmann-2022", {"draws": -1}, sf.SettingsError, "bad-draws"),
        ("epoch-2024-huber", {"draws": 5000}, sf.SettingsError, "bad-draws"),
        ("epoch-2024-huber", {"draws": pl.DataFrame({"A": [1.0]})}, sf.SettingsError, "bad-draws"),
        ("epoch-2023", {}, sf.LawError, "unknown-law"),
        ([], {}, sf.SettingsError, "no-law"),
    ],
)
def test_misuse_is_named(law: Any, settings: dict[str, Any], kind: type[sf.ScalefastError], code: str) -> None:
    with pytest.raises(kind) as caught:
        sf.sweep(law, budget=1e22, **settings)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "ask",
    [
        lambda law: sf.sweep(law, budget=1e22),
        lambda law: sf.sweep(["hoffmann-2022", law], budget=1e22),
        lambda law: sf.plan(law, budget=1e22),
        lambda law: sf.solve(law, N=1e9, D=2e10),
        lambda law: sf.buildable(1e9, vocabulary=32_000, law=law),
        lambda law: sf.simulate(law, sf.IsoFLOP([1e20], sizes=3), None),
    ],
)
@pytest.mark.parametrize("law", [5, 2.5, True, b"hoffmann-2022", {"A": 1.0}, object()])
def test_what_is_no_law_is_named(ask: Any, law: Any) -> None:
    with pytest.raises(sf.LawError, match="is not a law") as caught:
        ask(law)
    assert caught.value.code == "unknown-law" and caught.value.hint


def test_none_among_several_laws_is_named() -> None:
    with pytest.raises(sf.LawError, match="None is not a law"):
        sf.sweep([None], budget=1e22)  # type: ignore[list-item]


def test_kaplan_by_its_own_cost_and_by_its_frontier() -> None:
    row = sf.sweep("kaplan-nd/kaplan-2020", budget=1e22, cost="6*N*D").summary.row(0, named=True)
    assert close(6 * row["N"] * row["D"], 1e22, 1e-12)
    frontier = sf.sweep("kaplan-frontier/kaplan-2020", budget=5e20).summary.row(0, named=True)
    # 4.68B at 1e21 FLOPs, of which half is C_min (Hoffmann et al., D.4).
    assert close(frontier["N"], 4.68e9, 2e-3) and frontier["L"] is None


def test_a_fit_in_millions_is_refused() -> None:
    fit = sf.fit(grid().with_columns(pl.col("N") / 1e6), "chinchilla")
    with pytest.raises(sf.UnitsError) as caught:
        sf.sweep(fit, budget=1e22)
    assert caught.value.code == "looks-scaled" and caught.value.column == "N"
    mended = sf.fit(grid().with_columns(pl.col("N") / 1e6), "chinchilla", units={"N": "millions"})
    row = sf.sweep(mended, budget=5.76e23).summary.row(0, named=True)
    assert close(row["N"], 40.36e9, 2e-4) and row["uncertainty"] == "none"


def test_no_draws_means_no_interval() -> None:
    row = sf.sweep("epoch-2024-huber", budget=1e22, draws=0).summary.row(0, named=True)
    assert row["uncertainty"] == "none" and row["N_q05"] is None


def test_threads_change_no_bit() -> None:
    one, seven = (sf.sweep(budget="1e20..1e26:13", threads=threads).summary for threads in (1, 7))
    assert one.equals(seven)


@pytest.mark.parametrize(
    "ask", [lambda law: sf.sweep(law, 1e24), lambda law: sf.solve(law, N=1e9), lambda law: sf.plan(law, budget=1e24)]
)
def test_a_given_cost_that_is_off_by_its_unit_refuses_every_question(ask, tmp_path):
    runs = sf.simulate("hoffmann-2022", sf.IsoFLOP("1e19..1e21:5", sizes=7), sf.LogNormal(0.005))
    # N in thousands passes for plain counts; the given C tells.
    thousands = sf.fit(runs.with_columns(pl.col("N") / 1e3), "chinchilla")
    assert thousands.law.fitted_range["N"][1] > 1e5
    thousands.save(tmp_path / "law.parquet")
    for law in (thousands, sf.load(tmp_path / "law.parquet"), tmp_path / "law.parquet", str(tmp_path / "law.parquet")):
        with pytest.raises(sf.UnitsError) as caught:
            ask(law)
        assert caught.value.code == "looks-scaled"
        assert "median of C/(6*N*D) is 1000" in str(caught.value)
    assert ask(sf.fit(runs, "chinchilla")) is not None
