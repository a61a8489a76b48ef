"""Reads what is typed after an option: bindings, bounds, fixed and tied parameters, losses, budgets.

In: the option's text. Out: plain values (floats, tuples, strings) that a command passes to the library.
Nothing here imports NumPy, Polars or the compiled core.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

import click
from click.shell_completion import CompletionItem

from scalefast import Loss, SettingsError, units

from . import output
from .errors import hint_for, quoted

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FORMATS = ("table", "csv", "json", "ndjson", "parquet")
INPUT_FORMATS = ("csv", "tsv", "parquet", "ndjson", "arrow")


class Reader(click.ParamType[Any]):
    """A click type made of one function from (text, option) to value, which raises SettingsError."""

    def __init__(self, name: str, read: Callable[[str, str], Any]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the option's text."""
        option = param.opts[0] if isinstance(param, click.Option) else self.name
        try:
            return self.read(value, option) if isinstance(value, str) else value
        except SettingsError as error:
            error.argument = error.argument or option
            raise


#: What options of the form NAME=VALUE look like.
ASSIGNMENTS = {
    "--col": "N=n_params",
    "--unit": "N=millions",
    "--tie": "beta=alpha",
    "--bound": "alpha=0..1",
    "--start": "alpha=0.1,0.5",
    "--range": "N=1e8..1e10",
    "--at": "N=70B",
    "--given": "U=25B",
}


def example_of(what: str) -> str:
    """What may be typed for an option, or for an argument that is not an option."""
    return f"{what} {ASSIGNMENTS.get(what, 'E=1.69')}" if what.startswith("--") else "N=70B"


def read_assignment(text: str, what: str) -> tuple[str, str]:
    """`NAME=TEXT`, split at the first equals sign."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not value or not NAME.fullmatch(name):
        raise SettingsError(
            f"{what}: {quoted(text)} is not of the form NAME=VALUE",
            code="bad-assignment",
            hint=f"such as {example_of(what)}; a name is made of letters, digits and _",
        )
    return name, value


def read_fixed(text: str, what: str) -> tuple[str, float]:
    """`E=1.69`."""
    name, value = read_assignment(text, what)
    return name, units.read_number(value, what)


def read_bound(text: str, what: str) -> tuple[str, tuple[float, float]]:
    """`alpha=0..1`; either end may be left open."""
    name, value = read_assignment(text, what)
    low_text, dots, high_text = value.partition("..")
    low = units.read_number(low_text, what) if low_text.strip() else -math.inf
    high = units.read_number(high_text, what) if high_text.strip() else math.inf
    if not dots or low >= high:
        raise SettingsError(
            f"{what}: {quoted(value)} is not a range from low to high",
            code="bad-range",
            hint=f"write {name}=0..1, {name}=0.. or {name}=..1",
        )
    return name, (low, high)


def read_given(text: str, what: str) -> tuple[str, float | str]:
    """`U=25B`, a number, or `N_total=8*N`, a formula."""
    name, value = read_assignment(text, what)
    try:
        return name, units.read_number(value, what)
    except SettingsError:
        if value[0].isdigit() and not set(value) & set("+-*/( "):
            raise
        return name, value


def read_values(text: str, what: str) -> tuple[str, list[float]]:
    """`N=70B` or `N=1e8..1e10:5`."""
    name, value = read_assignment(text, what)
    return name, units.read_grid(value, what)


def read_starts(text: str, what: str) -> tuple[str, list[float]]:
    """`alpha=0,0.5,1`."""
    name, value = read_assignment(text, what)
    return name, [units.read_number(part, what) for part in value.split(",")]


def read_quantiles(text: str, what: str) -> tuple[float, ...]:
    """Comma-separated quantiles, ascending, each between 0 and 1."""
    values = tuple(units.read_number(part, what) for part in text.split(","))
    if any(not 0.0 < value < 1.0 for value in values) or list(values) != sorted(set(values)):
        raise SettingsError(
            f"{what}: {quoted(text)} is not a rising list of numbers between 0 and 1",
            code="bad-quantiles",
            hint="for example 0.05,0.5,0.95",
        )
    return values


def read_pair(text: str, what: str) -> tuple[str, str]:
    """Two symbols: `M,D`."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(NAME.fullmatch(name) for name in names):
        raise SettingsError(f"{what}: {quoted(text)} is not two symbols", code="bad-optimise", hint="for example N,D")
    return names[0], names[1]


def losses() -> dict[str, type[Loss]]:
    """The library's losses by their names."""
    return {kind.name: kind for kind in get_args(Loss)}


