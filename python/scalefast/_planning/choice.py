"""The size that a plan settles on, and what it costs to be wrong.

Stage: between a plan's arguments and its frames. In: one `Case` a law, weights, what is known of N, D and L. Out: `Choice`:
the size, its data, the range that is as good, outcomes and regrets in every world.

The regret of a size in a world is the share of the compute that its loss would not have needed there; the size of least
expected regret wastes the least on average. Shares of several laws add up where their losses would not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scalefast._allocation.solve import solve
from scalefast._base.errors import LawError
from scalefast._base.statuses import INFEASIBLE, NO_FINITE_OPTIMUM
from scalefast._base.wording import Advice, Argument
from scalefast._core import Stake, indifference, least_regret
from scalefast._data.describe import mean
from scalefast._data.frames import FloatArray
from scalefast._planning.case import Case, Outcome, World

__all__ = ["RANGE_SHARE", "Choice", "choose"]

#: The range of a plan holds the sizes that waste no more than this share of the compute beyond what the best one does.
RANGE_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Choice:
    """A size and what is known of it. `cases[0]` is the law that predicts; `weights` are those of the regret.

    `size` and `data` are the plan; `best` is the size of least expected regret, NaN where no size suits every world, which
    is `size` unless the user settled that; `lowest` and `highest` are the range that is as good as `best`.
    """

    cases: Sequence[Case]
    weights: Sequence[float]
    size: float
    data: float
    best: float
    lowest: float
    highest: float

    @property
    def case(self) -> Case:
        """Of the law that predicts."""
        return self.cases[0]

    @property
    def settled(self) -> bool:
        """Whether size and data were both settled, by the user or by an inverse question."""
        return self.case.run is not None

    @property
    def world(self) -> World:
        """Every draw of the predicting law, or its one world where nothing is uncertain."""
        return self.case.all

    @property
    def uncertain(self) -> bool:
        """Whether there is more than one world."""
        return bool(self.world.columns)

    @property
    def weighed(self) -> bool:
        """Whether worlds differ in what the choice depends on; a price that no limit reads only moves the dollars."""
        return bool(self.case.draws) and bool(self.case.parameters or self.deciding)

    @property
    def deciding(self) -> list[str]:
        """The uncertain quantities that the choice depends on."""
        return [] if self.settled else self.case.means.deciding

    @cached_property
    def point(self) -> Outcome:
        """The plan at the estimate and central values."""
        return self.case.outcome(self.case.point, self.size)

    @cached_property
    def every(self) -> Outcome:
        """The plan in every world."""
        return self.case.outcome(self.world, self.size)

    @cached_property
    def optima(self) -> dict[str, Any]:
        """The best split of every world."""
        return self.case.best(self.world)

    @cached_property
    def losses_of_regret(self) -> FloatArray:
        """Regret in nats in every world; never below zero."""
        regret: FloatArray = np.maximum(self.every.loss - self.optima["loss"], 0.0)
        return regret

    @cached_property
    def wasted(self) -> FloatArray:
        """Regret as a share of the compute in every world."""
        return self.case.wasted(self.world, self.every)

    def regret(self, case: Case, size: float) -> tuple[float, float]:
        """What a size loses under one law on average: nats, and the share of the compute that is wasted."""
        outcome = case.outcome(case.all, size)
        nats = mean(np.maximum(outcome.loss - case.best(case.all)["loss"], 0.0))
        return nats, mean(case.wasted(case.all, outcome))

    def pooled(self, size: float) -> tuple[float | None, float]:
        """The regret of a size over the weighted laws; nats only where their losses compare."""
        parts = [
            (weight, self.regret(case, size))
            for case, weight in zip(self.cases, self.weights, strict=True)
            if weight > 0
        ]
        total = sum(weight for weight, _ in parts)
        share = sum(weight * wasted for weight, (_, wasted) in parts) / total
        nats = sum(weight * regret for weight, (regret, _) in parts) / total
        return nats if comparable(
            [case for case, w in zip(self.cases, self.weights, strict=True) if w > 0]
        ) else None, share


def choose(
    cases: Sequence[Case], weights: Sequence[float], known: Mapping[str, float], search: Mapping[str, Any]
) -> Choice:
    """The choice that answers; `search` are the settings of `sf.solve`, which answers where there is no budget.

    Raises LawError: `infeasible`, `no-finite-optimum`, `infeasible-loss`.
    """
    case = cases[0]
    if {"N", "D"} <= set(known):
        return _settle(cases, weights, known["N"], known["D"])
    if not case.means.limits:
        cost = f"({case.cost}) + ({case.serving})" if case.serving else case.cost
        asked: dict[str, Any] = {**known, **search}
        row = solve(case.law, cost=cost, given={**case.given, **case.served}, draws=0, **asked)
        return _settle(cases, weights, row["N"][0], row["D"][0])
    if "D" in known:
        pinned = case.pinned("D", known["D"])
        if pinned is None:
            raise _infeasible(case, f"{known['D']:g} tokens", "give fewer tokens, or a larger budget")
        return _around(cases, weights, pinned[0])
    if "N" in known:
        if math.isnan(case.outcome(case.point, known["N"]).loss[0]):
            raise _infeasible(case, f"{known['N']:g} parameters", "take a smaller model, or a larger budget")
        return _around(cases, weights, known["N"])
    _refuse(case)
    best = _least(cases, weights)
    if math.isnan(best):
        what = "one size in every draw of the hardware and the law"
        raise _infeasible(case, what, "narrow the uncertain quantities, or widen the bounds")
    best = _at_the_end_of_the_data(case, best)
    return _around(cases, weights, best, best)


def _at_the_end_of_the_data(case: Case, size: float) -> float:
    """The size, or the one at which the compute pays for just the most data, where the search has come that close to it."""
    limit = case.bounds.get("D", (None, None))[1]
    corner = case.pinned("D", limit) if limit is not None and case.bounds.get("N", (None, None))[1] is None else None
    return corner[0] if corner is not None and abs(corner[0] / size - 1) < 1e-6 else size


def comparable(cases: Sequence[Case]) -> bool:
    """Whether the losses of these laws count the same tokens of the same text."""
    published = [case.law.published for case in cases]
    if len(cases) == 1:
        return True
    texts = {(entry.corpus, entry.tokeniser) if entry else None for entry in published}
    return len(texts) == 1 and None not in texts


def _settle(cases: Sequence[Case], weights: Sequence[float], size: float, data: float) -> Choice:
    settled = [case.settled((size, data)) for case in cases]
    return _around(settled, weights, size)


def _around(cases: Sequence[Case], weights: Sequence[float], size: float, best: float | None = None) -> Choice:
    """The choice of a size, with the range around the best one."""
    found = _least(cases, weights) if best is None else best
    low, high = math.nan, math.nan
    if not math.isnan(found):
        stakes, pooled = _stakes(cases, weights)
        calls = cases[0].calls
        low, high = indifference(stakes, pooled, found, RANGE_SHARE, calls.threads, calls.call)
    data = float(cases[0].outcome(cases[0].point, size).data[0])
    return Choice(cases, weights, size, data, found, low, high)


def _least(cases: Sequence[Case], weights: Sequence[float]) -> float:
    stakes, pooled = _stakes(cases, weights)
    calls = cases[0].calls
    return least_regret(stakes, pooled, calls.threads, calls.call)


def _stakes(cases: Sequence[Case], weights: Sequence[float]) -> tuple[list[Stake], list[float]]:
    """The lanes of the laws that count, and their weights."""
    counted = [(case, weight) for case, weight in zip(cases, weights, strict=True) if weight > 0]
    return [case.stake(case.all)[0] for case, _ in counted], [weight for _, weight in counted]


def _refuse(case: Case) -> None:
    status, _ = case.ending(case.point)
    if status == NO_FINITE_OPTIMUM:
        raise LawError(
            f"under `{case.name}` and C = {case.cost} the loss keeps falling: there is no best split",
            code="no-finite-optimum",
            hint=Advice(Argument("bounds", {"N": (1e8, 1e12)}), " limits the choice"),
        )
    if status == INFEASIBLE:
        raise _infeasible(case, "no run within the bounds", "widen the bounds, or change what is given", affords=False)


def _infeasible(case: Case, what: str, hint: str, affords: bool = True) -> LawError:
    limits = ", ".join(f"{entry.name} = {case.means.limits[entry.name]:g}" for entry in case.means.constraints)
    message = f"{limits} does not pay for {what}" if affords else f"{limits} pays for {what}"
    return LawError(f"{message} under `{case.name}`", code="infeasible", hint=hint)
