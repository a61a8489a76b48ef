"""One law's part in a plan: the worlds that it holds possible, and what a size gives in each of them.

Stage: between budgets and plans. In: a law with values, its cost, what is settled, `Means`, or a run that is settled
altogether. Out: `Case`, whose `worlds` are the central one or draws of parameters and quantities; for a size N, `Outcome`:
the data, loss, compute, hours, dollars and regret in each world. All arithmetic of results is the core's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from scalefast._core import Call, Stake, System
from scalefast._data.frames import FloatArray
from scalefast._laws.law import Law
from scalefast._optimum.question import Bound, Over, Question, binding, ends
from scalefast._planning.means import Means, evaluate, takes

__all__ = ["Calls", "Case", "Outcome", "World"]

#: A share of a constraint that counts as all of it.
_ALL = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class Calls:
    """How the core is called: threads, and the surroundings of the long call."""

    threads: int | None
    call: Call


@dataclass(frozen=True, eq=False)
class World:
    """Possible worlds: numbers that hold in all of them, columns that differ. Without a column there is one world."""

    numbers: Mapping[str, float]
    columns: Mapping[str, FloatArray]

    @property
    def count(self) -> int:
        """How many."""
        return next((len(column) for column in self.columns.values()), 1)

    def at(self, formulas: Mapping[str, str], more: Mapping[str, FloatArray] | None = None) -> dict[str, FloatArray]:
        """Formulas in each world; `more` are columns besides."""
        found = evaluate(formulas, self.numbers, {**self.columns, **(more or {})})
        return {name: _wide(column, self.count) for name, column in found.items()}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a size gives, one entry per world; NaN where a world cannot have it.

    `run` and `serving` are FLOPs; `used` is the share of each constraint that is taken; `takes` hours, days, dollars, kWh.
    """

    size: float
    data: FloatArray
    loss: FloatArray
    run: FloatArray
    serving: FloatArray
    used: Mapping[str, FloatArray]
    takes: Mapping[str, FloatArray]


