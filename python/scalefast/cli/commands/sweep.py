"""`scalefast sweep`: compute-optimal sizes for one or many budgets.

In: budgets in FLOPs, laws, a table of scenarios. Out: one row per law, scenario and budget on stdout; what the laws rest on,
on stderr; every allocation in a file or a data set where asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import allocation, manifests, options, output, reading
from ..exits import INTERRUPTED

if TYPE_CHECKING:
    import scalefast as sf


@click.command(
    cls=manifests.Recorded,
    inputs=("laws", "scenarios"),
    epilog=options.examples(
        "scalefast sweep --budget 1e24",
        r"printf 'product,T\nsearch,0\nchat,5e12\n' | scalefast sweep --budget 1e24 --scenarios - --cost '6*N*D + 2*N*T'",
    ),
)
@click.option(
    "--budget",
    "budgets",
    type=options.GRID,
    multiple=True,
    help="Training compute in FLOPs, such as 1e24, or a log grid such as 1e20..1e26:61. Repeatable.",
)
@click.option(
    "--scenarios",
    metavar="FILE",
    help="A table, - for stdin: each row pins or derives the variables that its columns are named after, bounds them "
    "(N_min, N_max, D_min, D_max), may have its own budget (C), and carries labels.",
)
@allocation.allocation_options
@click.option(
    "--draws-to",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write every allocation, one row per draw, to a Parquet data set of this name, a file after the other.",
)
@click.option(
    "--draws-out",
    metavar="FILE",
    help="Write every allocation to one file, in the format of its suffix. All of them must fit in memory.",
)
@click.option(
    "--on-interrupt",
    type=click.Choice(["raise", "partial"]),
    default="raise",
    show_default=True,
    help="After Ctrl-C, SIGTERM or the time limit: give up, or write what is finished and exit with 130; other rows are "
    "not-reached.",
)
@options.progress_option
@options.input_format_option
@options.output_options
def sweep(
    budgets: tuple[list[float], ...],
    laws: tuple[str, ...],
    quantiles: tuple[float, ...],
    bounds: tuple[tuple[str, tuple[float, float]], ...],
    given: tuple[tuple[str, float | str], ...],
    scenarios: str | None,
    draws_to: Path | None,
    draws_out: str | None,
    input_format: str | None,
    to: output.Destination,
    **settings: Any,
) -> None:
    """Split training compute into model size and data.

    Prints, for each law, scenario and budget, the N (parameters) and D (tokens) of lowest loss L (nats per token), with
    quantiles where the law comes with draws. The data behind each law, how far a budget lies beyond them, and how far the
    laws disagree, go to stderr.
    """
    import scalefast as sf

    if not budgets and scenarios is None:
        raise click.MissingParameter(ctx=click.get_current_context(), param=parameter("budgets"))
    draws_file = None if draws_out is None else output.destination(None, draws_out, to.force, to.quiet)
    if draws_file is not None and draws_file.path is None:
        raise click.UsageError("--draws-out needs a file: stdout is for the summary", click.get_current_context())
    result = sf.sweep(
        list(laws) or None,
        budget=[budget for grid in budgets for budget in grid] or None,
        scenarios=None if scenarios is None else reading.read_frame(scenarios, input_format),
        quantiles=quantiles,
        keep_draws=draws_file is not None,
        draws_to=draws_to,
        overwrite=to.force,
        **allocation.settings(bounds, given, settings),
    )
    missed = int((result.summary["status"] == "not-reached").sum())
    if missed:
        output.warn(f"ended early: {missed} of {result.summary.height} rows are not reached")
    for law, cost in zip(result.laws, result.costs, strict=True):
        allocation.introduce(law, cost, to)
    optimise = settings["optimise"] or ("N", "D")
    for line in [
        *allocation.differences(result.laws),
        *allocation.distances(result.summary, settings["cost"]),
        *spreads(result, optimise),
    ]:
        output.note(line, to)
    allocation.tell_quantiles(result.summary, quantiles, to)
    if draws_file is not None and result.draws is not None:
        output.write_frame(result.draws, draws_file)
    output.write_frame(
        result.summary, to, meta=described(result), table=lambda: allocation.for_people(result.summary, optimise)
    )
    if missed:
        raise click.exceptions.Exit(INTERRUPTED)


def parameter(name: str) -> click.Parameter:
    """An option of this command."""
    return next(p for p in click.get_current_context().command.params if p.name == name)


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
