"""`scalefast sweep`: compute-optimal sizes for one or many budgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import options, output

if TYPE_CHECKING:
    import polars as pl

if TYPE_CHECKING:
    pass


@click.command(
    epilog=options.examples(
        "scalefast sweep --budget 1e24",
        "scalefast sweep --budget 1e20..1e26:7 --law hoffmann-2022 --law epoch-2024 --format csv",
    )
)
@click.option(
    "--budget",
    "budgets",
    type=options.GRID,
    multiple=True,
    required=True,
    help="Training compute in FLOPs, such as 1e24, or a log grid such as 1e20..1e26:61. Repeatable.",
)
@click.option(
    "--law",
    "laws",
    multiple=True,
    help="A law's id (see `scalefast laws`), a law file, or a law saved by `scalefast fit`. Repeatable. "
    "Default: epoch-2024-huber, and the other laws beside it.",
)
@click.option("--cost", metavar="FORMULA", help="Training FLOPs as a formula. Default: the law's own, such as 6*N*D.")
@click.option("--draws", type=click.IntRange(min=1), help="Use this many of the stored draws. Default: all.")
@click.option("--quantiles", type=options.QUANTILES, default="0.05,0.5,0.95", show_default=True, help="Over the draws.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the choice of draws.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: the processors at hand.")
@options.output_options
def sweep(
    budgets: tuple[list[float], ...],
    laws: tuple[str, ...],
    quantiles: tuple[float, ...],
    to: output.Destination,
    **settings: Any,
) -> None:
    """Split training compute into model size and data.

    Prints, for each budget and law, the N (parameters) and D (tokens) of lowest loss L (nats per token), with quantiles
    where the law comes with draws. The data behind each law, how far a budget lies beyond them, and how far the laws
    disagree, go to stderr.
    """
    import scalefast as sf

    result = sf.sweep(
        list(laws) or None,
        budget=[budget for grid in budgets for budget in grid],
        quantiles=quantiles,
        **{name: value for name, value in settings.items() if value is not None},
    )
    summary = result.summary
    for line in [*origins(summary), *spreads(summary)]:
        output.note(line, to)
    output.write_frame(summary, to, table=lambda: for_people(summary))


def origins(summary: pl.DataFrame) -> list[str]:
    """For each law: its formula, the range of its data, and how far beyond them the budgets lie."""
    import scalefast as sf

    lines = []
    for (name,), rows in summary.group_by("law", maintain_order=True):
        law = sf.law(str(name))
        ranges = [f"{symbol} {ends[0]:.3g} to {ends[1]:.3g}" for symbol, ends in law.fitted_range.items()]
        line = f"{name}: {law.formula}; fitted on {', '.join(ranges) or 'a range that its source does not give'}"
        farthest = rows.sort("extrapolation_decades", nulls_last=False).row(-1, named=True)
        decades = farthest["extrapolation_decades"]
        if decades is not None and decades > 0:
            line += f"; {units.format_flops(farthest['C'])} FLOPs lie {decades:.1f} decades beyond"
        lines.append(line)
    return lines


def spreads(summary: pl.DataFrame) -> list[str]:
    """For each budget that several laws answer: how far their optima lie apart."""
    lines = []
    for (budget,), rows in summary.group_by("C", maintain_order=True):
        sizes = sorted(rows["N"].drop_nulls())
        if len(sizes) > 1:
            low, high = units.format_count(sizes[0]), units.format_count(sizes[-1])
            lines.append(f"at {units.format_flops(budget)} FLOPs {len(sizes)} laws put N between {low} and {high}")
    return lines


def for_people(summary: pl.DataFrame) -> pl.DataFrame:
    """The table on a terminal: under each value its interval, from the lowest to the highest quantile."""
    import polars as pl

    shown: dict[str, tuple[str, Callable[[float], str]]] = {
        "N": ("N", short_count),
        "D": ("D", short_count),
        "D/N": ("D_per_N", lambda value: f"{value:.3g}"),
        "L": ("L", units.format_loss),
    }
    rows = list(summary.iter_rows(named=True))
    cells = {"law": [row["law"] for row in rows], "C": [units.format_flops(row["C"]) for row in rows]}
    for heading, (symbol, show) in shown.items():
        cells[heading] = [with_interval(row, symbol, show) for row in rows]
    return pl.DataFrame(cells)


def short_count(value: float) -> str:
    """Three digits are enough beside an interval."""
    return units.format_count(value, 3)


def with_interval(row: dict[str, Any], symbol: str, show: Callable[[float], str]) -> str:
    """The value and, on a line of its own, the interval; the value alone where the law has no draws."""
    if row[symbol] is None:
        return output.MISSING
    ends = [value for name, value in row.items() if name.startswith(f"{symbol}_q") and value is not None]
    return f"{show(row[symbol])}\n{show(ends[0])}-{show(ends[-1])}" if len(ends) > 1 else show(row[symbol])
