"""`scalefast compare`: plans side by side.

In: plans as SYMBOL=NUMBER,…, and laws. Out: one row per law and plan on stdout, each compared with the first.
"""

from __future__ import annotations

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
    to: output.Destination,
    **settings: Any,
) -> None:
    """Set plans side by side.

    Each plan says some of C (FLOPs), N (parameters), D (tokens) and L (nats per token), as `scalefast solve` takes it: N
    alone is that size at its best data, C alone the best split. Prints the rest of each, and how it compares with the
    first: compute, size and data as multiples, the change of the loss with its interval, the share of the law's draws under
    which it is better, and how much compute it spends beyond the least that reaches its loss.
    """
    import scalefast as sf

    chosen = allocation.settings(bounds, given, settings)
    found = sf.compare(list(laws) or None, plans, quantiles=quantiles, **chosen)
    for law in [sf.law(name) for name in laws or found["law"].unique(maintain_order=True)]:
        allocation.introduce(law, settings["cost"] or law.cost, to)
    allocation.tell_quantiles(found, quantiles, to)
    output.write_frame(found, to, table=lambda: for_people(found, settings["optimise"] or ("N", "D")))


def for_people(found: pl.DataFrame, optimise: tuple[str, str]) -> pl.DataFrame:
    """The plans; below each value its interval, and for all but the first how it compares with that."""
    import polars as pl

    rows = list(found.iter_rows(named=True))
    shown = {"C": units.format_flops, optimise[0]: allocation.short_count, optimise[1]: allocation.short_count}
    cells: dict[str, list[str]] = {"law": [row["law"] for row in rows], "plan": [str(row["plan"]) for row in rows]}
    for symbol, show in shown.items():
        cells[symbol] = [
            allocation.with_interval(row, symbol, show)
            + ("" if row["plan"] == 1 or row[f"{symbol}_ratio"] is None else f"\n{multiple(row[f'{symbol}_ratio'])}")
            for row in rows
        ]
    cells["L"] = [allocation.with_interval(row, "L", units.format_loss) for row in rows]
    cells["change"] = [changed(row) for row in rows]
    if found["share_better"].is_not_null().any():
        cells["better"] = [percent(row["share_better"], 0) for row in rows]
    cells["excess"] = [percent(row["compute_excess"], 1) for row in rows]
    if found["L_change"].null_count():
        cells["status"] = [row["status"] for row in rows]
    return pl.DataFrame(cells)


def changed(row: dict[str, Any]) -> str:
    """The change of the loss and below it its interval over the draws."""
    if row["plan"] == 1 or row["L_change"] is None:
        return output.MISSING
    ends = [value for name, value in row.items() if name.startswith("L_change_q") and value is not None]
    return f"{row['L_change']:+.5f}" + (f"\n{ends[0]:+.5f} to {ends[-1]:+.5f}" if ends else "")


def percent(share: float | None, digits: int) -> str:
    """`91 %`; what rounding made negative is zero."""
    return output.MISSING if share is None else f"{100 * max(share, 0.0):.{digits}f} %"


def multiple(value: float) -> str:
    """`2.861x`."""
    return f"{value:.4g}x"
