"""Questions about the split of compute: which are asked of the core, with what pinned, derived or bounded.

Stage: between laws and sweeps. In: a law with values, a cost, `given` (pinned numbers and derived variables), bounds of
the two variables to choose. Out: the core's columns, one entry per target, with a status and the bound that binds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scalefast._base.errors import LawError, SettingsError
from scalefast._base.scale import refuse_small
from scalefast._base.statuses import AT_BOUND
from scalefast._base.suggest import did_you_mean, listing
from scalefast._base.wording import Advice, Argument, Phrase
from scalefast._core import Call, System, answer, sweep
from scalefast._data.frames import FloatArray
from scalefast._laws.law import Law

__all__ = ["Bound", "Columns", "Over", "Question", "binding", "ends", "formula_symbols", "symbols_read"]

Bound = tuple[float | None, float | None]
Columns = Mapping[str, Any]

_ENDS = {"first-min": (0, "min"), "first-max": (0, "max"), "second-min": (1, "min"), "second-max": (1, "max")}


@dataclass(frozen=True, eq=False)
class Over:
    """Over which draws a question is asked, what is reported of them, and how the core works on it.

    `draws` hold one row per parameter, or None for the estimate alone. `plan_loss` asks for the loss under each draw at the
    split of the estimate too, `keep` for every allocation.
    """

    draws: FloatArray | None = None
    quantiles: Sequence[float] = ()
    threads: int | None = None
    call: Call = field(default_factory=Call)
    plan_loss: bool = False
    keep: bool = False


@dataclass(frozen=True, eq=False)
class Question:
    """A law, its cost, the two variables to choose, and what is settled beforehand; `varying` names what has another number
    for each target."""

    law: Law
    name: str
    cost: str
    optimise: tuple[str, str]
    given: Mapping[str, float | str]
    bounds: Mapping[str, Bound]
    varying: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.numbers.items():
            if not (np.isfinite(value) and value >= 0):
                message = f"given: {name} must be a number above zero; got {value:g}"
                raise SettingsError(message, code="bad-given", argument="given", column=name)
            refuse_small("given", name, value)
        for name, bound in self.bounds.items():
            self._check_bound(name, bound)
        clash = [name for name in self.law.parameters if name in self.given]
        if clash:
            raise SettingsError(
                f"given: `{clash[0]}` is a parameter of `{self.name}`, not a variable",
                code="bad-given",
                argument="given",
                column=clash[0],
                hint="law.with_values changes parameters",
            )
        used = [*self.law_system.symbols(), *self.spending.symbols()]
        self._check_read()
        self._check_used(used)

    def _check_read(self) -> None:
        """What is given is read, and what is to be chosen is a symbol of the law."""
        read = symbols_read(self.law, self.cost, self.formulas.values())
        for name in self.given:
            if name not in read and name not in self.optimise:
                hint = did_you_mean(name, read, "symbols of the law and its cost")
                message = f"given: neither `{self.name}` nor its cost reads `{name}`"
                raise SettingsError(message, code="unknown-symbol", argument="given", column=name, hint=hint)
        for name in self.free:
            if name not in self.law_system.symbols():
                raise LawError(
                    f"`{name}` is not a symbol of `{self.name}`",
                    code="unknown-symbol",
                    column=name,
                    hint=f"it has {listing([*self.law.variables, *(self.law.values or {})])}",
                )

    def _check_used(self, used: Sequence[str]) -> None:
        """Every symbol of the law and of its cost is known, and the cost ties down what is to be chosen."""
        known = [*self.law.variables, *(self.law.values or {}), *self.given, *self.varying, *self.optimise]
        for name in used:
            if name not in known:
                raise LawError(
                    f"`{name}` is not a symbol of `{self.name}`",
                    code="unknown-symbol",
                    column=name,
                    hint=f"it has {listing([*self.law.variables, *(self.law.values or {})])}",
                )
            if name in self.law.variables and self.law.variables[name].column:
                column = self.law.variables[name].column
                raise LawError(
                    f"the parameters of `{self.name}` differ by `{column}`: which level?",
                    code="level-unsaid",
                    column=column,
                    hint=Advice(
                        Phrase(
                            f"law.at_level({column}=...) is the law of one",
                            f"--law 'law.parquet#{name}' is the law of one",
                        )
                    ),
                )
            if name in self.law.variables and name not in {*self.numbers, *self.varying, *self.optimise}:
                raise SettingsError(
                    f"`{self.name}` needs `{name}`",
                    code="missing-given",
                    argument="given",
                    column=name,
                    hint=Advice("pin it: ", Argument("given", {name: 1e9})),
                )
        for name in self.free:
            if name not in self._spending_symbols:
                raise LawError(
                    f"the cost {self.cost} does not depend on `{name}`, so nothing ties it down",
                    code="no-tradeoff",
                    column=name,
                )

    def _check_bound(self, name: str, bound: Bound) -> None:
        if name not in self.optimise:
            hint = f"bounds limit the variables to choose, {listing(self.optimise)}"
            raise SettingsError(
                f"bounds: `{name}` is not chosen", code="bad-bounds", argument="bounds", column=name, hint=hint
            )
        if name in self.given or name in self.varying:
            raise SettingsError(f"`{name}` is both given and bounded", code="contradictory", column=name)
        low, high = ends(bound)
        if (low or 0.0) < 0 or (high is not None and not high > 0) or (low and high and low > high):
            message = f"bounds of {name} must be a range above zero; got {low} to {high}"
            raise SettingsError(message, code="bad-bounds", argument="bounds", column=name)

    @property
    def numbers(self) -> dict[str, float]:
        """What is pinned to a number."""
        return {name: float(value) for name, value in self.given.items() if not isinstance(value, str)}

    @property
    def formulas(self) -> dict[str, str]:
        """What is derived from other variables."""
        return {name: value for name, value in self.given.items() if isinstance(value, str)}

    @property
    def free(self) -> list[str]:
        """The variables that are left to choose."""
        return [name for name in self.optimise if name not in self.given and name not in self.varying]

    @cached_property
    def _spending_symbols(self) -> list[str]:
        return _system(self.cost, self.formulas).symbols()

    @cached_property
    def law_system(self) -> System:
        definitions = {**self.formulas, **self.law.definitions}
        return System.parse(list(self.law.form.outputs.items()), list(definitions.items()))

    @cached_property
    def spending(self) -> System:
        outputs = [("$cost", self.cost), *((f"${name}", name) for name in self.optimise)]
        return System.parse(outputs, list(self.formulas.items()))

    def answer(
        self,
        aim: str,
        targets: FloatArray,
        over: Over | None = None,
        columns: Mapping[str, FloatArray] | None = None,
    ) -> Columns:
        """`budget`, `loss` or `companion` at each target, for laws and costs of any form.

        `columns` hold what is `varying`, one entry per target.
        """
        over = over or Over()
        if not self.free:
            first, second = self.optimise
            raise SettingsError(
                f"{first} and {second} are both given, so there is nothing to choose", code="contradictory"
            )
        names, values = self._known
        pinned = self._pinned(len(targets), columns or {})
        return answer(
            self.law_system,
            "L",
            self.spending,
            aim,
            self.free,
            [ends(self.bounds.get(name, (None, None))) for name in self.free],
            names,
            values,
            over.draws,
            targets,
            list(over.quantiles),
            over.threads,
            over.call,
            list(pinned),
            list(pinned.values()),
            over.plan_loss,
            over.keep,
        )

    @property
    def _known(self) -> tuple[list[str], FloatArray]:
        """Names and numbers of the parameters."""
        values = dict(self.law.values or {})
        return list(values), np.array(list(values.values()), dtype=np.float64)

    def _pinned(self, count: int, columns: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """What is pinned, one number per target: a number is asked as a column is, and gives the same bytes."""
        return {**{name: np.full(count, value) for name, value in self.numbers.items()}, **columns}

    def cost_of(self, first: float, second: float) -> float:
        """The cost of a size and data."""
        return self._at(self.spending, first, second)["$cost"]

    def loss_of(self, first: float, second: float) -> float:
        """The law's value at a size and data, in nats per token."""
        return self._at(self.law_system, first, second)["L"]

    def loss_under(self, draws: FloatArray, first: float, second: float) -> FloatArray:
        """The law's value at a size and data under each draw of its parameters (one row per parameter)."""
        read = set(self.law_system.symbols())
        columns = {name: row for name, row in zip(self.law.parameters, draws, strict=True) if name in read}
        one, other = self.optimise
        scalars = {name: value for name, value in {**self.numbers, one: first, other: second}.items() if name in read}
        return self.law_system.evaluate(columns, scalars)[self.law.outputs[0]]

    def _at(self, system: System, first: float, second: float) -> dict[str, float]:
        one, other = self.optimise
        scalars = {**(self.law.values or {}), **self.numbers, other: second}
        scalars.pop(one, None)
        found = system.evaluate({one: np.array([first])}, scalars)
        return {name: float(column[0]) for name, column in found.items()}

    def budget(
        self,
        budgets: FloatArray,
        over: Over | None = None,
        columns: Mapping[str, FloatArray] | None = None,
    ) -> Columns:
        """The least loss at each budget: in closed form where there is one and both variables are free of bounds."""
        over = over or Over()
        if len(self.free) == 2 and not self.bounds:
            names, values = self._known
            pinned = self._pinned(len(budgets), columns or {})
            try:
                return sweep(
                    self.law_system,
                    "L",
                    _system(self.cost, self.formulas),
                    self.optimise,
                    names,
                    values,
                    over.draws,
                    budgets,
                    list(over.quantiles),
                    over.threads,
                    over.call,
                    list(pinned),
                    list(pinned.values()),
                    over.plan_loss,
                    over.keep,
                )
            except LawError as error:
                if error.code != "no-closed-form":
                    raise
        return self.answer("budget", budgets, over, columns)


def symbols_read(law: Law, cost: str, formulas: Iterable[str] = ()) -> set[str]:
    """The symbols of a law, of a cost, and of formulas of derived variables."""
    return {*law.system.symbols(), *formula_symbols([cost, *formulas])}


def formula_symbols(formulas: Iterable[str]) -> set[str]:
    """The symbols of some formulas. Raises FormulaError."""
    return {symbol for text in formulas for symbol in _system(text, {}).symbols()}


def binding(status: str, optimise: tuple[str, str]) -> tuple[str, str | None]:
    """The status of a row, and the bound that binds: `N_max` and the like."""
    if status not in _ENDS:
        return status, None
    place, end = _ENDS[status]
    return AT_BOUND, f"{optimise[place]}_{end}"


def ends(bound: Bound) -> Bound:
    """The bound with None for an infinite end."""
    low, high = bound
    return None if low is None or low == -math.inf else float(low), None if high in (None, math.inf) else high


def _system(text: str, definitions: Mapping[str, str]) -> System:
    return System.parse([("C", text)], list(definitions.items()))
