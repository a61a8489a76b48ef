"""Everything a command writes: data to stdout or a file, notes and warnings to stderr.

In: a Polars frame and where it should go. Out: a table (terminals), CSV (pipes), JSON, NDJSON, Parquet or Arrow.
Files are written under a temporary name and renamed. Machine formats carry every digit of a float (the shortest text
that reads back to the same double); only tables are rounded for people.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from scalefast import SettingsError, units

if TYPE_CHECKING:
    import polars as pl

SCHEMA_VERSION = 1
FORMAT_OF_SUFFIX = {
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".txt": "table",
}
BINARY = {"parquet", "arrow"}
# Columns of a table that hold counts (70B) or FLOPs (1e24), by their symbol before any `_q05`, `_lower`, ….
COUNT_SYMBOLS = {"N", "D", "U", "T"}
COUNT_COLUMNS = {"N_total", "N_effective", "N_vocab", "batch"}
POWER_SYMBOLS = {"C", "budget"}
MISSING = "-"
ROWS_AT_ONCE = 50_000
#: Characters that a column of text keeps on a narrow terminal.
NARROWEST = 14


@dataclass(frozen=True)
class Destination:
    """Where the data go (`path` None: stdout), in which format, and how talkative stderr is."""

    path: Path | None
    format: str
    force: bool = False
    quiet: bool = False


def destination(format_: str | None, output: str | None, force: bool, quiet: bool) -> Destination:
    """Settle format and place before any work is done, so that a long fit cannot end in a refused file name."""
    if output is None or output == "-":
        chosen = format_ or ("table" if sys.stdout.isatty() else "csv")
        if chosen in BINARY and sys.stdout.isatty():
            raise SettingsError(
                f"{chosen} is binary and stdout is a terminal", code="binary-to-terminal", hint="name a file with -o"
            )
        return Destination(None, chosen, force, quiet)
    path = Path(output)
    chosen_by_suffix = format_ or FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if chosen_by_suffix is None:
        known = " ".join(FORMAT_OF_SUFFIX)
        raise SettingsError(
            f"{output}: the suffix names no format", code="unknown-suffix", hint=f"use one of {known}, or --format"
        )
    check_writable(path, force)
    return Destination(path, chosen_by_suffix, force, quiet)


def check_writable(path: Path, force: bool) -> None:
    """Refuse an existing file without `--force`, and a directory that is not there."""
    if path.is_dir():
        raise SettingsError(f"{path} is a directory", code="is-a-directory")
    if path.exists() and not force:
        raise SettingsError(f"{path} exists", code="file-exists", hint="--force overwrites it")
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"{path.absolute().parent} is not a directory", code="no-such-directory")


@contextlib.contextmanager
def replacing(path: Path, force: bool) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends well and removed when it does not."""
    # Loaded when needed: it takes a tenth of the start of `--help`.
    import tempfile

    check_writable(path, force)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.absolute().parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        check_writable(path, force)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_frame(
    frame: pl.DataFrame,
    to: Destination,
    *,
    meta: Mapping[str, Any] | None = None,
    table: Callable[[], pl.DataFrame] | None = None,
) -> None:
    """Write a frame. `meta` joins it in JSON; `table` makes a shorter frame for people, which only tables show."""
    if to.format == "table":
        shown = table() if table is not None else frame
        with opened(to) as file:
            write_table(shown, file)
    elif to.format == "json":
        write_object({**(meta or {}), "rows": frame.to_dicts()}, to)
    else:
        with opened(to) as file:
            for part in encoded(frame, to.format):
                file.buffer.write(part)


def write_object(fields: Mapping[str, Any], to: Destination) -> None:
    """One JSON object with its `schema_version`; what JSON cannot say (NaN, infinities) becomes null."""
    text = json.dumps(plain({"schema_version": SCHEMA_VERSION, **fields}), indent=2, ensure_ascii=False)
    with opened(to) as file:
        # JSON is UTF-8 whatever the terminal is.
        file.buffer.write(f"{text}\n".encode())


def write_fields(fields: Mapping[str, Any], to: Destination) -> None:
    """Named facts about one thing: lines for people, an object in JSON, else rows of `field` and `value`."""
    if to.format == "table":
        with opened(to) as file:
            file.write("".join(f"{line}\n" for line in fact_lines(fields)))
    elif to.format == "json":
        write_object(fields, to)
    else:
        import polars as pl

        values = [value if isinstance(value, str) else json.dumps(plain(value)) for value in fields.values()]
        write_frame(pl.DataFrame({"field": list(fields), "value": values}, schema_overrides={"value": pl.String}), to)