def read_loss(text: str, what: str) -> Loss:
    """A loss and its constants: `squared`, `huber:1e-3`, `huber:auto`, `pinball:0.5,0.01`."""
    name, colon, rest = text.strip().partition(":")
    name, known = name.lower().replace("_", "-"), losses()
    if name not in known:
        raise SettingsError(
            f"{what}: unknown loss {quoted(name)}", code="unknown-loss", hint=hint_for(name, known, "losses")
        )
    wanted = [field.name.upper() for field in dataclasses.fields(known[name])]
    given = rest.split(",") if colon else []
    if len(given) != len(wanted):
        form = f"{name}:{','.join(wanted)}" if wanted else name
        raise SettingsError(f"{what}: {quoted(text)} is not of the form {form}", code="bad-loss", hint=f"write {form}")
    constants = ["auto" if part.strip() == "auto" else units.read_positive(part, what) for part in given]
    build: Callable[..., Loss] = known[name]
    return build(*constants)


NUMBER = Reader("NUMBER", units.read_number)
POSITIVE = Reader("NUMBER", units.read_positive)
BINDING = Reader("NAME=COLUMN", read_assignment)
UNIT = Reader("NAME=UNIT", read_assignment)
TIE = Reader("NAME=FORMULA", read_assignment)
FIXED = Reader("NAME=NUMBER", read_fixed)
BOUND = Reader("NAME=LOW..HIGH", read_bound)
GIVEN = Reader("NAME=NUMBER|FORMULA", read_given)
VALUES = Reader("NAME=NUMBER", read_values)
GRID = Reader("FLOPS", units.read_grid)
BUDGET = Reader("FLOPS", units.read_budget)
DOLLARS = Reader("DOLLARS", units.read_dollars)
ENERGY = Reader("ENERGY", units.read_energy)
WEIGHTS = Reader("W,W,...", lambda text, what: [units.read_number(part, what) for part in text.split(",")])
STARTS = Reader("NAME=NUMBER,...", read_starts)
QUANTILES = Reader("Q,Q,...", read_quantiles)
PAIR = Reader("SYMBOL,SYMBOL", read_pair)
LOSS = Reader("LOSS", read_loss)


def complete_law(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of laws that start as what is typed, and files."""
    import scalefast as sf

    found = [CompletionItem(name) for name in sf.laws()["id"] if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def unique(pairs: Sequence[tuple[str, Any]], option: str) -> dict[str, Any]:
    """Repeated `NAME=...` options as a dict; the same name twice is an error."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise SettingsError(f"{option} gives `{name}` twice", code="repeated-name", hint="keep one of them")
        values[name] = value
    return values


def examples(*lines: str) -> str:
    """The end of a command's help: examples that run as they stand, one per line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format`, `-o/--output`, `--force` and `--quiet`; the command receives them as one `to: Destination`."""

    @functools.wraps(command)
    def with_destination(
        *args: Any, format_: str | None, output_file: str | None, force: bool, quiet: bool, **kwargs: Any
    ) -> Any:
        return command(*args, to=output.destination(format_, output_file, force, quiet), **kwargs)

    decorated: Callable[..., Any] = with_destination
    for add in (
        click.option("-q", "--quiet", is_flag=True, help="No notes on stderr; warnings and errors remain."),
        click.option("--force", is_flag=True, help="Overwrite existing files."),
        click.option(
            "-o",
            "--output",
            "output_file",
            metavar="FILE",
            help="Write here, in the format of the suffix (.csv .json .ndjson .parquet .arrow); - is stdout.",
        ),
        format_option,
    ):
        decorated = add(decorated)
    return decorated


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format` of what goes to stdout or the output file."""
    return click.option(
        "--format", "format_", type=click.Choice(FORMATS), help="Default: a table on a terminal, CSV in a pipe."
    )(command)


def accelerators_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--accelerators-file`, a table of the user's."""
    return click.option(
        "--accelerators-file",
        metavar="FILE",
        shell_complete=lambda _context, _parameter, incomplete: [CompletionItem(incomplete, type="file")],
        help="A table of accelerators (TOML) that replaces and adds to the shipped one.",
    )(command)


def progress_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--progress/--no-progress`; the command receives `progress`, False under `--quiet` unless it is asked for."""

    @functools.wraps(command)
    def with_progress(*args: Any, progress: bool | None, **kwargs: Any) -> Any:
        if progress is None and click.get_current_context().params.get("quiet"):
            progress = False
        return command(*args, progress=progress, **kwargs)

    return click.option(
        "--progress/--no-progress",
        default=None,
        help="Show on stderr how far the work is, once it takes a second. Default: where stderr is a terminal.",
    )(with_progress)


def input_format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--input-format`, for stdin and for names whose suffix does not tell."""
    return click.option(
        "--input-format", type=click.Choice(INPUT_FORMATS), help="Default: by suffix; of pipes by the first bytes."
    )(command)
