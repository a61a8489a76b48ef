"""What `sweep`, `solve` and `plan` share: the options of a question about the split of compute, and how answers are told.

In: laws and frames of the library. Out: options, notes on what a law rests on, tables for people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from . import options, output

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf


def allocation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--optimise`, `--quantiles`, and those of `law_options`."""
    for add in (
        click.option(
            "--quantiles", type=options.QUANTILES, default="0.05,0.5,0.95", show_default=True, help="Over the draws."
        ),
        click.option(
            "--optimise",
            type=options.PAIR,
            help="The symbols of size and data. Default: N,D. Laws in FLOPs per token take M,D.",
        ),
        law_options,
    ):
        command = add(command)
    return command


def law_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--law`, `--cost`, `--bound`, `--given`, `--draws`, `--timeout`, `--threads`."""
    for add in (
        click.option("--threads", type=click.IntRange(1, 4096), help="Default: the processors at hand."),
        click.option("--timeout", "timeout_s", type=options.POSITIVE, metavar="SECONDS", help="Give up after so long."),
        click.option(
            "--draws", type=click.IntRange(0, 10**9), help="Use the first so many stored draws. Default: all."
        ),
        click.option(
            "--given",
            type=options.GIVEN,
            multiple=True,
            help="A variable that is settled: pinned, such as U=25B unique tokens, or derived, such as D=20*N. Repeatable.",
        ),
        click.option(
            "--bound",
            "--bounds",
            "bounds",
            type=options.BOUND,
            multiple=True,
            help="Limits of a variable to choose, such as N=1e9..1e11 or N=..8B. Repeatable.",
        ),
        click.option(
            "--cost", metavar="FORMULA", help="Training FLOPs as a formula. Default: the law's own, such as 6*N*D."
        ),
        click.option(
            "--law",
            "laws",
            multiple=True,
            shell_complete=options.complete_law,
            help="A law's id (see `scalefast laws`), a law file, or a law saved by `scalefast fit`. Repeatable. "
            "Default: epoch-2024-huber, and the other laws beside it.",
        ),
    ):
        command = add(command)
    return command


def settings(bounds: Any, given: Any, others: dict[str, Any]) -> dict[str, Any]:
    """What was typed, as the library's arguments."""
    found = {name: value for name, value in others.items() if value is not None}
    return {"bounds": options.unique(bounds, "--bound"), "given": options.unique(given, "--given"), **found}


def introduce(law: sf.Law, cost: str | None, to: output.Destination) -> None:
    """Note what a law is and rests on; warn of what it must not be used for."""
    output.note(origin(law, cost), to)
    if law.published is not None and law.published.rounded:
        output.warn(f"{law.id} is made of rounded constants. {law.published.errata}".rstrip())
    caution(law)


def differences(laws: Sequence[sf.Law]) -> list[str]:
    """What keeps the numbers of several laws from being compared: another meaning of N, another corpus."""
    lines = []
    for field, said in (
        ("n_definition", "N is not the same in all laws"),
        ("corpus", "losses of different corpora do not compare"),
    ):
        groups: dict[str, list[str]] = {}
        for law in laws:
            stated = getattr(law.published, field) if law.published is not None else ""
            groups.setdefault(stated or "not stated", []).append(law.id or "law")
        if len(groups) > 1:
            lines.append(f"{said}: " + "; ".join(f"{', '.join(names)}: {stated}" for stated, names in groups.items()))
    return lines


def caution(law: sf.Law) -> None:
    """Warn of what the numbers of a law must not be used for."""
    if law.published is not None and law.published.caution:
        output.warn(f"{law.id}: {law.published.caution}")


def origin(law: sf.Law, cost: str | None) -> str:
    """A law's formula and cost, and the range of the data behind it."""
    ranges = [
        f"{name} {output.human(low, name)} to {output.human(high, name)}"
        for name, (low, high) in law.fitted_range.items()
    ]
    parts = [f"{law.id or 'law'}: {law.formula}", f"C = {cost}" if cost else ""]
    parts.append(f"fitted on {', '.join(ranges)}" if ranges else "the range of its data is not known")
    return "; ".join(filter(None, parts))


def distances(frame: pl.DataFrame, cost: str | None) -> list[str]:
    """How far the budgets lie outside the data of the laws, by the farthest one; a line for laws that share it.

    Under a cost of the user's the training compute is what lies outside, whatever the budgets count.
    """
    outside = frame.filter(frame["extrapolation_decades"] > 0)
    groups: dict[tuple[int, float, float], list[str]] = {}
    for (name,), rows in outside.group_by("law", maintain_order=True):
        farthest = rows.sort("extrapolation_decades").row(-1, named=True)
        decades = round(farthest["extrapolation_decades"], 1)
        groups.setdefault((rows.height, farthest["C"], decades), []).append(str(name))
    lines = []
    for (count, farthest_budget, decades), names in groups.items():
        budgets = frame.filter(frame["law"] == names[0]).height
        many = f"{count} of {budgets} budgets lie outside the data, " if budgets > 1 else ""
        what = f"{units.format_flops(farthest_budget)} FLOPs" if cost is None else "in training compute"
        where = f"{what} by {decades:.1f} decades"
        lines.append(f"{', '.join(names)}: {many or 'outside the data, '}{where}")
    return lines


def tell_quantiles(frame: pl.DataFrame, quantiles: tuple[float, ...], to: output.Destination) -> None:
    """Say what stands under the values of a table."""
    if to.format == "table" and "draws" in frame["uncertainty"]:
        low, high = min(quantiles), max(quantiles)
        output.note(f"under each value: its quantiles {low:g} to {high:g} over the law's draws", to)


def for_people(frame: pl.DataFrame, optimise: tuple[str, str]) -> pl.DataFrame:
    """The table on a terminal: under each value its interval, from the lowest to the highest quantile."""
    import polars as pl

    first, second = optimise
    shown: dict[str, tuple[str, Callable[[float], str]]] = {
        "C": ("C", units.format_flops),
        first: (first, short_count),
        second: (second, short_count),
        f"{second}/{first}": (f"{second}_per_{first}", lambda value: f"{value:.3g}"),
        "epochs": ("epochs", lambda value: f"{value:.3g}"),
        "L": ("L", units.format_loss),
    }
    rows = list(frame.iter_rows(named=True))
    # Where nothing is to be gained the column would repeat the compute.
    if any(_wasteful(row) for row in rows):
        shown["least C"] = ("C_least", units.format_flops)
    cells = {"law": [row["law"] for row in rows]}
    if "scenario" in frame.columns:
        own = frame.columns[frame.columns.index("scenario") : frame.columns.index("C")]
        cells |= {name: [output.human(row[name], name) for row in rows] for name in own}
    for heading, (symbol, show) in shown.items():
        if symbol in frame.columns:
            cells[heading] = [with_interval(row, symbol, show) for row in rows]
    return pl.DataFrame(cells)


def _wasteful(row: dict[str, Any]) -> bool:
    """Whether less than 99.9 % of the compute would do, as far as the answer tells."""
    return row.get("C_least") is not None and row["C_least"] < 0.999 * row["C"]


def short_count(value: float) -> str:
    """Three digits are enough beside an interval."""
    return units.format_count(value, 3)


def with_interval(row: dict[str, Any], symbol: str, show: Callable[[float], str]) -> str:
    """The value and, on a line of its own, the interval; the value alone where the law has no draws."""
    if row[symbol] is None:
        return output.MISSING
    ends = [value for name, value in row.items() if name.startswith(f"{symbol}_q") and value is not None]
    if len(ends) < 2 or ends[0] == ends[-1]:
        return show(row[symbol])
    return f"{show(row[symbol])}\n{show(ends[0])}-{show(ends[-1])}"
