"""`scalefast costs`: what a token of a shape costs by each accounting rule, and what a budget buys by it.

In: the sizes of a transformer; tokens served, utilisations, prices; perhaps a budget and a law. Out: one row per rule on
stdout, or one formula for `--cost`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import allocation, manifests, options, output, shape_options

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf


def read_peak(text: str, what: str) -> float | str:
    """`989.4e12`, or the name of an accelerator."""
    return units.read_positive(text, what) if text.strip()[:1].isdigit() else text.strip()


PEAK = options.Reader("NUMBER|NAME", read_peak)


@click.command(
    cls=manifests.Recorded,
    inputs=("law",),
    epilog=options.examples(
        "scalefast costs --layers 80 --width 8192 --heads 64 --vocabulary 32k --budget 1e24",
        "scalefast costs --serve 2T --formula 6N",
    ),
)
@shape_options.size_options
@shape_options.kind_options
@click.option("--budget", type=options.GRID, metavar="FLOPS", help="Split this budget under each rule.")
@click.option("--given", type=options.GIVEN, multiple=True, help="Variables of the law besides N and D, such as U=25B.")
@click.option(
    "--law",
    shell_complete=options.complete_law,
    help="A law's id, a law file, or a law saved by `scalefast fit`. Default: epoch-2024-huber.",
)
@click.option(
    "--counts",
    type=click.Choice(shape_options.COUNTS),
    help="Parameters that N counts. Default: those of the law's N, else total.",
)
@click.option("--serve", "served_tokens", type=options.POSITIVE, metavar="TOKENS", help="Tokens served after training.")
@click.option("--mfu", type=options.POSITIVE, help="Utilisation in training, such as 0.4: costs are in FLOPs of peak.")
@click.option("--serving-mfu", type=options.POSITIVE, help="Utilisation in serving. Default: as in training.")
@click.option("--price", type=options.POSITIVE, help="Dollars per accelerator-hour: with --peak, costs are in dollars.")
@click.option("--serving-price", type=options.POSITIVE, help="Default: as in training.")
@click.option("--peak", type=PEAK, help="FLOP/s of an accelerator, or its name, such as H100-SXM.")
@click.option("--serving-peak", type=PEAK, help="Default: as in training.")
@click.option("--formula", metavar="RULE", help="Print the formula of one rule alone, for --cost of other commands.")
@click.option("--draws", type=click.IntRange(0, 10**9), help="Use the first so many stored draws. Default: all.")
@click.option("--quantiles", type=options.QUANTILES, default="0.05,0.5,0.95", show_default=True, help="Over the draws.")
@options.output_options
def costs(
    law: str | None,
    budget: list[float] | None,
    counts: str | None,
    given: tuple[tuple[str, float | str], ...],
    formula: str | None,
    draws: int | None,
    quantiles: tuple[float, ...],
    to: output.Destination,
    **settings: Any,
) -> None:
    """Count FLOPs by every accounting rule.

    Prints what a token of the shape costs in training FLOPs by each rule, beside 6N, and the cost as a formula of N and D
    for models of every size that look like the shape. With a budget, also the best split under each. With tokens served,
    the cost is that of training and serving; with utilisations it counts FLOPs of peak, with prices dollars.
    """
    import scalefast as sf

    lifetime = {name: settings.pop(name) for name in LIFETIME}
    lifetime = {name: value for name, value in lifetime.items() if value is not None}
    if formula == "6N" and settings["layers"] is None:
        click.echo(sf.lifetime_cost(**lifetime) if lifetime else "6*N*D")
        return
    shape = shape_of(settings)
    found = sf.accountings(
        shape,
        law=law,
        budget=budget,
        counts=counts,
        given=options.unique(given, "--given"),
        lifetime=lifetime,
        draws=draws,
        quantiles=quantiles,
    )
    if formula is not None:
        shape.flops_per_token(formula)
        click.echo(found.filter(accounting=formula)["cost"][0])
        return
    output.note(described(shape), to)
    if budget is not None:
        allocation.introduce(sf.law(law or found["law"][0]), None, to)
        allocation.tell_quantiles(found, quantiles, to)
    output.write_frame(found, to, table=lambda: for_people(found))


#: Arguments of `sf.lifetime_cost` that are options here.
LIFETIME = ("served_tokens", "mfu", "serving_mfu", "price", "serving_price", "peak", "serving_peak")
#: What a shape cannot do without.
NEEDED = ("layers", "width", "heads", "vocabulary")


def shape_of(settings: dict[str, Any]) -> sf.Transformer:
    """The shape that was typed."""
    import scalefast as sf

    missing = [f"--{name}" for name in NEEDED if settings[name] is None]
    if missing:
        raise click.UsageError(f"Missing option {', '.join(missing)}.", click.get_current_context())
    return sf.Transformer(**settings)


def described(shape: sf.Transformer) -> str:
    """The counts of a shape, those that differ."""
    counts = {
        "parameters": shape.parameters,
        "without embeddings": shape.non_embedding_parameters,
        "active": shape.active_parameters,
    }
    if shape.experts == 1:
        del counts["active"]
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def for_people(found: pl.DataFrame) -> pl.DataFrame:
    """FLOPs of a token, and with a budget the best split, each with its interval below."""
    import polars as pl

    rows = list(found.iter_rows(named=True))
    cells: dict[str, list[str]] = {
        "accounting": [row["accounting"] for row in rows],
        "FLOPs/token": [units.format_flops(float(row["flops_per_token"])) for row in rows],
        "of 6N": [f"{row['per_6N']:.4f}" for row in rows],
    }
    if "C" in found.columns:
        shown = {
            "C": ("C", units.format_flops),
            "N": ("N", allocation.short_count),
            "D": ("D", allocation.short_count),
            "L": ("L", units.format_loss),
        }
        for heading, (symbol, show) in shown.items():
            cells[heading] = [allocation.with_interval(row, symbol, show) for row in rows]
    return pl.DataFrame(cells)
