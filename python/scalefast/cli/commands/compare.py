"""`scalefast compare`: plans side by side.

In: plans as SYMBOL=NUMBER,…, and laws. Out: one row a law and plan on stdout, each compared with the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import allocation, manifests, options, output

if TYPE_CHECKING:
    import polars as pl


def read_plan(text: str, what: str) -> dict[str, float]:
    """`N=10B,D=200B`."""
    return options.unique([options.read_fixed(part, what) for part in text.split(",")], what)


@click.command(
    cls=manifests.Recorded,
    inputs=("laws",),
    epilog=options.examples(
        "scalefast compare N=7B,D=2T N=70B,D=200B",
        "scalefast compare C=1e23 C=1e24 --law hoffmann-2022 --law epoch-2024 --format csv",
    ),
)
@click.argument("plans", metavar="SYMBOL=NUMBER,...", type=options.Reader("PLAN", read_plan), nargs=-1, required=True)
@allocation.allocation_options
@options.output_options
def compare(
    plans: tuple[dict[str, float], ...],
    laws: tuple[str, ...],
    quantiles: tuple[float, ...],
    bounds: tuple[tuple[str, tuple[float, float]], ...],
    given: tuple[tuple[str, float | str], ...],
    optimise: tuple[str, str] | None,
    timeout_s: float | None,
    to: output.Destination,
    **settings: Any,
) -> None:
    """Set plans side by side.

    Each plan says some of C (FLOPs), N (parameters), D (tokens) and L (nats per token), as `scalefast solve` takes it: N
    alone is that size at its best data, C alone the best split. Prints the rest of each, and how it compares with the
    first: compute, size and data as multiples, the change of the loss, and how much compute it spends beyond the least that
    reaches its loss.
    """
    import scalefast as sf

    chosen = allocation.settings(bounds, given, settings)
    found = sf.compare(list(laws) or None, plans, quantiles=quantiles, **chosen)
    for law in [sf.law(name) for name in laws or found["law"].unique(maintain_order=True)]:
        allocation.introduce(law, settings["cost"] or law.cost, to)
    allocation.tell_quantiles(found, quantiles, to)
    output.write_frame(found, to, table=lambda: for_people(found))


def for_people(found: pl.DataFrame) -> pl.DataFrame:
    """What the plans are, with intervals, and how they compare."""
    import polars as pl

    rows = list(found.iter_rows(named=True))
    cells: dict[str, list[str]] = {"law": [row["law"] for row in rows], "plan": [str(row["plan"]) for row in rows]}
    shown: dict[str, tuple[str, Callable[[float], str]]] = {
        "C": ("C", units.format_flops),
        "N": ("N", allocation.short_count),
        "D": ("D", allocation.short_count),
        "L": ("L", units.format_loss),
    }
    for heading, (symbol, show) in shown.items():
        cells[heading] = [allocation.with_interval(row, symbol, show) for row in rows]
    against: dict[str, tuple[str, Callable[[float], str]]] = {
        "loss": ("L_change", lambda value: f"{value:+.5f}"),
        "compute": ("C_ratio", lambda value: f"{value:.4g}x"),
        "size": ("N_ratio", lambda value: f"{value:.4g}x"),
        "data": ("D_ratio", lambda value: f"{value:.4g}x"),
        "excess": ("compute_excess", lambda value: f"{100 * max(value, 0.0):.1f} %"),
    }
    for heading, (symbol, show) in against.items():
        cells[heading] = [output.MISSING if row[symbol] is None else show(row[symbol]) for row in rows]
    if found["status"].is_in(["interior", "at-bound", "given"]).not_().any():
        cells["status"] = [row["status"] for row in rows]
    return pl.DataFrame(cells)
