"""The best split of a budget under one law, at its estimate.

Stage: under diagnostics, designs and check values. In: a law with values, budgets in FLOPs. Out: the best N and what goes with
it, None where there is none. Draws, bounds and scenarios belong to sweeps, which ask the same question of the core.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from scalefast._base.scale import refuse_scaled, refuse_small
from scalefast._calls.longcall import LongCall
from scalefast._calls.running import Running
from scalefast._laws.arguments import law_name, one_law, stated_cost
from scalefast._laws.law import Law
from scalefast._optimum.frontier import Frontier, is_frontier
from scalefast._optimum.question import Columns, Over, Question

__all__ = ["best_size", "best_split"]


def best_size(law: Law, budgets: Iterable[float]) -> list[float | None]:
    """The best N, in parameters, at each budget, None where there is none.

    Raises LawError (`no-values`, `no-cost`, `no-loss`, `unknown-symbol`, `no-tradeoff`), SettingsError (`missing-given`),
    UnitsError (`looks-scaled`).
    """
    return [_plain(size) for size in _answer(law, budgets, {})["first"]]


def best_split(law: Law, budget: float, given: Mapping[str, float]) -> dict[str, float | None]:
    """C, N, D and L of the best split of one budget with some variables pinned. Raises what `best_size` raises."""
    columns = _answer(law, [budget], given)
    found = {"N": columns["first"], "D": columns["second"], "L": columns.get("loss", [math.nan])}
    return {"C": budget, **{name: _plain(column[0]) for name, column in found.items()}}


def _answer(law: Law, budgets: Iterable[float], given: Mapping[str, float]) -> Columns:
    """The core's columns, one entry per budget."""
    chosen = one_law(law)
    cost = None if is_frontier(chosen) else stated_cost(chosen, None)
    name, targets = law_name(chosen), np.array(list(budgets), dtype=np.float64)
    refuse_small("budget", "C", float(targets.max()))
    refuse_scaled(chosen.fitted_range, name)
    with LongCall(Running(progress=False)) as call:
        if cost is None:
            frontier = Frontier(chosen, name, ("N", "D"))
            frontier.refuse(given=given)
            return frontier.answer("C", targets, Over(call=call.stage(name)))
        question = Question(chosen, name, cost, ("N", "D"), given, {})
        return question.budget(targets, Over(call=call.stage(name)))


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
