"""Rows that may be used: filtered, bound, checked; every row left out is counted.

Stage: between frames and the core. In: any frame and bound columns. Out: `Rows`, float64 arrays of `m` rows, with the
numbers of rows read, filtered and dropped. Nothing is dropped silently: an invalid row is an error unless the user asks
for it to be dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from scalefast._base.errors import DataError, SettingsError
from scalefast._base.suggest import did_you_mean
from scalefast._base.wording import Advice, Argument
from scalefast._data.binding import WEIGHTS, Column, spoken
from scalefast._data.frames import FloatArray, collect, column_names, read_frame, to_array
from scalefast._data.undefined import Undefined

__all__ = ["Rows", "evaluate_columns", "filter_rows", "read_rows"]

#: Invalid rows shown in an error.
_SHOWN = 3
_ROW = "row in the data="
#: The remedy for rows that hold what no law takes.
_LEAVE_OUT = Advice(
    "leave rows out with ", Argument("where"), ", or ", Argument("drop_invalid", True), " to drop and count them"
)


@dataclass(frozen=True)
class Rows:
    """Rows ready for the core.

    Attributes
    ----------
    arrays: symbol (and response, weights, sigma where bound) to `m` float64 values.
    frame: the same rows with the user's columns.
    sources: symbol to the column or formula it was taken from.
    n_read, n_filtered, n_dropped: rows read, left out by `where`, left out as invalid.
    """

    arrays: dict[str, FloatArray]
    frame: pl.DataFrame
    sources: dict[str, str]
    n_read: int
    n_filtered: int
    n_dropped: int

    def count_distinct(self, names: list[str]) -> int:
        """Distinct combinations of the values of these symbols."""
        return pl.DataFrame({name: self.arrays[name] for name in names}).n_unique() if names else 0


def read_rows(
    source: Any,
    choose: Callable[[list[str]], Mapping[str, Column]],
    *,
    positive: frozenset[str],
    undefined: Callable[[Mapping[str, FloatArray]], Undefined | None],
    where: str | pl.Expr | None = None,
    drop_invalid: bool = False,
) -> Rows:
    """Reads `source`, asks `choose` for the columns, applies `where`, and checks every value.

    A row is invalid where a bound value is null, NaN or infinite, is not above zero though its symbol is in `positive`, is
    a negative weight, or is one of those that `undefined` finds, where the law has no value. Raises DataError: `no-rows`,
    `invalid-rows` (counted, the first shown), `unknown-column`; SettingsError: `bad-where`.
    """
    lazy = read_frame(source)
    columns = choose(column_names(lazy))
    frame = collect(lazy)
    n_read = frame.height
    original: pl.Series | None = None
    if where is not None:
        numbered = filter_rows(frame.with_row_index(_ROW), where)
        frame, original = numbered.drop(_ROW), numbered[_ROW]
    n_filtered = n_read - frame.height
    if frame.height == 0:
        message = f"where leaves none of {n_read} rows" if n_read else "there are no rows"
        raise DataError(message, code="no-rows", argument="where" if n_read else None, value=0.0)
    bound = evaluate_columns(frame, columns)
    arrays = {name: to_array(bound[name]) for name in bound.columns}
    n_dropped = 0
    usable = all(_all_usable(bound[name], arrays[name], name in positive, name) for name in columns)
    outside = undefined(arrays)
    if outside is not None and outside.blames_law:
        outside = None
    if not usable or outside is not None:
        faults = {name: _faults(name, name in positive) for name in columns}
        invalid = bound.select(pl.any_horizontal(faults.values()).alias("invalid"))["invalid"]
        if not drop_invalid:
            if usable and outside is not None:
                raise _undefined(bound, columns, outside, original)
            counts = bound.select(fault.sum().alias(name) for name, fault in faults.items()).row(0, named=True)
            raise _invalid_rows(bound, columns, counts, invalid, original, positive)
        if outside is not None:
            invalid = invalid | pl.Series(outside.mask)
        n_dropped = int(invalid.sum())
        frame, bound = frame.filter(~invalid), bound.filter(~invalid)
        if frame.height == 0:
            raise DataError(f"all {n_dropped} rows are invalid", code="no-rows", value=0.0)
        arrays = {name: to_array(bound[name]) for name in bound.columns}
    return Rows(
        arrays=arrays,
        frame=frame,
        sources={name: column.words for name, column in columns.items()},
        n_read=n_read,
        n_filtered=n_filtered,
        n_dropped=n_dropped,
    )


def filter_rows(frame: pl.DataFrame, where: str | pl.Expr) -> pl.DataFrame:
    """The rows that `where` keeps. Raises DataError (`unknown-column`), SettingsError (`bad-where`)."""
    available = [name for name in frame.columns if name != _ROW]
    try:
        kept = frame.filter(pl.sql_expr(where) if isinstance(where, str) else where)
    except pl.exceptions.ColumnNotFoundError as error:
        name = str(error).split('"')[1] if str(error).count('"') >= 2 else str(error).splitlines()[0]
        raise DataError(
            f"where: there is no column `{name}`",
            code="unknown-column",
            argument="where",
            column=name,
            hint=did_you_mean(name, available, "columns"),
        ) from error
    except (pl.exceptions.PolarsError, TypeError) as error:
        reason = (str(error).splitlines() or ["not an expression"])[0]
        hint = "write a Polars expression or an SQL condition such as \"status\" = 'done' AND steps > 1000"
        raise SettingsError(f"where: {reason}", code="bad-where", argument="where", hint=hint) from error
    return kept


def evaluate_columns(frame: pl.DataFrame, columns: Mapping[str, Column]) -> pl.DataFrame:
    """The bound columns, by symbol. Raises DataError: `unknown-column`, `not-numeric`, `uneven-columns`."""
    plain = {name: column.plain for name, column in columns.items()}
    if all(name is not None and frame.schema[name] == pl.Float64 for name in plain.values()):
        return pl.DataFrame([frame[str(source)].alias(name) for name, source in plain.items()])
    try:
        bound = frame.select(column.expression.alias(name) for name, column in columns.items())
    except pl.exceptions.ColumnNotFoundError as error:
        raise DataError(f"no such column: {str(error).splitlines()[0]}", code="unknown-column") from error
    except pl.exceptions.PolarsError:
        raise _not_numeric(frame, columns) from None
    if bound.height != frame.height:
        raise DataError(
            "a bound column must hold one value per row",
            code="uneven-columns",
            value=float(bound.height),
            limit=float(frame.height),
        )
    return bound


def _not_numeric(frame: pl.DataFrame, columns: Mapping[str, Column]) -> DataError:
    """The first column that cannot be evaluated to numbers, with the first value that is not a number."""
    for column in columns.values():
        try:
            frame.select(column.expression.alias("value"))
        except pl.exceptions.PolarsError as error:
            reason = str(error).splitlines()[0]
            if column.words in frame.columns and frame[column.words].dtype == pl.String:
                texts = frame[column.words]
                bad = (texts.is_not_null() & texts.cast(pl.Float64, strict=False).is_null()).arg_true()
                row = int(bad[0])
                count = "a text that is not a number" if len(bad) == 1 else f"{len(bad)} texts that are not numbers"
                return DataError(
                    f"column `{column.words}` holds {count}, the first {texts[row]!r:.40} in row {row}",
                    code="not-numeric",
                    column=column.words,
                    row=row,
                    hint="data hold plain numbers, such as 1e9, without multiples, units or separators of thousands",
                )
            return DataError(f"`{column.words}` cannot be evaluated: {reason}", code="not-numeric", column=column.words)
    return DataError("the bound columns cannot be evaluated", code="not-numeric")


def _all_usable(column: pl.Series, values: FloatArray, positive: bool, name: str) -> bool:
    """Whether `_faults` would find none, in two passes and without memory; a NaN fails every comparison."""
    low, high = float(values.min()), float(values.max())
    least = low > 0 if positive else low >= 0 if name == WEIGHTS else low > -math.inf
    return column.null_count() == 0 and least and high < math.inf


def _faults(name: str, positive: bool) -> pl.Expr:
    """Whether a value cannot be used; never null."""
    value = pl.col(name)
    low = value <= 0 if positive else value < 0 if name == WEIGHTS else pl.lit(False)
    return (value.is_null() | ~value.is_finite() | low).fill_null(True)


def _invalid_rows(
    bound: pl.DataFrame,
    columns: Mapping[str, Column],
    counts: Mapping[str, int],
    invalid: pl.Series,
    original: pl.Series | None,
    positive: frozenset[str],
) -> DataError:
    rows = [int(row) for row in invalid.arg_true()]
    number = (lambda row: row) if original is None else (lambda row: int(original[row]))
    shown = [
        f"row {number(row)}: " + ", ".join(f"{spoken(name)}={_shown(bound[name][row])}" for name in bound.columns)
        for row in rows[:_SHOWN]
    ]
    faulty = {name: count for name, count in counts.items() if count}
    by_column = ", ".join(f"{count} of {spoken(name)} (`{columns[name].words}`)" for name, count in faulty.items())
    worst = max(faulty, key=lambda name: faulty[name])
    first = next(row for row in rows if not _usable(bound[worst][row], worst in positive, worst))
    return DataError(
        f"{len(rows)} of {bound.height} rows hold a null, NaN, infinite, zero or negative value where none may be: "
        f"{by_column}\n  " + "\n  ".join(shown),
        code="invalid-rows",
        row=number(first),
        column=columns[worst].words,
        value=bound[worst][first],
        limit=0.0,
        hint=_LEAVE_OUT,
    )


def _undefined(
    bound: pl.DataFrame, columns: Mapping[str, Column], outside: Undefined, original: pl.Series | None
) -> DataError:
    """The error for rows on which the law has no value: every reason with its count, and the first rows."""
    rows = outside.mask.nonzero()[0].tolist()
    number = (lambda row: row) if original is None else (lambda row: int(original[row]))
    shown = [
        f"row {number(row)}: " + ", ".join(f"{spoken(name)}={_shown(bound[name][row])}" for name in bound.columns)
        for row in rows[:_SHOWN]
    ]
    fault = outside.faults[int(outside.rows[rows[0]])]
    return DataError(
        f"the law is undefined on {len(rows)} of {bound.height} rows: {outside.counted()}\n  " + "\n  ".join(shown),
        code="invalid-rows",
        row=number(rows[0]),
        column=columns[fault.symbol].words if fault.symbol else None,
        value=bound[fault.symbol][rows[0]] if fault.symbol else None,
        limit=-1.0 if fault.must == "above -1" else 0.0,
        hint=_LEAVE_OUT,
    )


def _shown(value: float | None) -> str:
    return "null" if value is None else f"{value:.6g}"


def _usable(value: float | None, positive: bool, name: str) -> bool:
    """The scalar twin of `_faults`."""
    if value is None or not math.isfinite(value):
        return False
    return value > 0 if positive else value >= 0 if name == WEIGHTS else True
