"""`scalefast overtraining`: what smaller models that are as good cost in data and compute.

In: a budget, sizes, a law. Out: one row per law and size on stdout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import allocation, manifests, options, output

if TYPE_CHECKING:
    import polars as pl


@click.command(
    cls=manifests.Recorded,
    inputs=("laws",),
    epilog=options.examples(
        "scalefast overtraining --budget 1e24",
        "scalefast overtraining --budget 1e24 --size 0.5 --size 0.3 --law hoffmann-2022 --format csv",
    ),
)
@click.option(
    "--budget",
    type=options.POSITIVE,
    required=True,
    metavar="FLOPS",
    help="Training compute whose best split is the model to equal.",
)
@click.option(
    "--size",
    "sizes",
    type=options.POSITIVE,
    multiple=True,
    help="A multiple of the best size: 0.5 is half of it. Repeatable. Default: 0.75, 0.5, 0.4, 0.3, 0.2.",
)
@click.option(
    "--law",
    "laws",
    multiple=True,
    shell_complete=options.complete_law,
    help="A law's id, a law file, or a law saved by `scalefast fit`. Repeatable. "
    "Default: epoch-2024-huber, and the other laws beside it.",
)
@click.option("--cost", metavar="FORMULA", help="Training FLOPs as a formula. Default: the law's own, such as 6*N*D.")
@click.option(
    "--given", type=options.GIVEN, multiple=True, help="A variable that is settled, such as U=25B. Repeatable."
)
@click.option("--draws", type=click.IntRange(0, 10**9), help="Use the first so many stored draws. Default: all.")
@click.option("--quantiles", type=options.QUANTILES, default="0.05,0.5,0.95", show_default=True, help="Over the draws.")
@click.option("--threads", type=click.IntRange(1, 4096), help="Default: the processors at hand.")
@options.output_options
def overtraining(
    budget: float,
    sizes: tuple[float, ...],
    laws: tuple[str, ...],
    given: tuple[tuple[str, float | str], ...],
    quantiles: tuple[float, ...],
    to: output.Destination,
    **settings: Any,
) -> None:
    """Weigh smaller models trained longer.

    For each multiple of the best size for the budget: the data that make such a model as good, and the compute that they
    cost, both as multiples of the best split's and in numbers. Below the least size no amount of data is enough.
    """
    import scalefast as sf

    chosen: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    if sizes:
        chosen["sizes"] = sizes
    found = sf.overtraining(
        list(laws) or None, budget, given=options.unique(given, "--given"), quantiles=quantiles, **chosen
    )
    for law in map(sf.law, laws or found["law"].unique(maintain_order=True)):
        allocation.introduce(law, settings["cost"] or law.cost, to)
    for row in found.unique("law", maintain_order=True).iter_rows(named=True):
        output.note(
            f"{row['law']}: no amount of data makes up for less than {row['least_size']:.3g} of the best size", to
        )
    allocation.tell_quantiles(found, quantiles, to)
    output.write_frame(found, to, table=lambda: for_people(found))


def for_people(found: pl.DataFrame) -> pl.DataFrame:
    """Multiples and numbers, each with its interval below."""
    import polars as pl

    shown = {
        "data": ("data", lambda value: f"{value:.3f}x"),
        "compute": ("compute", lambda value: f"{value:.3f}x"),
        "N": ("N", allocation.short_count),
        "D": ("D", allocation.short_count),
        "D/N": ("D_per_N", lambda value: f"{value:.3g}"),
        "C": ("C", units.format_flops),
    }
    rows = list(found.iter_rows(named=True))
    cells: dict[str, list[str]] = {"law": [row["law"] for row in rows], "size": [f"{row['size']:g}x" for row in rows]}
    for heading, (symbol, show) in shown.items():
        cells[heading] = [allocation.with_interval(row, symbol, show) for row in rows]
    return pl.DataFrame(cells)
