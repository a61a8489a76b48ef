"""The problem of a fit: rows read and bound under a spec, and told to the core.

Stage: between a spec and the core. In: a `FitSpec`, its law, runs. Out: `Rows`, the core's `Problem`, the ranges of the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from scalefast._base.errors import DataError, FormulaError
from scalefast._base.suggest import did_you_mean, likeness
from scalefast._base.wording import Advice, Argument, Phrase
from scalefast._core import Problem, System
from scalefast._data.binding import RESPONSE, SIGMA, WEIGHTS, Column, bind, bind_one
from scalefast._data.checkpoints import codes
from scalefast._data.rows import Rows, read_rows
from scalefast._data.undefined import undefined_rows
from scalefast._fitting.spec import FitSpec
from scalefast._laws.law import Law

__all__ = ["Ranges", "ask_about_parameters", "bind_problem", "read_runs"]


def bind_problem(spec: FitSpec, rows: Rows) -> Problem:
    """The rows under the law and the settings of its parameters."""
    law = spec.resolved_law
    return Problem(
        law.system,
        law.outputs[0],
        {name: rows.arrays[name] for name in law.variables},
        rows.arrays[RESPONSE],
        rows.arrays.get(WEIGHTS),
        rows.arrays.get(SIGMA),
        spec.plain_parameters,
        [variable.positive for variable in law.variables.values()],
        str(spec.residual),
        _clusters(spec, rows),
    )


def _clusters(spec: FitSpec, rows: Rows) -> Any:
    """The run of each row where some run has several, for standard errors that allow for it."""
    if spec.run is None:
        return None
    runs = codes(rows.frame, spec.run, "run")
    return runs if len(runs) > int(runs.max()) + 1 else None


def read_runs(spec: FitSpec, law: Law, runs: Any) -> Rows:
    """The rows that the spec uses, bound to the symbols of the law. Raises what binding and reading raise."""

    def choose(available: list[str]) -> dict[str, Column]:
        ask_about_parameters(spec, law, available)
        columns = bind(law.variables, available, spec.columns, spec.units)
        columns[RESPONSE] = bind_one(RESPONSE, spec.y, available)
        if spec.weights is not None:
            columns[WEIGHTS] = bind_one(WEIGHTS, spec.weights, available)
        if spec.sigma is not None:
            columns[SIGMA] = bind_one(SIGMA, spec.sigma, available)
        return columns

    positive = {name for name, variable in law.variables.items() if variable.positive} | {SIGMA}
    if spec.residual == "log":
        positive.add(RESPONSE)
    return read_rows(
        runs,
        choose,
        positive=frozenset(positive),
        undefined=lambda arrays: undefined_rows(law.form, law.system, arrays, bounds=spec.bounds, values=spec.fixed),
        where=spec.where,
        drop_invalid=spec.drop_invalid,
    )


def ask_about_parameters(spec: FitSpec, law: Law, available: list[str]) -> None:
    """A name that a typed formula leaves open must not be a column of the data."""
    settled = {*(spec.bounds or {}), *(spec.fixed or {}), *(spec.tied or {})}
    for name in law.form.typed:
        if name in available:
            raise DataError(
                f"`{name}` is defined in the formula and is a column of the data",
                code="ambiguous-symbol",
                column=name,
                hint="give the definition another name, or leave it out to use the column",
            )
    for name, entry in law.form.parameters.items():
        if entry.inferred and name in available and name not in settled:
            raise DataError(
                f"`{name}` is a symbol of the formula and a column of the data",
                code="ambiguous-symbol",
                column=name,
                hint=Advice(
                    Argument("columns", {name: name}),
                    " makes it a variable; as a parameter, ",
                    _declare(name),
                    ", or rename the column",
                ),
            )
    for name, entry in law.form.parameters.items():
        if not entry.inferred or name in settled or len(name) < _TELLING_LENGTH:
            continue
        if likeness(name, available) >= _MISSPELT:
            begin = len(law.formula[: law.formula.index(name)].encode()) if name in law.formula else 0
            raise FormulaError(
                f"`{name}` is not a column of the data",
                code="misspelt-column",
                text=law.formula,
                span=(begin, begin + len(name.encode())),
                column=name,
                hint=Advice(f"{did_you_mean(name, available)} If it is a parameter, ", _declare(name)),
            )


def _declare(name: str) -> Phrase:
    """How a name of a typed formula is said to be a parameter."""
    return Phrase(
        f'name it in sf.law(formula, parameters=["{name}"]) or give it bounds',
        f"give it bounds: --bound {name}=LOW..HIGH",
    )


#: A name of a formula that is this like a column (ratio of matching characters) is taken for a slip of the pen.
_MISSPELT = 0.8


#: Shorter names say too little to be likened to anything.
_TELLING_LENGTH = 4


class Ranges(Mapping[str, tuple[float, float]]):
    """Range of each variable in the data, and of C by the law's own cost; found when first asked for."""

    def __init__(self, law: Law, rows: Rows) -> None:
        self._law, self._arrays = law, {name: rows.arrays[name] for name in law.measured}

    @cached_property
    def _found(self) -> dict[str, tuple[float, float]]:
        arrays, cost = self._arrays, self._law.cost
        ranges = {name: (float(values.min()), float(values.max())) for name, values in arrays.items()}
        if cost is not None and "C" not in ranges:
            system = System.parse([("C", cost)], [])
            if all(name in arrays for name in system.symbols()):
                flops = system.evaluate({name: arrays[name] for name in system.symbols()}, {})["C"]
                ranges["C"] = (float(flops.min()), float(flops.max()))
        return ranges

    def __getitem__(self, name: str) -> tuple[float, float]:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __reduce__(self) -> tuple[Any, ...]:
        return (dict, (self._found,))
