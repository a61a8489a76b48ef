"""Scenarios of a sweep: what the columns of the frame mean, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalefast as sf

SERVED = "6*N*D + 2*N*T"
LAW = "epoch-2024-huber"


def test_each_scenario_is_as_if_asked_alone_to_the_last_bit() -> None:
    served, budgets = [0.0, 1e12, 5e12], [1e22, 1e24]
    frame = {"product": ["none", "search", "chat"], "T": served, "owner": [None, "x", "y"]}
    together = sf.sweep(LAW, budgets, scenarios=frame, cost=SERVED, draws=300).summary
    assert together["scenario"].to_list() == [0, 0, 1, 1, 2, 2]
    assert together.columns[:6] == ["law", "scenario", "product", "T", "owner", "C"]
    assert together["owner"].to_list() == [None, None, "x", "x", "y", "y"]
    for row, tokens in enumerate(served):
        alone = sf.sweep(LAW, budgets, given={"T": tokens}, cost=SERVED, draws=300).summary
        found = together.filter(pl.col("scenario") == row).drop("scenario", "product", "T", "owner")
        assert found.equals(alone)


def test_scenarios_bound_pin_and_derive_the_variables_to_choose() -> None:
    frame = {
        "N_max": [None, 8e9, None],
        "N_min": [None, None, 1e9],
        "D_min": [None, None, 1e13],
        "C": [1e24, 1e24, 1e20],
    }
    rows = sf.sweep("hoffmann-2022", scenarios=frame).summary
    assert rows["status"].to_list() == ["interior", "at-bound", "infeasible"]
    assert rows["at_bound"].to_list() == [None, "N_max", None]
    assert rows["N"].to_list()[1] == 8e9 and rows["C"].to_list() == [1e24, 1e24, 1e20]
    ratios = sf.sweep("hoffmann-2022", 1e24, scenarios={"D": ["20*N", "r*N"], "r": [1.0, 40.0]}).summary
    assert ratios["D_per_N"].to_list() == pytest.approx([20, 40], rel=1e-12)
    pinned = sf.sweep("hoffmann-2022", 6e23, scenarios={"N": [1e10, 1e11]}).summary
    assert pinned["D"].to_list() == pytest.approx([1e13, 1e12], rel=1e-12)
    assert pinned["N"].to_list() == [1e10, 1e11]


def test_several_laws_read_what_is_theirs() -> None:
    rows = sf.sweep(["hoffmann-2022", "muennighoff-2023"], 1e22, scenarios={"U": [25e9, 1e12]}).summary
    plain = sf.sweep("hoffmann-2022", 1e22).summary
    assert rows["N"].to_list()[:2] == plain["N"].to_list() * 2
    # Allocation at 1e22 FLOPs with 25B unique tokens: 9.49 epochs.
    assert rows["epochs"].to_list()[2] == pytest.approx(9.49, abs=0.01)
    spread = sf.sweep(["hoffmann-2022", "epoch-2024"], [1e22, 1e23], scenarios={"label": ["a", "b"]}).spread
    assert spread["scenario"].to_list() == [0, 0, 1, 1] and spread["laws"].to_list() == [2] * 4


@settings(max_examples=20, deadline=None)
@given(
    served=st.lists(st.one_of(st.just(0.0), st.floats(1e9, 1e13)), min_size=1, max_size=5),
    limits=st.lists(st.one_of(st.none(), st.floats(1e9, 1e12)), min_size=5, max_size=5),
    order=st.permutations(range(5)),
)
def test_no_row_depends_on_the_rows_beside_it(
    served: list[float], limits: list[float | None], order: list[int]
) -> None:
    frame = pl.DataFrame({"T": served, "N_max": limits[: len(served)]}, schema={"T": pl.Float64, "N_max": pl.Float64})
    shuffled = [row for row in order if row < len(served)]
    first = sf.sweep(LAW, [1e22, 1e24], scenarios=frame, cost=SERVED, draws=20).summary
    second = sf.sweep(LAW, [1e22, 1e24], scenarios=frame[shuffled], cost=SERVED, draws=20).summary
    back = second.with_columns(pl.col("scenario").replace_strict(dict(enumerate(shuffled)), return_dtype=pl.Int64))
    assert back.sort("scenario", "C").equals(first)


@pytest.mark.parametrize(
    ("frame", "kind", "code", "words"),
    [
        ({"T": []}, sf.DataError, "no-rows", "no rows"),
        ({"T": [1e12, None]}, sf.DataError, "bad-scenarios", "`T` of row 1 is null"),
        ({"T": [1e12, float("nan")]}, sf.DataError, "bad-scenarios", "`T` of row 1 is nan"),
        ({"T": [1e12, float("inf")]}, sf.DataError, "bad-scenarios", "`T` of row 1 is inf"),
        ({"T": [-1e12]}, sf.DataError, "bad-scenarios", "`T` of row 0 is -1e+12"),
        ({"T": [1e12], "C": [-1e22]}, sf.DataError, "bad-scenarios", "`C` of row 0"),
        ({"T": [1e12], "C": [0.0]}, sf.DataError, "bad-scenarios", "`C` of row 0"),
        ({"T": [True, None]}, sf.DataError, "bad-scenarios", "row 1"),
        ({"T": [[1.0]]}, sf.DataError, "not-numeric", "`T` holds List"),
        ({"T": [5.0, 2.0]}, sf.UnitsError, "looks-scaled", "largest T is 5 tokens"),
        ({"N": [70.0], "T": [0.0]}, sf.UnitsError, "looks-scaled", "largest N is 70 parameters"),
        ({"t": [1e12]}, sf.SettingsError, "bad-scenarios", "did you mean `T`?"),
        ({"T": [1e12], "N_mx": [1e9]}, sf.SettingsError, "bad-scenarios", "did you mean `N_max`?"),
        ({"T": [1e12], "Budget": [1e22]}, sf.SettingsError, "bad-scenarios", "did you mean `budget`?"),
        ({"tokens_served": [1e12]}, sf.SettingsError, "missing-given", "`tokens_served`"),
        ({"T": [1e12], "alpha": [0.3]}, sf.SettingsError, "bad-scenarios", "parameter of a law"),
        ({"T": [1e12], "L": [2.0]}, sf.DataError, "column-exists", "name of a result"),
        ({"T": [1e12], "N_q05": [2.0]}, sf.DataError, "column-exists", "name of a result"),
        ({"T": [1e12], "C": [1e22], "budget": [1e22]}, sf.SettingsError, "bad-scenarios", "both name"),
        ({"T": [1e12], "N_min": [2e9], "N_max": [1e9]}, sf.SettingsError, "bad-bounds", "2e+09 to 1e+09 in row 0"),
        ({"T": ["T0 +"]}, sf.FormulaError, "syntax", "T0 +"),
        ({"T": ["1e12", None]}, sf.DataError, "bad-scenarios", "row 1 is null"),
        ({"T": [1e12], "N": [1e9], "N_max": [2e9]}, sf.SettingsError, "contradictory", "both given and bounded"),
        ({"T": [1e12], "N": [1e9], "D": [1e10]}, sf.SettingsError, "contradictory", "both given"),
        ("nowhere.csv", sf.DataError, "unreadable-file", "nowhere.csv"),
    ],
)
def test_bad_scenarios_are_one_clear_error(frame: Any, kind: type[sf.ScalefastError], code: str, words: str) -> None:
    own = isinstance(frame, dict) and not {"C", "budget"}.isdisjoint(frame)
    with pytest.raises(kind) as caught:
        sf.sweep(LAW, None if own else 1e23, scenarios=frame, cost=SERVED, draws=3)
    assert caught.value.code == code or code == "syntax"
    assert words in str(caught.value)


def test_what_is_said_twice_is_refused() -> None:
    for settings_, column in (
        ({"given": {"T": 1e12}}, "T"),
        ({"bounds": {"N": (None, 1e9)}}, "N"),
    ):
        with pytest.raises(sf.SettingsError) as caught:
            sf.sweep(LAW, 1e23, scenarios={"T": [1e12], "N_max": [1e10]}, cost=SERVED, **settings_)
        assert caught.value.code == "contradictory" and caught.value.column == column
    with pytest.raises(sf.SettingsError) as caught:
        sf.sweep(LAW, 1e23, scenarios={"C": [1e22]})
    assert caught.value.code == "contradictory" and caught.value.column == "C"
    with pytest.raises(sf.SettingsError) as caught:
        sf.sweep("kaplan-frontier/kaplan-2020", 1e21, scenarios={"N_max": [1e10]})
    assert caught.value.code == "bad-given"


def test_a_law_of_a_frontier_takes_labels_and_own_budgets() -> None:
    frame = {"who": ["a", "b"], "budget": [5e20, 1e21]}
    found = sf.sweep("kaplan-frontier/kaplan-2020", scenarios=frame).summary
    plain = sf.sweep("kaplan-frontier/kaplan-2020", [5e20, 1e21]).summary
    assert found["who"].to_list() == ["a", "b"]
    assert found.drop("scenario", "who").equals(plain)


def test_numbers_that_look_scaled_are_refused_everywhere() -> None:
    for arguments in (
        {"budget": 24.0},
        {"budget": [1e3, 1e9]},
        {"budget": 1e24, "given": {"D": 20.0}},
        {"scenarios": {"C": [1e3]}},
    ):
        with pytest.raises(sf.UnitsError) as caught:
            sf.sweep("hoffmann-2022", **arguments)
        assert caught.value.code == "looks-scaled" and caught.value.value is not None
    # A cost in dollars has budgets in dollars.
    found = sf.sweep("hoffmann-2022", 1e7, cost="6*N*D/4e17").summary
    assert np.isclose(6 * found["N"][0] * found["D"][0] / 4e17, 1e7)
