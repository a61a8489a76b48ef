"""`scalefast sweep`: compute-optimal sizes for one or many budgets.

In: budgets in FLOPs, and laws. Out: one row a law and budget on stdout; what the laws rest on, on stderr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import allocation, manifests, options, output

if TYPE_CHECKING:
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
@allocation.allocation_options
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
        **allocation.settings(bounds, given, settings),
    )
    for law, cost in zip(result.laws, result.costs, strict=True):
        allocation.introduce(law, cost, to)
    optimise = settings["optimise"] or ("N", "D")
    for line in [
        *allocation.differences(result.laws),
        *allocation.distances(result.summary),
        *spreads(result, optimise),
    ]:
        output.note(line, to)
    allocation.tell_quantiles(result.summary, quantiles, to)
    output.write_frame(
        result.summary, to, meta=described(result), table=lambda: allocation.for_people(result.summary, optimise)
    )


def spreads(result: sf.Sweep, optimise: tuple[str, str]) -> list[str]:
    """How far the optima of several laws lie apart, at the lowest and the highest budget."""
    several = result.spread.filter(result.spread["laws"] > 1).sort("C")
    ends = several if several.height < 3 else several[[0, -1]]
    lines = []
    for row in ends.iter_rows(named=True):
        between = [
            f"{name} between {allocation.short_count(row[f'{name}_lowest'])} "
            f"and {allocation.short_count(row[f'{name}_highest'])}"
            for name in optimise
        ]
        lines.append(f"at {units.format_flops(row['C'])} FLOPs {row['laws']} laws put {', '.join(between)}")
    return lines


def described(result: sf.Sweep) -> dict[str, Any]:
    """What JSON says beside the rows: the laws and the spread over them."""
    laws = [
        {"law": law.id, "formula": law.formula, "cost": cost, "fitted_range": law.fitted_range}
        for law, cost in zip(result.laws, result.costs, strict=True)
    ]
    return {"laws": laws, "spread": result.spread.to_dicts()}
