"""Reads the frame that a command is given.

In: a path, a URL or `-` (stdin), as CSV, TSV, Parquet, NDJSON or Arrow. Out: a Polars frame in which text columns made
of numbers are numbers: a `nan` or `inf` in a CSV must reach the check that counts such rows, not turn a column to text.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scalefast import DataError

from . import manifests

if TYPE_CHECKING:
    import polars as pl

FORMAT_OF_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
}
#: Words that trackers and spreadsheets write for a missing value.
MISSING = ["", "NA", "N/A", "null", "None"]


def read_frame(source: str, input_format: str | None) -> pl.DataFrame:
    """The frame at `source`. Raises DataError that names the file and the reason."""
    import polars as pl

    label = "stdin" if source == "-" else f"`{source}`"
    chosen = input_format or format_of(source)
    try:
        frame = parse(open_source(source, label), chosen)
    except pl.exceptions.NoDataError:
        raise empty(label) from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f"{label} cannot be read as {chosen}: {reason}",
            code="unreadable-file",
            hint="the file may be cut short, or of another format: see --input-format",
        ) from error
    if frame.height == 0:
        raise DataError(
            f"{label} has a header but no rows", code="no-rows", hint=f"its columns: {', '.join(frame.columns)}"
        )
    return numeric_text(frame)


def format_of(source: str) -> str:
    """The format by suffix; stdin and other pipes are CSV."""
    if source == "-" or Path(source).is_fifo():
        return "csv"
    suffix = Path(source.removesuffix(".gz")).suffix.lower()
    if suffix not in FORMAT_OF_SUFFIX:
        raise DataError(
            f"`{source}`: the suffix names no format",
            code="unknown-suffix",
            hint=f"use one of {' '.join(FORMAT_OF_SUFFIX)}, or say --input-format",
        )
    return FORMAT_OF_SUFFIX[suffix]


def open_source(source: str, label: str) -> str | io.BytesIO:
    """What Polars shall read: regular files and URLs by name, pipes from memory. Raises DataError for an empty file."""
    if "://" in source:
        return source
    if source != "-" and Path(source).is_file():
        content, size = None, Path(source).stat().st_size
    else:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        size = len(content)
        manifests.was_read(source, content)
    if size == 0:
        raise empty(label)
    return source if content is None else io.BytesIO(content)


def empty(label: str) -> DataError:
    """There is nothing in it."""
    return DataError(f"{label} is empty", code="empty-file", hint="a header and rows are expected")


def parse(data: str | io.BytesIO, chosen: str) -> pl.DataFrame:
    """One frame; all rows of a text format decide the types of its columns."""
    import polars as pl

    if chosen in ("csv", "tsv"):
        return pl.read_csv(data, separator="," if chosen == "csv" else "\t", infer_schema_length=None)
    if chosen == "parquet":
        return pl.read_parquet(data)
    if chosen == "ndjson":
        return pl.read_ndjson(data, infer_schema_length=None)
    return pl.read_ipc(data)


def numeric_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Text columns of which every value is a number, `nan`, `inf` or a word for missing, as floats."""
    import polars as pl

    converted = []
    for name in (name for name, dtype in frame.schema.items() if dtype == pl.String):
        text = frame[name].str.strip_chars()
        text = text.set(text.is_in(MISSING), None)
        numbers = text.cast(pl.Float64, strict=False)
        if len(numbers) > numbers.null_count() == text.null_count():
            converted.append(numbers)
    return frame.with_columns(converted)
