"""Advice that speaks of arguments, which each face spells in its own way.

Stage: hints of errors. In: texts and the arguments between them. Out: `Advice`, a text in the words of the library
(`threads=2`) that keeps its parts, so that the command line can spell them (`--threads 2`). Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Advice", "Argument", "Phrase"]


@dataclass(frozen=True)
class Argument:
    """An argument of the library by its name, and an example of its value where one helps.

    >>> Argument("where").in_python, Argument("units", {"N": "millions"}).in_python
    ('where=', 'units={"N": "millions"}')
    """

    name: str
    value: Any = None

    @property
    def in_python(self) -> str:
        """As it is written in a call."""
        return f"{self.name}={'' if self.value is None else _literal(self.value)}"

    def typed(self, option_of: Callable[[str], str]) -> str:
        """As it is typed on a command line.

        >>> Argument("units", {"N": "millions"}).typed(lambda name: "--unit")
        '--unit N=millions'
        """
        option = option_of(self.name)
        if isinstance(self.value, Mapping):
            return " ".join(f"{option} {name}={_word(entry)}" for name, entry in self.value.items())
        return option if self.value in (None, True) else f"{option} {_word(self.value)}"


@dataclass(frozen=True)
class Phrase:
    """Advice that is not one argument: what to write in Python, and what to type on the command line."""

    in_python: str
    on_command_line: str

    def typed(self, option_of: Callable[[str], str]) -> str:
        """As it is typed on a command line."""
        return self.on_command_line


class Advice(str):
    """Texts, arguments and phrases as one text; the text itself is the one of the library.

    >>> Advice("leave rows out with ", Argument("where"))
    'leave rows out with where='
    """

    __slots__ = ("parts",)
    parts: tuple[str | Argument | Phrase, ...]

    def __new__(cls, *parts: str | Argument | Phrase) -> Advice:
        """The text of the parts, one after the other."""
        self = super().__new__(cls, "".join(part if isinstance(part, str) else part.in_python for part in parts))
        self.parts = parts
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.parts

    def typed(self, option_of: Callable[[str], str]) -> str:
        """The text with every argument as an option, whose name `option_of` gives."""
        return "".join(part if isinstance(part, str) else part.typed(option_of) for part in self.parts)


def _plain(value: float) -> str:
    """A number as people write it: 1e24, not 1e+24."""
    return re.sub(r"e\+0*", "e", f"{value:g}")


def _word(value: Any) -> str:
    """The value as one word of a command line."""
    if value is ...:
        return "…"
    if isinstance(value, tuple):
        return "..".join(_plain(end) for end in value)
    text = value if isinstance(value, str) else _plain(value)
    return text if re.fullmatch(r"[\w.:,+-]+", text) else f"'{text}'"


def _literal(value: Any) -> str:
    """The value as Python source, with double quotes."""
    if value is ...:
        return "…"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f'"{name}": {_literal(entry)}' for name, entry in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(_literal(entry) for entry in value) + ")"
    return _plain(value)
