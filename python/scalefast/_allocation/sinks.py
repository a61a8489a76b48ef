"""Every allocation of a sweep: as one frame, or as a Parquet data set where memory would not do.

Stage: beside the summary. In: what the core found for some cells, `B` cells of `K` draws at a time. Out: frames of one row
a law, cell and draw. A data set is a folder of files `part-00000.parquet`, …, made under a temporary name beside its place
and renamed when it is complete, so that a folder of that name is always whole.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import polars as pl

from scalefast._base.errors import SettingsError
from scalefast._base.wording import Advice, Argument
from scalefast._optimum.question import binding

__all__ = ["Kept", "PartFolder", "Sink", "allocations_of"]

#: Rows of one file of a data set, and so of one piece in memory: about 100 MB.
ROWS_A_PART = 1 << 21


class Sink(Protocol):
    """Takes frames of allocations, in order."""

    def add(self, frame: pl.DataFrame) -> None:
        """Takes the next rows."""


class Kept:
    """Keeps frames in memory."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Takes the next rows."""
        self._parts.append(frame)

    @property
    def frame(self) -> pl.DataFrame | None:
        """All rows, or None where none came."""
        return pl.concat(self._parts) if self._parts else None


class PartFolder:
    """Writes frames to the files of a folder, which appears when the `with` block ends well.

    Raises SettingsError: `file-exists` for a folder that is there already, unless `overwrite` and nothing but such files are in
    it; `no-such-directory`.
    """

    def __init__(self, folder: str | Path, *, overwrite: bool = False) -> None:
        self.folder = Path(folder)
        self._overwrite = overwrite
        self._count = 0
        self._check()

    def __enter__(self) -> Self:
        parent = self.folder.absolute().parent
        self._temporary = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=parent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._check()
            if self.folder.is_dir():
                shutil.rmtree(self.folder)
            self._temporary.chmod(0o755)
            self._temporary.rename(self.folder)
        else:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def add(self, frame: pl.DataFrame) -> None:
        """Writes the next file."""
        frame.write_parquet(self._temporary / f"part-{self._count:05}.parquet")
        self._count += 1

    def _check(self) -> None:
        parent = self.folder.absolute().parent
        if not parent.is_dir():
            raise SettingsError(f"{parent} is not a directory", code="no-such-directory")
        if not self.folder.exists():
            return
        if not self._overwrite:
            raise SettingsError(
                f"{self.folder} exists", code="file-exists", hint=Advice(Argument("overwrite", True), " replaces it")
            )
        foreign = [self.folder] if not self.folder.is_dir() else list(self.folder.iterdir())
        foreign = [path for path in foreign if not (path.is_file() and path.match("part-*.parquet"))]
        if foreign:
            raise SettingsError(
                f"{self.folder} holds `{foreign[0].name}`, which is not part of a data set of scalefast",
                code="file-exists",
                hint="choose another folder: only data sets are replaced",
            )


def allocations_of(
    name: str, cells: pl.DataFrame, columns: Mapping[str, Any], optimise: tuple[str, str], draws: int
) -> pl.DataFrame:
    """One row per cell and draw; `cells` holds the budgets as `C` and, before it, the scenario. Without draws one row per cell,
    the estimate, whose `draw` is null."""
    first, second = optimise
    if draws:
        found, codes = columns["kept"], columns["kept_status"]
        statuses = columns["statuses"]
        each = [np.repeat(column.to_numpy(), draws) for column in cells]
        draw = pl.Series("draw", np.tile(np.arange(draws, dtype=np.int64), cells.height))
    else:
        found = [columns["first"], columns["second"], columns["loss"]]
        statuses = sorted(set(columns["status"]))
        codes = np.array([statuses.index(status) for status in columns["status"]], dtype=np.uint8)
        each = [column.to_numpy() for column in cells]
        draw = pl.Series("draw", [None] * cells.height, dtype=pl.Int64)
    ends = [binding(status, optimise) for status in statuses]
    # Texts repeat from row to row: each is looked up by its code.
    texts = [
        pl.Series(label, [end[place] for end in ends], dtype=pl.String).gather(codes)
        for place, label in enumerate(("status", "at_bound"))
    ]
    return pl.DataFrame(
        [
            pl.Series("law", [name], dtype=pl.String).new_from_index(0, len(draw)),
            *(pl.Series(column.name, values) for column, values in zip(cells, each, strict=True)),
            draw,
            *(
                pl.Series(symbol, values, nan_to_null=True)
                for symbol, values in zip((first, second, "L"), found, strict=True)
            ),
            *texts,
        ]
    )
