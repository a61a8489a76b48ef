"""`scalefast sweep`: compute-optimal sizes for one or many budgets.

In: budgets in FLOPs, and laws. Out: one row a law and budget on stdout; what the laws rest on, on stderr.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import manifests, options, output

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf


@click.command(
    cls=manifests.Recorded,
    inputs=("laws",),
    epilog=options.examples(
        "scalefast sweep --budget 1e24",
        "scalefast sweep --budget 1e20..1e26:7 --law hoffmann-2022 --law epoch-2024 --format csv",
    ),
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
    shell_complete=options.complete_law,
    help="A law's id (see `scalefast laws`), a law file, or a law saved by `scalefast fit`. Repeatable. "
    "Default: epoch-2024-huber, and the other laws beside it.",
)
@click.option("--cost", metavar="FORMULA", help="Training FLOPs as a formula. Default: the law's own, such as 6*N*D.")
@click.option(
    "--bounds",
    type=options.BOUND,
    multiple=True,
    help="Limits of a variable to choose, such as N=1e9..1e11 or N=..8B. Repeatable.",
)
@click.option(
    "--given",
    type=options.GIVEN,
    multiple=True,
    help="A variable that is settled: pinned, such as U=25B unique tokens, or derived, such as D=20*N. Repeatable.",
)
@click.option("--draws", type=click.IntRange(0, 10**9), help="Use the first so many stored draws. Default: all.")
@click.option("--quantiles", type=options.QUANTILES, default="0.05,0.5,0.95", show_default=True, help="Over the draws.")
@click.option("--timeout", "timeout_s", type=options.POSITIVE, metavar="SECONDS", help="Give up after so long.")
@click.option("--threads", type=click.IntRange(1, 4096), help="Default: the processors at hand.")
@options.progress_option
@options.output_options
def sweep(
    budgets: tuple[list[float], ...],
    laws: tuple[str, ...],
    quantiles: tuple[float, ...],
    bounds: tuple[tuple[str, tuple[float, float]], ...],
    given: tuple[tuple[str, float | str], ...],
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
        bounds=options.unique(bounds, "--bounds"),
        given=options.unique(given, "--given"),
        **{name: value for name, value in settings.items() if value is not None},
    )
    for law, cost in zip(result.laws, result.costs, strict=True):
        output.note(origin(law, cost), to)
        if law.published is not None and law.published.rounded:
            output.warn(f"{law.id} is made of rounded constants. {law.published.errata}".rstrip())
        if law.published is not None and law.published.caution:
            output.warn(f"{law.id}: {law.published.caution}")
    for line in [*distances(result), *spreads(result)]:
        output.note(line, to)
    if to.format == "table" and "draws" in result.summary["uncertainty"]:
        output.note(
            f"under each value: its quantiles {min(quantiles):g} to {max(quantiles):g} over the law's draws", to
        )
    output.write_frame(result.summary, to, meta=described(result), table=lambda: for_people(result.summary))


def origin(law: sf.Law, cost: str | None) -> str:
    """A law's formula and cost, and the range of the data behind it."""
    ranges = [
        f"{name} {output.human(low, name)} to {output.human(high, name)}"
        for name, (low, high) in law.fitted_range.items()
    ]
    parts = [f"{law.id or 'law'}: {law.formula}", f"C = {cost}" if cost else ""]
    parts.append(f"fitted on {', '.join(ranges)}" if ranges else "the range of its data is not known")
    return "; ".join(filter(None, parts))


def distances(result: sf.Sweep) -> list[str]:
    """How far the budgets lie outside the data of the laws, by the farthest one; a line for laws that share it."""
    outside = result.summary.filter(result.summary["extrapolation_decades"] > 0)
    groups: dict[tuple[int, float, float], list[str]] = {}
    for (name,), rows in outside.group_by("law", maintain_order=True):
        farthest = rows.sort("extrapolation_decades").row(-1, named=True)
        decades = round(farthest["extrapolation_decades"], 1)
        groups.setdefault((rows.height, farthest["C"], decades), []).append(str(name))
    budgets = result.summary["C"].n_unique()
    lines = []
    for (count, farthest_budget, decades), names in groups.items():
        many = f"{count} of {budgets} budgets lie outside the data, " if budgets > 1 else ""
        where = f"{units.format_flops(farthest_budget)} FLOPs by {decades:.1f} decades"
        lines.append(f"{', '.join(names)}: {many or 'outside the data, '}{where}")
    return lines


def spreads(result: sf.Sweep) -> list[str]:
    """How far the optima of several laws lie apart, at the lowest and the highest budget."""
    several = result.spread.filter(result.spread["laws"] > 1).sort("C")
    ends = several if several.height < 3 else several[[0, -1]]
    return [
        f"at {units.format_flops(row['C'])} FLOPs {row['laws']} laws put N between "
        f"{short_count(row['N_lowest'])} and {short_count(row['N_highest'])}, "
        f"D between {short_count(row['D_lowest'])} and {short_count(row['D_highest'])}"
        for row in ends.iter_rows(named=True)
    ]


def described(result: sf.Sweep) -> dict[str, Any]:
    """What JSON says beside the rows: the laws and the spread over them."""
    laws = [
        {"law": law.id, "formula": law.formula, "cost": cost, "fitted_range": law.fitted_range}
        for law, cost in zip(result.laws, result.costs, strict=True)
    ]
    return {"laws": laws, "spread": result.spread.to_dicts()}


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
