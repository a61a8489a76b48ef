"""Binding: which column is which symbol.

Stage: between frames and the core. In: the symbols of a law, what the user bound to them, the names of the columns. Out:
one Polars expression of Float64 for each symbol, and words that say what was taken for what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from scalefast._base.errors import DataError, SettingsError, UnitsError, about
from scalefast._base.numbers import column_factor
from scalefast._base.suggest import did_you_mean, listing
from scalefast._base.wording import Advice, Argument
from scalefast._data.expression import column_expression
from scalefast._data.frames import exact_column
from scalefast._data.levels import indicator
from scalefast._forms.form import Variable

__all__ = ["RESPONSE", "SIGMA", "WEIGHTS", "Column", "bind", "bind_one", "spoken"]

#: What the response, the weights and the known noise are called among the bound columns. No symbol can have these names.
RESPONSE, WEIGHTS, SIGMA = "y=", "weights=", "sigma="
#: Column names that are recognised without binding.
_RECOGNISED = {
    "N": ("N", "n_params", "params", "parameters"),
    "D": ("D", "n_tokens", "tokens"),
    "C": ("C", "flops", "compute"),
    RESPONSE: ("L", "loss", "val_loss"),
}


@dataclass(frozen=True)
class Column:
    """Where a symbol comes from: an expression, the same in words, and the name where it is a column as it stands."""

    expression: pl.Expr
    words: str
    plain: str | None = None


def bind(
    symbols: Mapping[str, Variable],
    available: list[str],
    columns: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
) -> dict[str, Column]:
    """A column for each variable: the one bound by the user, else the one recognised by its name; levels by their own.

    Raises DataError (`unknown-column`, `unbound-variable`, `ambiguous-column`), SettingsError (`unknown-symbol`),
    UnitsError (`unknown-unit`), FormulaError.
    """
    wanted = [name for name, variable in symbols.items() if not variable.column]
    for argument, names in (("columns", columns), ("units", units)):
        for name in names or {}:
            if name not in wanted:
                raise SettingsError(
                    f"{argument}: `{name}` is not a variable of the law",
                    code="unknown-symbol",
                    argument=argument,
                    column=name,
                    hint=did_you_mean(name, wanted, "variables"),
                )
    given = columns or {}
    bound = {
        name: _scaled(bind_one(name, given.get(name), available), name, (units or {}).get(name)) for name in wanted
    }
    levels = {name: Column(indicator(entry), entry.column) for name, entry in symbols.items() if entry.column}
    return {**bound, **levels}


def bind_one(name: str, given: Any, available: list[str]) -> Column:
    """The column of one symbol; `given` is a column name, a formula of columns, a Polars expression, or None."""
    if given is None:
        found = _recognise(name, available)
        return Column(exact_column(found).cast(pl.Float64), found, found)
    if isinstance(given, pl.Expr):
        return Column(given.cast(pl.Float64), str(given))
    if not isinstance(given, str):
        raise SettingsError(
            f"{spoken(name)} must be the name of a column or a Polars expression; got {type(given).__name__}",
            code="bad-column",
            argument=_argument(name),
            column=name,
        )
    with about(_argument(name)):
        expression = column_expression(given, available, spoken(name)).cast(pl.Float64)

    return Column(expression, given, given if given in available else None)


def _scaled(column: Column, name: str, unit: str | None) -> Column:
    if unit is None:
        return column
    if not isinstance(unit, str):
        raise UnitsError(
            f"units: the unit of {name} must be text; got {type(unit).__name__}", code="unknown-unit", argument="units"
        )
    with about("units"):
        factor = column_factor(unit, f"units of {name}")
    return Column(column.expression * factor, f"{column.words} in {unit}")


def _recognise(name: str, available: list[str]) -> str:
    candidates = _RECOGNISED.get(name, (name,))
    found = [column for column in candidates if column in available]
    argument = Argument("y", ...) if name == RESPONSE else Argument("columns", {name: ...})
    if len(found) > 1:
        raise DataError(
            f"{spoken(name)} may be any of the columns {listing(found)}",
            code="ambiguous-column",
            column=found[0],
            hint=Advice("say which one with ", argument),
        )
    if not found:
        near = did_you_mean(candidates[-1 if name == RESPONSE else 0], available, "columns")
        raise DataError(
            f"no column is bound to {spoken(name)}, and none is called {listing(candidates)}",
            code="unbound-variable",
            column=name.rstrip("="),
            hint=Advice("say which one with ", argument, f"; {near}"),
        )
    return found[0]


def _argument(name: str) -> str:
    """The argument that binds a column: that of the response, of weights or of the noise, else `columns`."""
    return spoken(name) if name in (RESPONSE, WEIGHTS, SIGMA) else "columns"


def spoken(name: str) -> str:
    """The name of a bound column as a person would say it."""
    return name.rstrip("=")
