"""Law files written: the inverse of `parse_law_file`.

Stage: after a fit, when it is saved. In: a `LawFile`. Out: the TOML text from which the same value is read again, every
number with all its digits. Standard library only.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scalefast._forms.form import SCHEMA, LawFile, Recipe

__all__ = ["law_text"]


def law_text(law: LawFile) -> str:
    """The law as a file of the catalogue's format. Only what differs from the format's defaults is written."""
    fields: dict[str, Any] = {"schema": SCHEMA, "id": law.id, "title": law.title}
    if list(law.outputs) == ["L"]:
        fields["formula"] = law.outputs["L"]
    else:
        fields["outputs"] = {name: _output(law, name) for name in law.outputs}
    if law.cost is not None:
        fields["cost"] = law.cost
    if law.definitions:
        fields["definitions"] = dict(law.definitions)
    fields["variables"] = {name: _fields(entry, "unit") for name, entry in law.variables.items()}
    fields["parameters"] = {name: _fields(entry) for name, entry in law.parameters.items()}
    if law.recipe is not None:
        fields["fit"] = _recipe(law.recipe)
    if law.source is not None:
        fields["source"] = _fields(law.source)
    if law.published:
        fields["published"] = [_fields(entry) for entry in law.published]
    return "\n".join(_lines(fields, "")).lstrip("\n") + "\n"


def _output(law: LawFile, name: str) -> str | dict[str, Any]:
    """The formula, with unit and meaning where the file tells them."""
    meaning = law.meanings.get(name)
    return {"formula": law.outputs[name], **_fields(meaning, "unit")} if meaning else law.outputs[name]


def _fields(value: Any, *always: str) -> dict[str, Any]:
    """Fields of a dataclass that differ from their defaults, nested ones likewise; `always` names others to keep."""
    found = {}
    for entry in dataclasses.fields(value):
        content = getattr(value, entry.name)
        empty = content is None or content == entry.default or content in ({}, ())
        # `inferred` is about a typed formula; a file declares its parameters.
        if entry.name != "inferred" and (not empty or entry.name in always):
            found[entry.name] = _plain(content)
    return found


def _plain(content: Any) -> Any:
    if dataclasses.is_dataclass(content):
        return _fields(content)
    if isinstance(content, Mapping):
        return {name: _plain(entry) for name, entry in content.items()}
    return [_plain(entry) for entry in content] if isinstance(content, tuple) else content


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return {"residual": recipe.residual, "loss": recipe.loss.name, **dataclasses.asdict(recipe.loss)}


def _lines(fields: Mapping[str, Any], path: str) -> Iterator[str]:
    """The plain fields of a table, then its tables below headings; tables of plain values inside one stay on a line."""
    headed = {name for name, entry in fields.items() if not path and isinstance(entry, dict | list)}
    for name, entry in fields.items():
        if name not in headed:
            yield f"{_key(name)} = {_value(entry)}"
    for name in (name for name in fields if name in headed):
        entries = fields[name] if isinstance(fields[name], list) else [fields[name]]
        for entry in entries:
            yield f"\n[[{name}]]" if isinstance(fields[name], list) else f"\n[{name}]"
            yield from _lines(entry, name)


def _value(entry: Any) -> str:
    if isinstance(entry, bool):
        return "true" if entry else "false"
    if isinstance(entry, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped too.
        return json.dumps(entry, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(entry, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(item)}" for name, item in entry.items()) + " }"
    if isinstance(entry, list):
        return "[" + ", ".join(_value(item) for item in entry) + "]"
    return repr(entry)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
