"""How a failed run is shown.

In: an exception. Out: one message on stderr, text or (under `--format json|ndjson`) a JSON object.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable
from typing import Any

import click

from scalefast import ScalefastError

from .exits import CHECK_FAILED


class CheckFailed(click.ClickException):
    """The command ran, but a check that was asked for did not hold."""

    exit_code = CHECK_FAILED
    code = "check-failed"


def hint_for(name: str, known: Iterable[str], what: str) -> str:
    """The known names nearest to a misspelt one, or all of a few."""
    options = list(known)
    near = difflib.get_close_matches(name, options, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(f'`{option}`' for option in near)}?"
    if len(options) > 12:
        return f"none of the {len(options)} {what} is like it"
    return f"the {what} are {', '.join(f'`{option}`' for option in options)}"


def quoted(text: str) -> str:
    """The text in backquotes, cut short so that an error stays readable."""
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


#: Arguments of the library that have another name as options.
OPTIONS = {
    "bounds": "bound",
    "columns": "col",
    "fixed": "fix",
    "format": "input-format",
    "overwrite": "force",
    "starts": "start",
    "tied": "tie",
    "timeout_s": "timeout",
    "units": "unit",
}


def option_of(argument: str) -> str:
    """The option of an argument of the library; what is an option already, or a symbol such as N, stays."""
    if argument.startswith("--") or not argument.islower():
        return argument
    return f"--{OPTIONS.get(argument, argument).replace('_', '-')}"


def show(error: Exception, as_json: bool) -> None:
    """Write the error to stderr."""
    if as_json:
        # In ASCII it is one line of JSON whatever the terminal's encoding and the characters of the data.
        lines = [json.dumps({"error": record(error)}, default=str)]
    else:
        lines = [f"error: {full_text(error)}"]
        if isinstance(error, click.UsageError) and error.ctx is not None:
            lines += help_of_missing(error)
            lines.append(f"hint: see `{error.ctx.command_path} --help`")
    sys.stderr.write("\n".join(lines) + "\n")


def help_of_missing(error: click.UsageError) -> list[str]:
    """What the option is for that should have been given."""
    missing = error.param if isinstance(error, click.MissingParameter) else None
    return [f"hint: {missing.opts[0]}: {missing.help}"] if isinstance(missing, click.Option) and missing.help else []


def full_text(error: Exception) -> str:
    """The message with its caret and hint, where it has them."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, ScalefastError):
        return error.shown(*error.typed(option_of))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def record(error: Exception) -> dict[str, Any]:
    """An error as plain data: code, message, hint and the numbers that it carries."""
    fallback = "usage" if isinstance(error, click.ClickException) else "unreadable-file"
    message, hint = error.typed(option_of) if isinstance(error, ScalefastError) else (full_text(error), None)
    argument = getattr(error, "argument", None)
    fields: dict[str, Any] = {
        "code": getattr(error, "code", fallback),
        "message": message,
        "hint": hint,
        "argument": argument and option_of(argument),
        **{name: getattr(error, name, None) for name in ("row", "column", "value", "limit", "text", "span")},
    }
    return {name: value for name, value in fields.items() if value is not None}
