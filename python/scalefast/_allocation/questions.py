"""What the arguments of a sweep ask: budgets, scenarios, and for each law the questions that they make.

Stage: between `sf.sweep` and the cells. In: arguments as they were given, laws with their costs. Out: budgets in FLOPs, the
frame of scenarios read for these laws, and one question for each group of scenarios that differ in numbers alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scalefast._allocation.scenarios import Group, Scenarios, read_scenarios
from scalefast._allocation.summary import result_names
from scalefast._base.errors import LawError, SettingsError
from scalefast._base.numbers import read_grid
from scalefast._base.suggest import did_you_mean
from scalefast._base.wording import Advice, Argument
from scalefast._core import Call
from scalefast._data.frames import FloatArray
from scalefast._laws.law import Law
from scalefast._optimum.frontier import Frontier
from scalefast._optimum.question import Bound, Columns, Over, Question, symbols_read

__all__ = ["ask", "budgets_of", "questions_of", "scenarios_of"]


def budgets_of(budget: Any, table: Scenarios | None) -> FloatArray | None:
    """The budgets, or None where scenarios have their own."""
    if table is not None and table.budgets is not None:
        if budget is not None:
            message = "budgets stand in `budget` and in the scenarios"
            raise SettingsError(message, code="contradictory", column="C", hint="say them in one place")
        return None
    if budget is None:
        columns = "" if table is None else ", or a column `C` of the scenarios"
        hint = Advice(Argument("budget", 1e24), f", in FLOPs{columns}")
        raise SettingsError("no budget is given", code="bad-budget", argument="budget", hint=hint)
    try:
        entries = [budget] if isinstance(budget, int | float | str) else list(budget)
        values = [
            point for entry in entries for point in (read_grid(entry) if isinstance(entry, str) else [float(entry)])
        ]
    except (TypeError, ValueError, OverflowError) as error:
        message = f"budget must be a number of FLOPs; got {budget!r:.60}"
        raise SettingsError(message, code="bad-budget", argument="budget") from error
    if not values:
        hint = Advice(Argument("budget", 1e24), ", in FLOPs")
        raise SettingsError("no budget is given", code="bad-budget", argument="budget", hint=hint)
    for value in values:
        if not (math.isfinite(value) and value > 0):
            raise SettingsError(
                f"budget must be a positive, finite number of FLOPs; got {value:g}",
                code="bad-budget",
                argument="budget",
                value=value,
                limit=0.0,
            )
    return np.array(values, dtype=np.float64)


def ask(
    over: Over, question: Question | Frontier, targets: FloatArray, columns: Mapping[str, FloatArray], call: Call
) -> Columns:
    """What the core finds for some cells, as a stage of a long call."""
    over = replace(over, call=call)
    if isinstance(question, Frontier):
        return question.answer("C", targets, over)
    return question.budget(targets, over, columns)


def questions_of(
    law: Law,
    name: str,
    cost: str,
    optimise: tuple[str, str],
    given: Mapping[str, float | str],
    bounds: Mapping[str, Bound],
    table: Scenarios | None,
) -> Iterator[tuple[Group, Question]]:
    """The scenarios by what they ask, and each question."""
    if table is None:
        yield Group(np.array([0]), {}, {}, {}), Question(law, name, cost, optimise, given, bounds)
        return
    texts = [value for value in given.values() if isinstance(value, str)]
    derived = [text for column in table.formulas.values() for text in set(column)]
    reads = symbols_read(law, cost, [*texts, *derived]) | set(optimise)
    for group in table.groups(reads):
        settled = {**given, **group.formulas}
        varying = tuple(group.pinned)
        try:
            yield group, Question(law, name, cost, optimise, settled, {**bounds, **group.bounds}, varying)
        except (SettingsError, LawError) as error:
            if error.code not in ("missing-given", "unknown-symbol") or error.column is None or not table.labels:
                raise
            raise SettingsError(
                f"{error.message}, and scenarios have no such column",
                code="missing-given",
                column=error.column,
                hint=did_you_mean(error.column, table.labels, "columns that mean nothing here"),
            ) from error


def scenarios_of(
    source: Any,
    laws: Sequence[Law],
    costs: Sequence[str | None],
    given: Mapping[str, float | str],
    bounds: Mapping[str, Bound],
    optimise: tuple[str, str],
    quantiles: Sequence[float],
) -> Scenarios:
    """The frame of scenarios, read for these laws, and nothing in it that is settled elsewhere too."""
    texts = [value for value in given.values() if isinstance(value, str)]
    parameters = {name for law in laws for name in law.parameters}
    reads = {
        symbol
        for law, cost in zip(laws, costs, strict=True)
        if cost is not None
        for symbol in symbols_read(law, cost, texts)
    }
    table = read_scenarios(source, optimise, reads - parameters, parameters, result_names(optimise, quantiles))
    for argument, stated, columns in (
        ("given", given, {*table.pinned, *table.formulas}),
        ("bounds", bounds, set(table.bounds)),
    ):
        for name in sorted(columns & set(stated)):
            message = f"`{name}` stands in {argument} and in the scenarios"
            raise SettingsError(message, code="contradictory", column=name, hint="say it in one place")
    return table