def fact_lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """`name  value` lines; a mapping's entries stand below one another."""
    margin = max(len(name) for name in fields)
    for name, value in fields.items():
        if isinstance(value, Mapping):
            inner = max(len(key) for key in value)
            texts = [f"{key:<{inner}}  {human(item, key)}" for key, item in value.items()]
        else:
            texts = [human(value, name)]
        for place, text in enumerate(texts):
            yield f"{name if place == 0 else '':<{margin}}  {text}"


def encoded(frame: pl.DataFrame, format_: str) -> Iterator[bytes]:
    """The frame's bytes, in pieces where the format allows it, so that a closed pipe or Ctrl-C is noticed early."""
    if format_ == "csv":
        yield frame.head(0).write_csv().encode()
        for piece in frame.iter_slices(ROWS_AT_ONCE):
            yield piece.write_csv(include_header=False).encode()
    elif format_ == "ndjson":
        for piece in frame.iter_slices(ROWS_AT_ONCE):
            yield piece.write_ndjson().encode()
    else:
        whole = io.BytesIO()
        if format_ == "parquet":
            frame.write_parquet(whole, metadata={"schema_version": str(SCHEMA_VERSION)})
        else:
            frame.write_ipc(whole)
        yield whole.getvalue()


@contextlib.contextmanager
def opened(to: Destination) -> Iterator[TextIO]:
    """Stdout, flushed at the end, or the file under its temporary name."""
    if to.path is None:
        sys.stdout.flush()
        yield sys.stdout
        sys.stdout.flush()
    else:
        with replacing(to.path, to.force) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            yield file


def plain(value: Any) -> Any:
    """The value in the types that JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def write_table(frame: pl.DataFrame, file: TextIO) -> None:
    """A table for people: rounded numbers, right-aligned.

    Where the terminal is too narrow text is broken into lines, numbers never; where that is not enough rows become
    records.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    on_terminal = file.isatty()
    console = Console(file=file, width=None if on_terminal else 10_000, highlight=False, markup=False, emoji=False)
    cells = {name: [human(value, name) for value in frame[name]] for name in frame.columns}
    widths = {name: max(map(width, (name, *column))) for name, column in cells.items()}
    least = {name: most if numeric(cells[name]) else min(most, NARROWEST) for name, most in widths.items()}
    if on_terminal and sum(least.values()) + 2 * (len(least) - 1) > console.width:
        write_records(cells, frame.height, console.print)
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="bold")
    for name in frame.columns:
        right = numeric(cells[name])
        table.add_column(
            name, justify="right" if right else "left", no_wrap=right, min_width=least[name], overflow="fold"
        )
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    console.print(table)


def width(cell: str) -> int:
    """Characters of the longest line."""
    return max(map(len, cell.splitlines()), default=0)


def numeric(column: Sequence[str]) -> bool:
    """Whether every cell starts as a number does, or is missing."""
    return all(re.match(r"[-+.\d]", cell) for cell in column)


def write_records(cells: Mapping[str, Sequence[str]], height: int, write: Callable[[str], object]) -> None:
    """One `name  value` line a column, rows apart by an empty line."""
    margin = max(len(name) for name in cells)
    for row in range(height):
        if row:
            write("")
        for name, column in cells.items():
            write(f"{name:<{margin}}  {column[row].replace(chr(10), '  ')}")


def human(value: Any, column: str = "") -> str:
    """One cell of a table."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        symbol = column.split("_")[0]
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        if column in COUNT_COLUMNS:
            return units.format_count(value)
        if column == symbol or column.startswith((f"{symbol}_q", f"{symbol}_lower", f"{symbol}_upper")):
            if symbol in COUNT_SYMBOLS:
                return units.format_count(value)
            if symbol in POWER_SYMBOLS:
                return units.format_flops(value)
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(human(item) for item in value)
    return str(value)


def note(text: str, to: Destination) -> None:
    """Something worth knowing, on stderr."""
    if not to.quiet:
        sys.stderr.write(f"note: {text}\n")


def warn(text: str) -> None:
    """Something that changes what the numbers mean, on stderr, also under `--quiet`."""
    sys.stderr.write(f"warning: {text}\n")
