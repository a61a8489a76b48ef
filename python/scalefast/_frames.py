"""Tables in: files and foreign frames become Polars frames; columns become float64 arrays without a copy where possible.

Stage: before binding. In: a path, a URL, a buffer, a Polars, Arrow-speaking or pandas frame, or a dict of arrays or numbers.
Out: a `pl.DataFrame` or `pl.LazyFrame` of the same rows in the same order. Whatever cannot be read is a DataError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scalefast._errors import DataError
from scalefast._names import did_you_mean

__all__ = ["READERS", "FloatArray", "collect", "column_names", "read_draws", "read_frame", "to_array", "usable_draws"]

FloatArray = NDArray[np.float64]

#: Reader of each suffix. CSV types are inferred from all rows: a column whose first thousand entries look whole may not be.
READERS: dict[str, Callable[[Any], pl.DataFrame]] = {
    ".csv": lambda path: pl.read_csv(path, infer_schema_length=None),
    ".tsv": lambda path: pl.read_csv(path, separator="\t", infer_schema_length=None),
    ".parquet": lambda path: pl.read_parquet(path, glob=False),
    ".ndjson": lambda path: pl.read_ndjson(path, infer_schema_length=None),
    ".jsonl": lambda path: pl.read_ndjson(path, infer_schema_length=None),
    ".arrow": lambda path: pl.read_ipc(path),
    ".feather": lambda path: pl.read_ipc(path),
}


#: Schemes of URLs that Polars reads by itself; others are read through fsspec, where it is installed.
_NATIVE = ("file", "http", "https", "s3", "gs", "gcs", "az", "adl", "abfs", "abfss", "hf")
#: First bytes of the binary formats, and of a line of NDJSON.
_MAGIC = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"{": ".ndjson"}


def read_frame(source: Any) -> pl.DataFrame | pl.LazyFrame:
    """The rows of `source`; a LazyFrame stays lazy. A buffer's format is told by its first bytes, CSV where they say nothing.

    Raises DataError: `unreadable-file`, `empty-file`, `unknown-format`, `unknown-frame`, `uneven-columns`.
    """
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source
    if isinstance(source, str) and "://" in source:
        return _read_url(source)
    if isinstance(source, str | Path):
        return _read_path(Path(source))
    if hasattr(source, "read"):
        return _read_buffer(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if type(source).__module__.partition(".")[0] == "pandas":
        return _from_pandas(source)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        return pl.DataFrame(source)
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
        raise DataError(f"no such column: {_first_line(error)}", code="unknown-column") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"the rows cannot be read: {_first_line(error)}", code="unreadable-frame") from error


def column_names(frame: pl.DataFrame | pl.LazyFrame) -> list[str]:
    """Names of the columns, without reading rows."""
    if isinstance(frame, pl.DataFrame):
        return frame.columns
    try:
        return frame.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"the rows cannot be read: {_first_line(error)}", code="unreadable-frame") from error


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


def read_draws(path: Path, parameters: Sequence[str]) -> pl.DataFrame:
    """Stored draws: one row each, a float64 column for every parameter. Raises DataError."""
    frame = _read_path(path)
    missing = [name for name in parameters if name not in frame.columns]
    if missing:
        raise DataError(f"{path.name} has no column `{missing[0]}`", code="unknown-column", column=missing[0])
    return usable_draws(frame).select(pl.col(name).cast(pl.Float64) for name in parameters)


def usable_draws(frame: pl.DataFrame) -> pl.DataFrame:
    """The replicates that have an estimate, where a column of that name says how each ended."""
    if "status" not in frame.columns:
        return frame
    return frame.filter(pl.col("status").is_in(["converged", "at-bound"]))


def _read_path(path: Path) -> pl.DataFrame:
    reader = _reader(path.suffix, path.name)
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"`{path.name}` cannot be read: {reason}", code="unreadable-file") from error
    return _read(reader, path, path.name, empty)


def _read_url(url: str) -> pl.DataFrame:
    scheme, _, rest = url.partition("://")
    name = Path(rest.partition("?")[0]).name
    reader = _reader(Path(name).suffix, name)
    if scheme.lower() in _NATIVE:
        return _read(reader, url, name)
    try:
        fsspec = import_module("fsspec")
    except ImportError as error:
        hint = "install fsspec, which reads other places"
        raise DataError(f"`{scheme}://` is not read by Polars", code="unknown-format", hint=hint) from error
    try:
        with fsspec.open(url, "rb") as file:
            content = file.read()
    except (OSError, ValueError, ImportError) as error:
        raise DataError(f"`{name}` cannot be read: {_first_line(error)}", code="unreadable-file") from error
    return _read(reader, BytesIO(content), name, not content)


def _read_buffer(buffer: Any) -> pl.DataFrame:
    content = buffer.read()
    content = content.encode() if isinstance(content, str) else content
    if not isinstance(content, bytes):
        raise DataError("the buffer holds neither bytes nor text", code="unknown-frame")
    suffix = next((suffix for start, suffix in _MAGIC.items() if content.startswith(start)), ".csv")
    return _read(READERS[suffix], BytesIO(content), "the buffer", not content)


def _reader(suffix: str, name: str) -> Callable[[Any], pl.DataFrame]:
    reader = READERS.get(suffix.lower())
    if reader is None:
        raise DataError(
            f"`{name}` has an unknown suffix",
            code="unknown-format",
            hint=did_you_mean(suffix, READERS, "suffixes"),
        )
    return reader


def _read(reader: Callable[[Any], pl.DataFrame], source: Any, name: str, empty: bool = False) -> pl.DataFrame:
    """What a reader makes of a source; whatever it cannot read is a DataError."""
    if empty:
        raise DataError(f"`{name}` is empty", code="empty-file")
    try:
        return reader(source)
    except pl.exceptions.NoDataError as error:
        raise DataError(f"`{name}` is empty", code="empty-file") from error
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _first_line(error)
        raise DataError(f"`{name}` cannot be read: {reason}", code="unreadable-file") from error


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
    return pl.DataFrame([pl.Series(str(name), source[name].to_numpy(), strict=False) for name in source.columns])


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
