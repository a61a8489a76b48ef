"""The shipped laws: one TOML file a form, found by id.

Stage: before any formula is parsed. In: an id. Out: the form and, where the id names one, the published set. Ids are
`chinchilla` (a form), `hoffmann-2022` (a set), or `kaplan-n/kaplan-2020` where a set has the same id in several forms.
Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scalefast._errors import LawError
from scalefast._lawfile import LawFile, Published, parse_law_file

__all__ = ["Entry", "entries", "find", "folder", "known_ids"]


@dataclass(frozen=True)
class Entry:
    """A form (`published` is None) or one published set of it; `folder` is where its draws lie."""

    id: str
    form: LawFile
    published: Published | None
    folder: Path


def folder() -> Path:
    """The folder of the shipped law files."""
    return Path(__file__).with_name("catalogue")


@cache
def entries() -> tuple[Entry, ...]:
    """Every shipped form, each followed by its published sets, in the order of the file names."""
    files = [parse_law_file(path.read_text(encoding="utf-8"), path.name) for path in sorted(folder().glob("*.toml"))]
    count: dict[str, int] = {}
    for form in files:
        for published in form.published:
            count[published.id] = count.get(published.id, 0) + 1
    found = []
    for form in files:
        found.append(Entry(form.id, form, None, folder()))
        for published in form.published:
            unique = published.id if count[published.id] == 1 else f"{form.id}/{published.id}"
            found.append(Entry(unique, form, published, folder()))
    return tuple(found)


def known_ids() -> list[str]:
    """Every id that `find` takes, without the longer spellings."""
    return [entry.id for entry in entries()]


def find(identifier: str) -> Entry | None:
    """The entry called `identifier`, or None. Raises LawError, `ambiguous-law`, for a set of several forms."""
    shared = []
    for entry in entries():
        if entry.published is None:
            if identifier == entry.id:
                return entry
        elif identifier in (entry.id, f"{entry.form.id}/{entry.published.id}"):
            return entry
        elif identifier == entry.published.id:
            shared.append(entry.id)
    if shared:
        raise LawError(
            f"`{identifier}` gives numbers for {len(shared)} forms",
            code="ambiguous-law",
            hint="name the form too: " + ", ".join(f"`{name}`" for name in shared),
        )
    return None
