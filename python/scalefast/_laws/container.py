"""The Parquet file that holds a fitted law: one row per draw, and the law as text in its metadata.

Stage: under saved fits, and where a law is read from such a file. In: a path. Out: the JSON text under the key `scalefast` of
the metadata, the draws, the law. No time stamps: the same fit gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import polars as pl

from scalefast._base.atomic import written_whole
from scalefast._base.errors import LawError
from scalefast._base.version import check_version
from scalefast._forms.form import LawFile
from scalefast._forms.read import parse_law_file

__all__ = ["content_of", "load_law", "read_container", "write_container"]

#: Key of the file's metadata under which scalefast keeps its own, as JSON.
_KEY = "scalefast"
#: First and last bytes of every Parquet file.
_MAGIC = b"PAR1"
#: Bytes of the shortest Parquet file: both ends and the length of the footer.
_LEAST = 12


def load_law(path: Path) -> LawFile:
    """The law in a Parquet file; where the file has draws, its set names the file as their source."""
    text, _ = read_container(path)
    content = content_of(text, path.name)
    form = parse_law_file(content["law"], path.name)
    if not content["estimate"].get("draws_describe_law"):
        return form
    return dataclasses.replace(form, published=tuple(dataclasses.replace(p, draws=path.name) for p in form.published))


def write_container(draws: pl.DataFrame, text: str, path: Path) -> None:
    """Writes the draws with the text in the metadata."""
    with written_whole(path) as temporary:
        draws.write_parquet(temporary, metadata={_KEY: text})


def read_container(path: Path) -> tuple[str, pl.DataFrame]:
    """The JSON text in the metadata, and the rows."""
    name = path.name
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
            size = file.seek(0, 2)
            file.seek(-min(len(_MAGIC), size), 2)
            end = file.read()
    except OSError as error:
        raise LawError(f"law file `{name}` cannot be read: {error.strerror}", code="unreadable-file") from error
    if start != _MAGIC[: len(start)]:
        hint = "sf.law reads law files (.toml); sf.load what fit.save wrote as .parquet"
        raise LawError(f"`{name}` is not a Parquet file", code="foreign-artifact", hint=hint)
    if end != _MAGIC or size < _LEAST:
        raise LawError(f"`{name}` is cut short", code="truncated-artifact", hint="copy it again, or save it again")
    try:
        metadata = pl.read_parquet_metadata(path)
        if _KEY not in metadata:
            hint = "laws are saved by `scalefast fit -o law.parquet` and fit.save(path)"
            raise LawError(f"`{name}` holds no law", code="foreign-artifact", hint=hint)
        return metadata[_KEY], pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise LawError(f"law file `{name}` is damaged: {reason}", code="damaged-artifact") from error


def content_of(text: str, name: str) -> dict[str, Any]:
    """The metadata, checked for their version and for the parts that every version has."""
    try:
        content = json.loads(text)
        version = content["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LawError(f"`{name}`: the law in its metadata is damaged", code="damaged-artifact") from error
    check_version(version, name, "artifact")
    if not all(isinstance(content.get(part), kind) for part, kind in _PARTS.items()):
        raise LawError(f"`{name}`: the law in its metadata is damaged", code="damaged-artifact")
    return dict(content)


_PARTS = {"law": str, "estimate": dict, "manifest": dict}
