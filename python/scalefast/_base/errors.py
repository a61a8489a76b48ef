"""Errors that a user can act on.

Stage: every stage raises these. In: a message, a stable kebab-case code, the argument and the numbers that it is
about and a hint that says what to do. Out: text for people, attributes for programs. Standard library only.

A message about an argument opens with its plain name (`threads must be …`), and the hint is `Advice` where it speaks of
arguments: the face that shows the error spells both, the command line as options.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scalefast._base.wording import Advice

__all__ = ["DataError", "FormulaError", "LawError", "ScalefastError", "SettingsError", "UnitsError", "about"]

#: Characters of the offending line that are shown around a caret.
_WINDOW = 100


class ScalefastError(Exception):
    """Base of all errors that scalefast raises on purpose.

    Attributes
    ----------
    code: stable kebab-case name of the error.
    message: one sentence, without the hint.
    hint: what to do about it, or None.
    argument: name of the argument that it is about, such as `accelerators`, or None.
    row: 0-based row of the data that it is about, or None.
    column: name of the column that it is about, or None.
    value, limit: the number found and the number that it was held against, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str | None = None,
        argument: str | None = None,
        row: int | None = None,
        column: str | None = None,
        value: float | None = None,
        limit: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.argument = argument
        self.row = row
        self.column = column
        self.value = value
        self.limit = limit

    def __str__(self) -> str:
        return self.shown(self.message, self.hint)

    def typed(self, option_of: Callable[[str], str]) -> tuple[str, str | None]:
        """Message and hint for a command line, where `option_of` gives the option of an argument of the library."""
        message, argument = self.message, self.argument
        if argument is not None and re.match(rf"{re.escape(argument)}\b", message):
            message = option_of(argument) + message[len(argument) :]
        return message, self.hint.typed(option_of) if isinstance(self.hint, Advice) else self.hint

    def shown(self, message: str, hint: str | None) -> str:
        """The whole text with the message and the hint as a face spells them."""
        return message if hint is None else f"{message}\nhint: {hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        # The constructor takes keywords only, which the default protocol of exceptions cannot replay.
        return (_restore, (type(self), self.message, dict(self.__dict__)))


class FormulaError(ScalefastError):
    """A formula that cannot be read.

    Attributes
    ----------
    text: the formula, or None.
    span: the byte range of `text` that is at fault, or None.
    """

    def __init__(
        self, message: str, *, code: str, text: str | None = None, span: tuple[int, int] | None = None, **details: Any
    ) -> None:
        super().__init__(message, code=code, **details)
        self.text = text
        self.span = span

    def shown(self, message: str, hint: str | None) -> str:
        """The whole text: the message, the place in the formula, the hint."""
        lines = [message]
        if self.text is not None and self.span is not None:
            lines += _caret(self.text, self.span)
        if hint is not None:
            lines.append(f"hint: {hint}")
        return "\n".join(lines)


class LawError(ScalefastError):
    """A law that is unknown, ambiguous, badly written or unfit for what is asked of it."""


class DataError(ScalefastError):
    """Data that cannot be read, bound or used."""


class SettingsError(ScalefastError):
    """A setting, argument or number that makes no sense."""


class UnitsError(ScalefastError):
    """Numbers that seem to be in other units than stated."""


@contextmanager
def about(argument: str) -> Iterator[None]:
    """Errors raised inside are about this argument, unless they name one themselves."""
    try:
        yield
    except ScalefastError as error:
        if error.argument is None:
            error.argument = argument
        raise


def _restore(kind: type[ScalefastError], message: str, state: dict[str, Any]) -> ScalefastError:
    error = kind(message, code=state["code"])
    error.__dict__.update(state)
    return error


def _caret(text: str, span: tuple[int, int]) -> list[str]:
    """The line of `text` that holds the byte range `span`, and a line of carets under it."""
    raw = text.encode()
    begin = len(raw[: span[0]].decode(errors="ignore"))
    end = len(raw[: span[1]].decode(errors="ignore"))
    line_begin = text.rfind("\n", 0, begin) + 1
    line_end = text.find("\n", begin)
    line = text[line_begin : line_end if line_end >= 0 else len(text)]
    begin, end = begin - line_begin, min(max(end - line_begin, begin - line_begin + 1), len(line) + 1)
    left = max(0, begin - _WINDOW // 2)
    right = min(len(line), left + _WINDOW)
    head = "…" if left > 0 else ""
    tail = "…" if right < len(line) else ""
    shown = f"  {head}{line[left:right]}{tail}"
    carets = " " * (2 + len(head) + begin - left) + "^" * max(1, min(end, right + 1) - begin)
    return [shown, carets]
