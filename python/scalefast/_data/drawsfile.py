"""Draws that do not stay in memory: one Parquet file, written slice by slice.

Stage: while replicates or draws are computed. In: frames of the same columns, one a slice, in order. Out: one file with all
their rows and a few texts of metadata, under its name only once it is complete. Slices wait in a hidden folder beside it,
so that disk holds twice the draws for a moment and memory never more than a slice; whatever ends the block early removes
them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from scalefast._base.errors import ScalefastError, SettingsError
from scalefast._base.wording import Advice, Argument

__all__ = ["SLICE_ROWS", "DrawsFile", "check_draws_path", "read_stored", "slices"]

#: Rows of a slice, and of a row group of the file: some megabytes for laws of a handful of parameters.
SLICE_ROWS = 65_536


class DrawsFile:
    """The file `path` in the making, as a `with` block; nothing stands there before `commit`.

    Raises SettingsError: `unknown-suffix`, `file-exists` (unless `overwrite`), `is-a-directory`, `no-such-directory`.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        self.path, self._overwrite = Path(path), overwrite
        self._parts: list[Path] = []
        check_draws_path(self.path, overwrite)

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix=f".{self.path.stem}-", dir=self.path.absolute().parent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def append(self, rows: pl.DataFrame) -> None:
        """Puts the next slice away."""
        part = self._folder / f"{len(self._parts):09}.parquet"
        rows.write_parquet(part, compression="lz4", row_group_size=SLICE_ROWS)
        self._parts.append(part)

    def commit(self, metadata: Mapping[str, str]) -> None:
        """Joins the slices to the file."""
        whole = self._folder / "whole.parquet"
        pl.scan_parquet(self._parts).sink_parquet(whole, row_group_size=SLICE_ROWS, metadata=dict(metadata))
        check_draws_path(self.path, self._overwrite)
        whole.replace(self.path)


def check_draws_path(path: Path, overwrite: bool) -> None:
    """Refuses, before any work is done, a name under which nothing could be written after it."""
    if path.suffix != ".parquet":
        hint = "draws are written as Parquet: name the file .parquet"
        raise SettingsError(f"{path}: the suffix names no format of draws", code="unknown-suffix", hint=hint)
    if path.is_dir():
        raise SettingsError(f"{path} is a directory", code="is-a-directory")
    if path.exists() and not overwrite:
        hint = Advice(Argument("overwrite", True), " replaces it")
        raise SettingsError(f"{path} exists", code="file-exists", hint=hint)
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"{path.absolute().parent} is not a directory", code="no-such-directory")


def read_stored(source: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Rows that may lie in a file. Raises ScalefastError, `draws-moved`, where the file is not there any more."""
    if isinstance(source, pl.DataFrame):
        return source
    try:
        return source.collect()
    except FileNotFoundError as error:
        raise ScalefastError(
            "the file of the draws is not where it was written",
            code="draws-moved",
            hint="put it back, or load what was saved with fit.save",
        ) from error


def slices(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The numbers from `first` to before `last`, a slice at a time.

    >>> list(slices(10, 140_000))
    [(10, 65546), (65546, 131082), (131082, 140000)]
    """
    for begin in range(first, last, SLICE_ROWS):
        yield begin, min(begin + SLICE_ROWS, last)