@dataclass(frozen=True, eq=False)
class Case:
    """A law, what its runs cost and what is settled of them.

    `cost` is the formula of a run's training FLOPs, `serving` that of its serving FLOPs or None, `served` its own symbols;
    `run` is a size and data that are settled both, and then their cost is what there is to spend.
    """

    law: Law
    name: str
    cost: str
    serving: str | None
    served: Mapping[str, float]
    given: Mapping[str, float | str]
    bounds: Mapping[str, Bound]
    means: Means
    parameters: Mapping[str, FloatArray]
    seed: int
    draws: int
    calls: Calls
    run: tuple[float, float] | None = None
    _stakes: dict[World, tuple[Stake, FloatArray]] = field(default_factory=dict, repr=False)

    @cached_property
    def point(self) -> World:
        """The world of the law's estimate and all central values."""
        numbers = {name: float(value) for name, value in self.given.items() if not isinstance(value, str)}
        return World({**(self.law.values or {}), **numbers, **self.served, **self.means.numbers}, {})

    @cached_property
    def all(self) -> World:
        """Every draw: parameters and quantities together."""
        return self.varying(("parameters", *self.means.uncertain))

    def varying(self, sources: Iterable[str]) -> World:
        """Worlds that differ in some of `parameters` and the uncertain quantities, the rest being as at the point."""
        columns: dict[str, FloatArray] = {}
        for source in sources if self.draws else ():
            columns |= self.parameters if source == "parameters" else self.means.columns(source, self.seed, self.draws)
        return World({name: v for name, v in self.point.numbers.items() if name not in columns}, columns)

    def limits(self, world: World) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Of each constraint the FLOPs of the final run that it pays for, and what a FLOP of serving takes of them."""
        entries = self.means.constraints
        paid = world.at({entry.name: entry.compute for entry in entries})
        return paid, world.at({entry.name: entry.serving for entry in entries})

    def spent(self, size: float, data: float) -> float:
        """Training and serving FLOPs of a run, a FLOP being a FLOP."""
        at = self._costs(self.point, size, np.array([data]))
        return float(at["run"][0] + at["serving"][0])

    def terms(self, world: World) -> tuple[str, dict[str, FloatArray], FloatArray]:
        """The one cost that the core holds to a target, the columns that it reads, the target in each world."""
        if self.run is not None:
            paid = {"run": np.full(world.count, self.spent(*self.run))}
            weights = {"run": np.ones(world.count)}
        else:
            paid, weights = self.limits(world)
        if self.serving is None:
            return self.cost, {}, np.min(np.stack(list(paid.values())), axis=0)
        if len(paid) == 1:
            (name,) = paid
            return f"({self.cost}) + serving_weight*({self.serving})", {"serving_weight": weights[name]}, paid[name]
        parts: list[str] = []
        columns: dict[str, FloatArray] = {}
        for name in paid:
            parts.append(f"(({self.cost}) + weight_{name}*({self.serving}))/paid_{name}")
            columns |= {f"weight_{name}": weights[name], f"paid_{name}": paid[name]}
        return f"max({', '.join(parts)})", columns, np.ones(world.count)

    def stake(self, world: World) -> tuple[Stake, FloatArray]:
        """The core's lanes of these worlds, and their targets."""
        if world not in self._stakes:
            cost, columns, targets = self.terms(world)
            question = self.question(cost, dict.fromkeys(columns, 1.0))
            stake = Stake(
                question.law_system,
                self.law.outputs[0],
                question.spending,
                ("N", "D"),
                [ends(self.bounds.get(name, (None, None))) for name in ("N", "D")],
                world.numbers,
                {**world.columns, **columns},
                np.ascontiguousarray(targets),
            )
            self._stakes[world] = (stake, targets)
        return self._stakes[world]

    def pinned(self, name: str, value: float | str) -> tuple[float, float] | None:
        """Size and data in the one world with one of them settled, by a number or by a formula of the other."""
        cost, columns, targets = self.terms(self.point)
        extra = {symbol: float(column[0]) for symbol, column in columns.items()}
        bounds = {other: bound for other, bound in self.bounds.items() if other != name}
        question = replace(self.question(cost, extra), given={**self._settled(cost, extra), name: value}, bounds=bounds)
        found = question.answer("budget", targets, Over(threads=self.calls.threads, call=self.calls.call))
        size, data = float(found["first"][0]), float(found["second"][0])
        return (size, data) if math.isfinite(size) and math.isfinite(data) else None

    def question(self, cost: str, extra: Mapping[str, float] | None = None) -> Question:
        """The question to this law under a cost, which may read `extra` symbols."""
        return Question(self.law, self.name, cost, ("N", "D"), self._settled(cost, extra or {}), self.bounds)

    def _settled(self, cost: str, extra: Mapping[str, float]) -> dict[str, float | str]:
        read = set(System.parse([("x", cost)], []).symbols())
        return {**self.given, **{name: value for name, value in {**self.served, **extra}.items() if name in read}}

    @cached_property
    def _law_system(self) -> System:
        # A variable may be settled for the sake of the cost alone.
        return self.question(f"({self.cost}) + ({self.serving})" if self.serving else self.cost).law_system

    def best(self, world: World) -> dict[str, Any]:
        """The best split in each world: `first`, `second`, `cost`, `loss`, `status`."""
        return self.stake(world)[0].best(self.calls.threads, self.calls.call)

    def outcome(self, world: World, size: float) -> Outcome:
        """What a size gives in each world; a run that is settled keeps its data."""
        stake, _ = self.stake(world)
        if self.run is not None and size == self.run[0]:
            data = np.full(world.count, self.run[1])
            loss = self.loss(world, size, data)
        else:
            found = stake.at(size, self.calls.threads, self.calls.call)
            data, loss = found["second"], found["loss"]
        costs = self._costs(world, size, data)
        paid, weights = self.limits(world)
        used = {name: (costs["run"] + weights[name] * costs["serving"]) / paid[name] for name in paid}
        whole = {} if self.run else {name: np.abs(share - 1.0) <= 1.0 - _ALL for name, share in used.items()}
        found = takes(costs["run"], costs["serving"], whole, world.numbers, world.columns)
        taken = {name: _wide(column, world.count) for name, column in found.items()}
        return Outcome(size, data, loss, costs["run"], costs["serving"], used, taken)

    def loss(self, world: World, size: float, data: FloatArray) -> FloatArray:
        """The law's value at a size and data in each world."""
        system = self._law_system
        wanted = set(system.symbols())
        columns = {**world.columns, "N": np.full(world.count, size), "D": data}
        found = system.evaluate(
            {name: column for name, column in columns.items() if name in wanted},
            {name: value for name, value in world.numbers.items() if name in wanted},
        )
        return _wide(found[self.law.outputs[0]], world.count)

    def wasted(self, world: World, outcome: Outcome) -> FloatArray:
        """The share of the compute that would not have been needed for the loss, in each world."""
        stake, targets = self.stake(world)
        needed = stake.cheapest(np.ascontiguousarray(outcome.loss), self.calls.threads, self.calls.call)["cost"]
        share: FloatArray = np.maximum(1.0 - needed / targets, 0.0)
        return share

    def _costs(self, world: World, size: float, data: FloatArray) -> dict[str, FloatArray]:
        derived = [(name, text) for name, text in self.given.items() if isinstance(text, str)]
        system = System.parse([("run", self.cost), ("serving", self.serving or "0*N")], derived)
        wanted = set(system.symbols())
        columns = {name: column for name, column in {**world.columns, "D": data}.items() if name in wanted}
        numbers = {name: value for name, value in {**world.numbers, "N": size}.items() if name in wanted}
        return {name: _wide(column, len(data)) for name, column in system.evaluate(columns, numbers).items()}

    def ending(self, world: World) -> tuple[str, str | None]:
        """What became of the best split of the one world: its status, and the bound that binds."""
        return binding(self.best(world)["status"][0], ("N", "D"))

    def binding(self, outcome: Outcome, world: int = 0) -> list[str]:
        """The constraints that a world spends to the end."""
        return [name for name, share in outcome.used.items() if share[world] >= _ALL]

    def settled(self, run: tuple[float, float]) -> Case:
        """The same law with a run that is settled altogether."""
        return replace(self, run=run, _stakes={})


def _wide(column: FloatArray, count: int) -> FloatArray:
    return column if len(column) == count else np.ascontiguousarray(np.broadcast_to(column, (count,)))
