"""Tables in: foreign frames become Polars frames; columns become float64 arrays without a copy where possible.

Stage: before binding. In: what `read_file` takes, a Polars, Arrow-speaking or pandas frame, or a dict of arrays or numbers.
Out: a `pl.DataFrame` or `pl.LazyFrame` of the same rows in the same order. Whatever cannot be read is a DataError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors

from scalefast._base.errors import DataError
from scalefast._base.statuses import USABLE
from scalefast._data.files import first_line, is_file_like, read_file

__all__ = [
    "FloatArray",
    "collect",
    "column_names",
    "exact_column",
    "read_draws",
    "read_frame",
    "to_array",
    "usable_draws",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def read_frame(source: Any) -> pl.DataFrame | pl.LazyFrame:
    """The rows of `source`; a LazyFrame stays lazy.

    Raises DataError: `unknown-frame`, `unreadable-frame`, `uneven-columns`, and what `read_file` raises.
    """
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source
    if is_file_like(source):
        return read_file(source)
    try:
        if isinstance(source, Mapping):
            return _from_mapping(source)
        if type(source).__module__.partition(".")[0] == "pandas":
            return _from_pandas(source)
        if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
            return pl.DataFrame(source)
    except (pl.exceptions.PolarsError, TypeError, ValueError, RuntimeError, OSError, OverflowError) as error:
        raise DataError(f"the rows cannot be read: {first_line(error)}", code="unreadable-frame") from error
    raise DataError(
        f"cannot read rows from {type(source).__name__!r}",
        code="unknown-frame",
        hint="give a path, a URL, a buffer, a Polars, Arrow or pandas frame, or a dict of arrays",
    )


def collect(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """The frame in memory; a query that fails is a DataError, `unreadable-frame`."""
    if isinstance(frame, pl.DataFrame):
        return frame
    try:
        return frame.collect()
    except pl.exceptions.ColumnNotFoundError as error:
        raise DataError(f"no such column: {first_line(error)}", code="unknown-column") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"the rows cannot be read: {first_line(error)}", code="unreadable-frame") from error


def column_names(frame: pl.DataFrame | pl.LazyFrame) -> list[str]:
    """Names of the columns, without reading rows."""
    if isinstance(frame, pl.DataFrame):
        return frame.columns
    try:
        return frame.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"the rows cannot be read: {first_line(error)}", code="unreadable-frame") from error


def to_array(series: pl.Series) -> FloatArray:
    """A numeric column as contiguous float64, nulls as NaN; no copy of a Float64 column in one chunk without nulls.

    Raises DataError, `not-numeric`.
    """
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        row = next((i for i, entry in enumerate(series) if entry is not None), None)
        example = "" if row is None else f", such as {series[row]!r:.40}"
        raise DataError(
            f"column `{series.name}` holds {series.dtype}{example}, not numbers",
            code="not-numeric",
            column=series.name,
            row=row,
        )
    floats = series.cast(pl.Float64)
    if floats.null_count():
        floats = floats.fill_null(float("nan"))
    return np.ascontiguousarray(floats.to_numpy())


def exact_column(name: str) -> pl.Expr:
    """The column of that name; `pl.col` would read `^a$` as a pattern and `*` as all columns."""
    if name == "*" or (name.startswith("^") and name.endswith("$")):
        return selectors.by_name(name).as_expr()
    return pl.col(name)


def read_draws(path: Path, parameters: Sequence[str]) -> pl.DataFrame:
    """Stored draws: one row each, a float64 column for every parameter. Raises DataError."""
    frame = read_file(path)
    missing = [name for name in parameters if name not in frame.columns]
    if missing:
        raise DataError(f"{path.name} has no column `{missing[0]}`", code="unknown-column", column=missing[0])
    return usable_draws(frame).select(pl.col(name).cast(pl.Float64) for name in parameters)


def usable_draws(frame: pl.DataFrame) -> pl.DataFrame:
    """The replicates that have an estimate, where a column of that name says how each ended."""
    if "status" not in frame.columns:
        return frame
    return frame.filter(pl.col("status").is_in(USABLE))


def _from_mapping(source: Mapping[Any, Any]) -> pl.DataFrame:
    columns = {str(name): _listed(values) for name, values in source.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    longest = max(lengths.values(), default=0)
    for name, length in lengths.items():
        if length not in (1, longest):
            raise DataError(
                f"column `{name}` has {length} rows, others have {longest}",
                code="uneven-columns",
                column=name,
                value=float(length),
                limit=float(longest),
            )
    series = {name: pl.Series(name, values, strict=False) for name, values in columns.items()}
    return pl.DataFrame([s if len(s) == longest else s.new_from_index(0, longest) for s in series.values()])


def _listed(values: Any) -> Any:
    """A scalar as a list of one; whatever has a length as it is."""
    return (
        values if hasattr(values, "__len__") and not isinstance(values, str | bytes) and np.ndim(values) else [values]
    )


def _from_pandas(source: Any) -> pl.DataFrame:
    if not hasattr(source, "columns"):
        raise DataError("cannot read rows from a pandas Series", code="unknown-frame", hint="give a DataFrame")
    # Column by column: `pl.from_pandas` would need pyarrow.
    return pl.DataFrame([_from_pandas_series(str(name), source.iloc[:, i]) for i, name in enumerate(source.columns)])


def _from_pandas_series(name: str, series: Any) -> pl.Series:
    """Numbers without a copy; boxed Python objects one by one, so that those that are numbers are seen as such."""
    if series.dtype == object:
        entries = series.astype(object).where(series.notna(), None).tolist()
        return pl.Series(name, entries, strict=False)
    return pl.Series(name, series.to_numpy(), strict=False)
