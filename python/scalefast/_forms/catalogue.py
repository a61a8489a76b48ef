"""The shipped laws: one TOML file a form, found by id.

Stage: before any formula is parsed. In: an id. Out: the form and, where the id names one, the published set. Ids are
`chinchilla` (a form), `hoffmann-2022` (a set), or `kaplan-n/kaplan-2020` where a set has the same id in several forms.
Standard library only.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scalefast._base.errors import LawError
from scalefast._forms.form import LawFile, Published
from scalefast._forms.read import parse_law_file

__all__ = ["Entry", "entries", "find", "folder", "known_ids"]


#: The line of a shipped file that names its form or one of its sets.
_ID = re.compile(r'^id = "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """A form (`published` is None) or one published set of it; `folder` is where its draws lie."""

    id: str
    form: LawFile
    published: Published | None
    folder: Path


def folder() -> Path:
    """The folder of the shipped law files."""
    return Path(__file__).parents[1] / "catalogue"


@cache
def entries() -> tuple[Entry, ...]:
    """Every shipped form, each followed by its published sets, in the order of the file names."""
    return tuple(entry for name in _index() for entry in _of_file(name))


@cache
def _index() -> dict[str, list[str]]:
    """The ids in each file, the form's first, read off the lines that give them: a file is parsed when it is needed."""
    return {path.name: _ID.findall(path.read_text(encoding="utf-8")) for path in sorted(folder().glob("*.toml"))}


@cache
def _of_file(name: str) -> tuple[Entry, ...]:
    """The form of a file, then its published sets."""
    form = parse_law_file((folder() / name).read_text(encoding="utf-8"), name)
    shared = Counter(identifier for _, *sets in _index().values() for identifier in sets)
    found = [Entry(form.id, form, None, folder())]
    for published in form.published:
        unique = published.id if shared[published.id] == 1 else f"{form.id}/{published.id}"
        found.append(Entry(unique, form, published, folder()))
    return tuple(found)


def known_ids() -> list[str]:
    """Every id that `find` takes, without the longer spellings."""
    return [entry.id for entry in entries()]


def find(identifier: str) -> Entry | None:
    """The entry called `identifier`, or None. Raises LawError, `ambiguous-law`, for a set of several forms."""
    asked_form, _, asked_set = identifier.rpartition("/")
    shared = []
    for name, (form, *sets) in _index().items():
        if identifier != form and (asked_set not in sets or asked_form not in ("", form)):
            continue
        for entry in _of_file(name):
            if identifier == entry.id or (entry.published and identifier == f"{form}/{entry.published.id}"):
                return entry
            if entry.published and identifier == entry.published.id:
                shared.append(entry.id)
    if shared:
        raise LawError(
            f"`{identifier}` gives numbers for {len(shared)} forms",
            code="ambiguous-law",
            hint="name the form too: " + ", ".join(f"`{name}`" for name in shared),
        )
    return None
