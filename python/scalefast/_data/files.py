"""Files of rows: CSV, TSV, Parquet, NDJSON and Arrow, from paths, URLs, pipes and buffers.

Stage: before frames. In: a path, a URL, an open file or bytes, and a format where the name does not tell. Out: a
`pl.DataFrame` in which text columns made of numbers are numbers: a `nan` or an `NA` in a CSV must reach the check that
counts such rows, not turn a column to text. Whatever cannot be read is a DataError that names the file and the reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from scalefast._base.errors import DataError, SettingsError
from scalefast._base.suggest import did_you_mean, listing
from scalefast._base.wording import Advice, Phrase

__all__ = ["first_line", "is_file_like", "read_file"]


def _csv(data: Any, separator: str) -> pl.DataFrame:
    """A header and rows; a quote in a name, which Polars leaves doubled as it stands in the file, is one quote."""
    if isinstance(data, Path | BytesIO):
        start = _start_of(data)
        if start[:2] in _UTF_16:
            # "Unicode text", as spreadsheets on Windows call it.
            content = data.getvalue() if isinstance(data, BytesIO) else data.read_bytes()
            start = content.decode("utf-16").encode()
            data = BytesIO(start)
        _check_separator(start, separator)
    frame = pl.read_csv(data, separator=separator, infer_schema_length=None)
    return frame.rename(lambda name: name.replace('""', '"'))


def _check_separator(start: bytes, separator: str) -> None:
    """A header that is cut by another sign than the format's has one column where many are meant.

    Raises DataError, `other-separator`.
    """
    header = re.sub(rb'"[^"]*"', b"", start.partition(b"\n")[0])
    others = [sign for sign in (",", ";", "\t", "|") if sign != separator and sign.encode() in header]
    if separator.encode() in header or not others or b"\0" in header:
        return
    name = "tabs" if others[0] == "\t" else f"`{others[0]}`"
    formats = {"\t": "tsv", ",": "csv"}
    hint = f'rewrite it with commas, or read it with pl.read_csv(path, separator="{others[0]}")'
    if others[0] in formats:
        known = formats[others[0]]
        hint = Advice(f"say that it is {known}: ", Phrase(f'sf.read_file(path, "{known}")', f"--input-format {known}"))
    raise DataError(f"its columns seem to be separated by {name}", code="other-separator", hint=hint)


def _arrow(data: Any) -> pl.DataFrame:
    """A file has its table at the end, and begins with a mark; a stream has neither."""
    whole = not isinstance(data, Path | BytesIO) or _start_of(data).startswith(b"ARROW1")
    return pl.read_ipc(data) if whole else pl.read_ipc_stream(data)


#: Reader of each format. All rows decide the types of text formats: a column whose first thousand entries look whole may not
#: be. Polars unpacks compressed text by itself.
_READERS: dict[str, Callable[[Any], pl.DataFrame]] = {
    "csv": lambda data: _csv(data, ","),
    "tsv": lambda data: _csv(data, "\t"),
    "parquet": lambda data: pl.read_parquet(data, glob=False),
    "ndjson": lambda data: pl.read_ndjson(data, infer_schema_length=None),
    "arrow": _arrow,
}
_TEXT = ("csv", "tsv", "ndjson")
_FORMAT_OF_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
}
_COMPRESSED = (".gz", ".zst")
#: First bytes of the binary formats, and of a line of NDJSON.
_MAGIC = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "arrow", b"{": "ndjson"}
#: Schemes of URLs that Polars reads by itself; others are read through fsspec, where it is installed.
_NATIVE = ("file", "http", "https", "s3", "gs", "gcs", "az", "adl", "abfs", "abfss", "hf")
#: Byte order marks of UTF-16.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
#: Bytes that are looked at before a file is read.
_START = 65_536
_SAY = Phrase("sf.read_file(path, format=…)", "--input-format …")
#: Words that trackers and spreadsheets write for a missing value.
_MISSING = ["", "NA", "N/A", "null", "None"]


def is_file_like(source: Any) -> bool:
    """Whether `read_file` takes it."""
    return isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(source, "read")


def read_file(source: Any, format: str | None = None) -> pl.DataFrame:
    """The rows of a path, URL, open file or bytes.

    The format is the one given, else that of the suffix; for buffers and pipes that of their first bytes, CSV where they
    say nothing. Raises DataError: `unreadable-file`, `empty-file`, `unknown-format`; SettingsError, `unknown-format`.

    >>> import scalefast as sf
    >>> sf.read_file(b"n_params,loss\\n1e9,2.3\\n").columns
    ['n_params', 'loss']
    """
    if format is not None and format not in _READERS:
        hint = did_you_mean(str(format), _READERS, "formats")
        message = f"format must be one of {listing(_READERS)}; got {format!r:.60}"
        raise SettingsError(message, code="unknown-format", argument="format", hint=hint)
    if isinstance(source, bytes | bytearray | memoryview):
        return _read_content(bytes(source), "the buffer", format)
    if hasattr(source, "read"):
        return _read_buffer(source, format)
    text = os.fspath(source)
    text = os.fsdecode(text) if isinstance(text, bytes) else text
    return _read_url(text, format) if "://" in text else _read_path(Path(text).expanduser(), text, format)


def first_line(error: BaseException) -> str:
    """What an error of another library says, in one line."""
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def _read_path(path: Path, text: str, format: str | None) -> pl.DataFrame:
    label = f"`{text}`"
    if path.is_dir():
        raise DataError(f"{label} is a directory", code="unreadable-file", hint="name a file in it")
    try:
        if path.exists() and not path.is_file():
            return _read_content(path.read_bytes(), label, format)
        chosen = format or _format_of(text)
        empty = path.stat().st_size == 0
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"{label} cannot be read: {reason}", code="unreadable-file") from error
    # Polars would take `*` and `[` in a name for a pattern of many files.
    return _read(path if not set("*?[") & set(text) else BytesIO(path.read_bytes()), label, chosen, empty)


def _read_url(url: str, format: str | None) -> pl.DataFrame:
    scheme, _, rest = url.partition("://")
    chosen = format or _format_of(rest.partition("?")[0])
    if scheme.lower() in _NATIVE:
        return _read(url, f"`{url}`", chosen)
    try:
        fsspec = import_module("fsspec")
    except ImportError as error:
        hint = "install fsspec, which reads other places"
        raise DataError(f"`{scheme}://` is not read by Polars", code="unknown-format", hint=hint) from error
    try:
        with fsspec.open(url, "rb") as file:
            content = file.read()
    except (OSError, ValueError, ImportError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else first_line(error)
        raise DataError(f"`{url}` cannot be read: {reason}", code="unreadable-file") from error
    return _read(BytesIO(content), f"`{url}`", chosen, not content)


def _read_buffer(buffer: Any, format: str | None) -> pl.DataFrame:
    name = getattr(buffer, "name", None)
    label = "the buffer" if not isinstance(name, str) else name.strip("<>") if name[:1] == "<" else f"`{name}`"
    try:
        content = buffer.read()
    except (OSError, ValueError) as error:
        raise DataError(f"{label} cannot be read: {first_line(error)}", code="unreadable-file") from error
    content = content.encode() if isinstance(content, str) else content
    if not isinstance(content, bytes):
        raise DataError("the buffer holds neither bytes nor text", code="unknown-frame")
    by_name = _FORMAT_OF_SUFFIX.get(_suffix(name)) if isinstance(name, str) else None
    return _read_content(content, label, format or by_name)


def _read_content(content: bytes, label: str, format: str | None) -> pl.DataFrame:
    by_start = next((kind for start, kind in _MAGIC.items() if content.lstrip().startswith(start)), "csv")
    return _read(BytesIO(content), label, format or by_start, not content)


def _suffix(name: str) -> str:
    path = Path(name)
    return (Path(path.stem) if path.suffix.lower() in _COMPRESSED else path).suffix.lower()


def _format_of(name: str) -> str:
    suffix = _suffix(name)
    if suffix not in _FORMAT_OF_SUFFIX:
        near = did_you_mean(suffix, _FORMAT_OF_SUFFIX, "suffixes") if suffix else "a name without suffix says nothing"
        joint = " Or say what it is: " if near[-1] == "?" else "; say which: "
        hint = Advice(near, joint, _SAY)
        raise DataError(f"`{name}`: the suffix names no format", code="unknown-format", hint=hint)
    return _FORMAT_OF_SUFFIX[suffix]


def _start_of(place: Path | BytesIO) -> bytes:
    """The first bytes, more than any header needs."""
    if isinstance(place, BytesIO):
        return place.getvalue()[:_START]
    with place.open("rb") as file:
        return file.read(_START)


def _read(source: Any, label: str, format: str, empty: bool = False) -> pl.DataFrame:
    """What the reader of a format makes of a source; whatever it cannot read is a DataError."""
    hint = "a header and rows are expected"
    if empty:
        raise DataError(f"{label} is empty", code="empty-file", hint=hint)
    try:
        frame = _READERS[format](source)
    except DataError as error:
        error.message = f"{label}: {error.message}"
        raise
    except pl.exceptions.NoDataError as error:
        raise DataError(f"{label} is empty", code="empty-file", hint=hint) from error
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else first_line(error)
        raise DataError(
            f"{label} cannot be read as {format}: {reason}",
            code="unreadable-file",
            hint=Advice(
                "the file may be cut short, have rows of unequal length, or be of another format; say which: ", _SAY
            ),
        ) from error
    return _numeric_text(frame) if format in _TEXT else frame


def _numeric_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Text columns of which every value is a number, `nan`, `inf` or a word for missing, as floats."""
    converted = []
    for name in (name for name, dtype in frame.schema.items() if dtype == pl.String):
        text = frame[name].str.strip_chars()
        text = text.set(text.is_in(_MISSING), None)
        numbers = text.cast(pl.Float64, strict=False)
        if len(numbers) > numbers.null_count() == text.null_count():
            converted.append(numbers)
    return frame.with_columns(converted)
