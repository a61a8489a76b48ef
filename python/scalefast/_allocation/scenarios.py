"""Scenarios of a sweep: a frame whose rows pin, derive or bound variables, and name what they stand for.

Stage: before a sweep. In: any frame of `S` rows, the two variables to choose, and the symbols that the laws and their
costs read. Out: `Scenarios`: what each column is, and the rows put into groups that are asked as one question. A column
named after a symbol that is read pins it (numbers) or derives it (text: a formula); `C` or `budget` is the row's own
budget in FLOPs; `N_min`, `N_max`, `D_min`, `D_max` are bounds, null where a row has none; any other column is a label.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scalefast._base.errors import DataError, SettingsError
from scalefast._base.scale import refuse_small
from scalefast._base.suggest import did_you_mean, likeness, listing
from scalefast._data.frames import FloatArray, collect, read_frame, to_array
from scalefast._optimum.question import Bound, formula_symbols

__all__ = ["BUDGET_COLUMNS", "Group", "Scenarios", "read_scenarios"]

#: Names of the column that holds a row's own budget.
BUDGET_COLUMNS = ("C", "budget")
#: A label this similar to a name that means something is taken for a misspelling of it.
_TOO_SIMILAR = 0.85
#: Labels that are too short to be compared otherwise than letter by letter.
_SHORT = 4


@dataclass(frozen=True)
class Group:
    """Scenarios that differ in numbers alone: their rows, what is derived and bounded in all of them, what is pinned."""

    rows: NDArray[np.intp]
    formulas: Mapping[str, str]
    bounds: Mapping[str, Bound]
    #: One number per row of the group.
    pinned: Mapping[str, FloatArray]


@dataclass(frozen=True, eq=False)
class Scenarios:
    """The rows of a frame, read as scenarios.

    Attributes
    ----------
    frame: as it came, (S, columns).
    budgets: own budget of each row in FLOPs, or None. pinned: numbers by symbol. formulas: texts by symbol.
    bounds: low and high by variable, NaN where a row has none. labels: names of the columns that mean nothing here.
    """

    frame: pl.DataFrame
    budgets: FloatArray | None = None
    pinned: Mapping[str, FloatArray] = field(default_factory=dict)
    formulas: Mapping[str, list[str]] = field(default_factory=dict)
    bounds: Mapping[str, tuple[FloatArray, FloatArray]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    @property
    def settles(self) -> bool:
        """Whether rows pin, derive or bound anything."""
        return bool(self.pinned or self.formulas or self.bounds)

    def groups(self, reads: Collection[str]) -> Iterator[Group]:
        """The rows by what they ask, in the order of their first rows; symbols that are not in `reads` stay out.

        Rows in which a pinned number is zero stand apart from those in which it is positive: that a symbol is positive is
        a premise of how the core computes, so that a row gives the same bytes whatever rows stand beside it.
        """
        formulas = {name: texts for name, texts in self.formulas.items() if name in reads}
        pinned = {name: values for name, values in self.pinned.items() if name in reads}
        places: dict[tuple[Any, ...], list[int]] = {}
        for row in range(self.frame.height):
            texts = tuple(column[row] for column in formulas.values())
            ends = tuple((_end(low[row]), _end(high[row])) for low, high in self.bounds.values())
            places.setdefault((texts, ends, *(values[row] > 0 for values in pinned.values())), []).append(row)
        for (texts, ends, *_), rows in places.items():
            bounds = {name: bound for name, bound in zip(self.bounds, ends, strict=True) if bound != (None, None)}
            at = np.array(rows, dtype=np.intp)
            derived = dict(zip(formulas, texts, strict=True))
            yield Group(at, derived, bounds, {name: values[at] for name, values in pinned.items()})


def read_scenarios(
    source: Any,
    optimise: tuple[str, str],
    reads: Collection[str],
    parameters: Collection[str],
    results: Collection[str],
) -> Scenarios:
    """The frame, its columns told apart: `reads` are the symbols of the laws and costs, `results` the names of a summary.

    Raises DataError: `no-rows`, `bad-scenarios` (a null, or not a number), `not-numeric`, `column-exists`;
    SettingsError: `bad-scenarios` (a column that is nearly a symbol, or a parameter), `bad-bounds`; UnitsError.
    """
    frame = collect(read_frame(source))
    if frame.height == 0:
        raise DataError("the frame of scenarios has no rows", code="no-rows", value=0.0)
    own = [name for name in BUDGET_COLUMNS if name in frame.columns]
    if len(own) > 1:
        raise SettingsError(
            f"scenarios: {listing(own)} both name the row's own budget",
            code="bad-scenarios",
            argument="scenarios",
            column=own[1],
        )
    symbols = {*reads, *optimise} - set(BUDGET_COLUMNS)
    derived = [name for name in frame.columns if name in symbols and frame[name].dtype == pl.String]
    formulas = {name: _texts(frame[name]) for name in derived}
    symbols |= formula_symbols({text for texts in formulas.values() for text in texts}) - set(parameters)
    ends = {f"{name}_{end}": (name, place) for name in optimise for place, end in enumerate(("min", "max"))}
    pinned: dict[str, FloatArray] = {}
    bounds: dict[str, tuple[FloatArray, FloatArray]] = {}
    labels: list[str] = []
    for name in frame.columns:
        if name in own or name in formulas:
            continue
        if name in ends:
            variable, place = ends[name]
            none = np.full(frame.height, np.nan)
            low, high = bounds.get(variable, (none, none))
            values = _numbers(frame[name], nullable=True)
            bounds[variable] = (values, high) if place == 0 else (low, values)
        elif name in symbols:
            pinned[name] = _numbers(frame[name])
        elif name in parameters:
            raise SettingsError(
                f"scenarios: `{name}` is a parameter of a law, not a variable",
                code="bad-scenarios",
                argument="scenarios",
                column=name,
                hint="rename the column where it is a label; law.with_values changes parameters",
            )
        else:
            labels.append(name)
    _check_labels(labels, [*symbols, *ends, *BUDGET_COLUMNS], frame.columns, results)
    _check_bounds(bounds)
    for name, values in pinned.items():
        refuse_small("scenarios", name, float(values.max()))
    budgets = _numbers(frame[own[0]], above_zero=True) if own else None
    return Scenarios(frame, budgets, pinned, formulas, bounds, tuple(labels))


def _end(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _texts(series: pl.Series) -> list[str]:
    row = next((row for row, text in enumerate(series) if text is None), None)
    if row is not None:
        raise _bad_cell(series.name, row, "is null, not a formula")
    return series.to_list()


def _numbers(series: pl.Series, *, nullable: bool = False, above_zero: bool = False) -> FloatArray:
    """A column of finite numbers, none below zero; NaN stands for null where that is allowed."""
    values = to_array(series)
    null = series.is_null().to_numpy()
    if null.any() and not nullable:
        raise _bad_cell(series.name, int(np.flatnonzero(null)[0]), "is null")
    floor = values > 0 if above_zero else values >= 0
    bad = np.flatnonzero(~(np.isfinite(values) & floor) & ~null)
    if bad.size:
        row, limit = int(bad[0]), "above zero" if above_zero else "from zero up"
        raise _bad_cell(series.name, row, f"is {values[row]:g}, not a finite number {limit}", float(values[row]))
    return values


def _bad_cell(name: str, row: int, what: str, value: float | None = None) -> DataError:
    return DataError(
        f"scenarios: `{name}` of row {row} {what}",
        code="bad-scenarios",
        argument="scenarios",
        column=name,
        row=row,
        value=value,
        hint="every scenario needs every number; only bounds may be null",
    )


def _check_labels(
    labels: Collection[str], meant: Collection[str], columns: Collection[str], results: Collection[str]
) -> None:
    """Refuses labels that clash with results, and labels that were probably meant to be something."""
    for label in labels:
        if label in results:
            raise DataError(
                f"scenarios: `{label}` is also the name of a result",
                code="column-exists",
                argument="scenarios",
                column=label,
                hint="rename the column",
            )
        plain = label.strip().lower()
        near = [
            name
            for name in meant
            if name not in columns
            and (
                plain == name.lower()
                or (min(len(plain), len(name)) >= _SHORT and likeness(label, [name]) >= _TOO_SIMILAR)
            )
        ]
        if near:
            raise SettingsError(
                f"scenarios: nothing reads the column `{label}`",
                code="bad-scenarios",
                argument="scenarios",
                column=label,
                hint=f"{did_you_mean(label, near)} Rename the column where it is a label",
            )


def _check_bounds(bounds: Mapping[str, tuple[FloatArray, FloatArray]]) -> None:
    for name, (low, high) in bounds.items():
        reversed_ = np.flatnonzero((low > high) | (high == 0))
        if reversed_.size:
            row = int(reversed_[0])
            raise SettingsError(
                f"scenarios: {name} from {low[row]:g} to {high[row]:g} in row {row} is not a range above zero",
                code="bad-bounds",
                argument="scenarios",
                column=name,
                row=row,
                value=float(low[row]),
                limit=float(high[row]),
            )
