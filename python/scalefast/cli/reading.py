"""Reads the frame that a command is given.

In: a path, a URL or `-` (stdin), as CSV, TSV, Parquet, NDJSON or Arrow. Out: a Polars frame with at least one row.
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


class Piped(io.BytesIO):
    """What came through a pipe, with the name that errors call it by."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


def read_frame(source: str, input_format: str | None) -> pl.DataFrame:
    """The frame at `source`. Raises DataError that names the file and the reason."""
    import scalefast as sf

    frame = sf.read_file(piped(source), input_format)
    if frame.height == 0:
        label = "stdin" if source == "-" else f"`{source}`"
        hint = f"its columns: {', '.join(frame.columns)}"
        raise DataError(f"{label} has a header but no rows", code="no-rows", hint=hint)
    return frame


def piped(source: str) -> str | Piped:
    """The name of what the library reads itself, or the content of a pipe, which is read only once."""
    if source == "-":
        content, name = sys.stdin.buffer.read(), "<stdin>"
    elif "://" not in source and Path(source).is_fifo():
        content, name = Path(source).read_bytes(), source
    else:
        return source
    manifests.was_read(source, content)
    return Piped(content, name)
