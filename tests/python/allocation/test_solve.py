"""Inverse questions, and sweeps where no closed form exists: published answers, agreement, refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest

import scalefast as sf
from reference import close


def ask(law: str, **question: Any) -> dict[str, Any]:
    return sf.solve(law, **question).row(0, named=True)


def best(law: str, budget: float, **settings: Any) -> dict[str, Any]:
    return sf.sweep(law, budget=budget, **settings).summary.row(0, named=True)


def test_every_question_finds_the_same_optimum() -> None:
    optimum = best("hoffmann-2022", 1e23)
    at = {name: optimum[name] for name in ("N", "D", "L")} | {"C": 1e23}
    pairs = [("C",), ("L",), ("N",), ("D",), ("C", "N"), ("C", "D"), ("L", "N"), ("L", "D"), ("N", "D")]
    for names in pairs:
        row = ask("hoffmann-2022", **{name: at[name] for name in names})
        # Along L the compute is flat at the optimum, so a given loss and size leave the data to half the digits.
        assert all(close(row[name], at[name], 1e-9) for name in at), (names, row)
        assert close(row["C_least"], 1e23, 1e-9) and close(row["L_least"], at["L"], 1e-12)


def test_over_training_costs_compute() -> None:
    # de Vries: half the optimal size needs 2.519 times the data under this law, 25.9 % more compute.
    optimum = best("epoch-2024", 1e23)
    row = ask("epoch-2024", N=0.5 * optimum["N"], L=optimum["L"])
    assert abs(row["D"] / optimum["D"] - 2.519) < 1e-3
    assert abs(row["C"] / row["C_least"] - 1.259) < 1e-3


def test_serving_makes_models_smaller() -> None:
    # Sardana et al. 2024: the quality of 30B, served 5T tokens, costs least with 16.78B on 3.40T tokens.
    quality = ask("hoffmann-2022", N=30e9)
    row = ask("hoffmann-2022", L=quality["L"], cost="6*N*D + 2*N*T", given={"T": 5e12})
    assert abs(row["N"] - 16.78e9) < 0.01e9 and abs(row["D"] - 3.40e12) < 0.01e12
    saving = 1 - row["C"] / (quality["C"] + 2 * 30e9 * 5e12)
    assert abs(saving - 0.152) < 5e-4


def test_draws_spread_the_answers() -> None:
    row = ask("epoch-2024-huber", N=10e9, draws=400)
    assert row["uncertainty"] == "draws" and row["N_q05"] == row["N_q95"] == 10e9
    assert row["D_q05"] < row["D"] < row["D_q95"] and row["C_q05"] < row["C"] < row["C_q95"]
    law = sf.law("epoch-2024-huber")
    assert law.draws is not None
    one = [ask_law["D"][0] for ask_law in (sf.solve(law.with_values(d), N=10e9) for d in law.draws.head(5).to_dicts())]
    few = ask("epoch-2024-huber", N=10e9, draws=5, quantiles=(0.5,))
    assert close(few["D_q50"], sorted(one)[2], 1e-12)


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({"L": 1.6}, "infeasible-loss"),
        ({"L": 1.9, "N": 1e9}, "infeasible-loss"),
        ({"L": 1.9, "D": 1e10}, "infeasible-loss"),
        ({"C": 1e23, "L": 2.0}, "bad-question"),
        ({}, "bad-question"),
        ({"N": -1.0}, "not-positive"),
        ({"N": math.inf}, "not-positive"),
    ],
)
def test_what_has_no_answer_says_why(known: dict[str, float], code: str) -> None:
    with pytest.raises(sf.ScalefastError) as caught:
        sf.solve("hoffmann-2022", **known)  # type: ignore[arg-type]
    assert caught.value.code == code
    if code == "infeasible-loss":
        law, limit = sf.law("hoffmann-2022"), caught.value.limit
        at = {"N": known.get("N", 1e60), "D": known.get("D", 1e60)}
        assert limit is not None and close(limit, law.predict(at)["L"][0], 1e-12)


def test_bounds_bind_and_say_so() -> None:
    row = best("hoffmann-2022", 6e23, bounds={"N": (None, 8e9)})
    assert (row["status"], row["at_bound"]) == ("at-bound", "N_max") and close(row["D"], 6e23 / 48e9, 1e-9)
    row = best("hoffmann-2022", 6e23, bounds={"D": (1e13, None)})
    assert (row["status"], row["at_bound"]) == ("at-bound", "D_min") and close(row["D"], 1e13, 1e-9)
    row = best("hoffmann-2022", 6e23, bounds={"N": (None, 1e9), "D": (None, 1e9)})
    assert row["status"] == "infeasible" and row["N"] is None and row["L"] is None


def test_given_variables_are_pinned_and_derived() -> None:
    row = best("hoffmann-2022", 1e22, given={"D": "20*N"})
    assert close(row["N"], math.sqrt(1e22 / 120), 1e-9) and close(row["D_per_N"], 20.0, 1e-12)
    row = best("hoffmann-2022", 1e22, given={"N": 1e9})
    assert row["N"] == 1e9 and close(row["D"], 1e22 / 6e9, 1e-9)
    # A law of all experts' parameters under the cost of the active ones.
    law = sf.law(
        "E + A/N_total**alpha + B/D**beta",
        parameters={"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28},
        variables=["N_total", "D"],
    )
    sparse = sf.sweep(law, 1e22, cost="6*N*D", given={"N_total": "8*N"}).summary.row(0, named=True)
    dense = best("hoffmann-2022-rounded", 8e22)
    assert close(8 * sparse["N"], dense["N"], 1e-9) and close(sparse["L"], dense["L"], 1e-12)


def test_a_cost_without_closed_form_is_met() -> None:
    cost = "6*N*D*(1 + (D/1e12)**0.5) + 2*N*T"
    row = best("epoch-2024-huber", 1e23, cost=cost, given={"T": 1e12}, draws=100)
    n, d = row["N"], row["D"]
    assert close(6 * n * d * (1 + (d / 1e12) ** 0.5) + 2 * n * 1e12, 1e23, 1e-9)
    assert row["N_q05"] < n < row["N_q95"] and row["status"] == "interior"
