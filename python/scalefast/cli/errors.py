"""How a failed run is shown.

In: an exception. Out: one message on stderr, text or (under `--format json|ndjson`) a JSON object.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click

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


#: Arguments of the library that begin a message (`bounds: …`), and the options that they are on the command line.
OPTIONS = {
    **{
        name: name for name in ("given", "y", "level", "threads", "by", "where", "resample", "cluster", "strata", "run")
    },
    **{
        name: name
        for name in (
            "budget",
            "checkpoints",
            "seed",
            "accelerators",
            "days",
            "mfu",
            "goodput",
            "price",
            "pue",
            "weights",
        )
    },
    "bounds": "bound",
    "columns": "col",
    "fixed": "fix",
    "starts": "start",
    "tied": "tie",
    "units": "unit",
    "final_run_share": "final-run-share",
    "served_tokens": "served-tokens",
    "serving_mfu": "serving-mfu",
    "serving_price": "serving-price",
    "unique_tokens": "unique-tokens",
}
#: What else of the library's words is written otherwise on the command line.
SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r'columns=\{"([^"]+)": (?:"([^"]*)"|(…))\}'), r"--col \1=\2\3"),
    (re.compile(r'\b(cost|y)="([^"]*)"'), r"--\1 '\2'"),
    (re.compile(r"\by=…"), "--y …"),
    (re.compile(r"where=, or drop_invalid=True \(--where, --drop-invalid\)"), "--where, or --drop-invalid"),
    (re.compile(r"declare others with variables= or bind them with columns="), "bind others with --col NAME=COLUMN"),
    (re.compile(r"\bgive starts and bounds$"), "give `--start` and `--bound`"),
    (re.compile(r'sf\.read_file\(path, "(\w+)"\)'), r"--input-format \1"),
    (re.compile(r"sf\.read_file\(path, format=…\)"), "--input-format …"),
    (re.compile(r"^where= "), "--where "),
    (re.compile(r"with sf\.fit, or give parameters= to sf\.law"), "first: scalefast fit RUNS --law … -o law.parquet"),
    (re.compile(r"fit it to runs with sf\.fit"), "fit it to runs: scalefast fit RUNS --law … -o law.parquet"),
    (re.compile(r"^`where` leaves"), "--where leaves"),
    (re.compile(r"\blevel=0\.9\b"), "--level 0.9"),
    (re.compile(rf"^({'|'.join(OPTIONS)}): "), lambda found: f"--{OPTIONS[found[1]]}: "),
    (re.compile(r"\bbudget=1e24\b"), "--budget 1e24"),
    (re.compile(r"overwrite=True \(--force\)"), "--force"),
    (re.compile(r'\brun="column"'), "--run COLUMN"),
    (re.compile(r"\brun= "), "--run "),
    (re.compile(r"\bcheckpoints=[\"'](final|all)[\"']"), r"--checkpoints \1"),
    (re.compile(r"\bresample=sf\.Bootstrap\((\d+)\)"), r"--resample \1"),
    (re.compile(r"\bkind='(wild)'"), r"--resample \1:1000"),
)


def respelt(text: str) -> str:
    """A message of the library in the words of the command line."""
    for pattern, option in SPELLINGS:
        text = pattern.sub(option, text)
    return text


def show(error: Exception, as_json: bool) -> None:
    """Write the error to stderr."""
    if as_json:
        # In ASCII it is one line of JSON whatever the terminal's encoding and the characters of the data.
        lines = [json.dumps({"error": record(error)}, default=str)]
    else:
        lines = [f"error: {respelt(full_text(error))}"]
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
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def record(error: Exception) -> dict[str, Any]:
    """An error as plain data: code, message, hint and the numbers that it carries."""
    fallback = "usage" if isinstance(error, click.ClickException) else "unreadable-file"
    fields: dict[str, Any] = {
        "code": getattr(error, "code", fallback),
        "message": getattr(error, "message", None) or full_text(error),
    }
    for name in ("hint", "row", "column", "value", "limit", "text", "span"):
        value = getattr(error, name, None)
        if value is not None:
            fields[name] = value
    return {
        name: respelt(value) if isinstance(value, str) and name != "text" else value for name, value in fields.items()
    }
