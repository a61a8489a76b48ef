"""`scalefast shapes`: the buildable transformers nearest to a size.

In: a size, or a budget and a law, and the rules of divisibility. Out: one row a shape on stdout, best first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scalefast import units

from .. import manifests, options, output, shape_options

if TYPE_CHECKING:
    import polars as pl


@click.command(
    cls=manifests.Recorded,
    inputs=("law",),
    epilog=options.examples(
        "scalefast shapes --size 70B --vocabulary 128256 --kv-heads 8 --tensor-parallel 8",
        "scalefast shapes --budget 1e23 --law hoffmann-2022 --vocabulary 32k --format csv",
    ),
)
@click.option("--size", "N", type=options.POSITIVE, help="Parameters wanted. Default: the best size for the budget.")
@click.option(
    "--budget", type=options.POSITIVE, metavar="FLOPS", help="Training compute: tells what each shape gives up."
)
@click.option("--given", type=options.GIVEN, multiple=True, help="Variables of the law besides N and D, such as U=25B.")
@click.option(
    "--law",
    shell_complete=options.complete_law,
    help="A law's id, a law file, or a law saved by `scalefast fit`. Default: epoch-2024-huber.",
)
@shape_options.kind_options
@click.option(
    "--feed-forward", type=options.POSITIVE, help="Inner size by the width. Default: 8/3 where gated, else 4."
)
@click.option("--head-size", type=shape_options.WHOLE, default="128", show_default=True, help="Of an attention head.")
@click.option("--width-multiple", type=shape_options.WHOLE, default="128", show_default=True, help="Divides the width.")
@click.option(
    "--feed-forward-multiple",
    type=shape_options.WHOLE,
    default="256",
    show_default=True,
    help="Divides the inner size.",
)
@click.option(
    "--layers-multiple", type=shape_options.WHOLE, default="1", show_default=True, help="Stages of a pipeline."
)
@click.option(
    "--vocabulary-multiple",
    type=shape_options.WHOLE,
    default="128",
    show_default=True,
    help="The vocabulary is padded to it.",
)
@click.option(
    "--tensor-parallel",
    type=shape_options.WHOLE,
    default="1",
    show_default=True,
    help="Devices that share a layer: heads, feed-forward and vocabulary divide by it.",
)
@click.option(
    "--aspect", type=options.POSITIVE, help="Width over layers to prefer. Default: the usual one at the size."
)
@click.option(
    "--counts",
    type=click.Choice(shape_options.COUNTS),
    help="Parameters that the size counts. Default: those of the law's N.",
)
@click.option(
    "--accounting", default="6N", show_default=True, help="Rule for the FLOPs of a token: see `scalefast costs`."
)
@click.option("--count", type=shape_options.WHOLE, default="10", show_default=True, help="How many shapes.")
@options.output_options
def shapes(
    vocabulary: int | None, given: tuple[tuple[str, float | str], ...], to: output.Destination, **settings: Any
) -> None:
    """Find transformers that can be built.

    Prints the shapes nearest to a size under rules of divisibility, best first, with their exact parameters. With a budget,
    also the tokens D that it pays for, and what is given up against the law's best split: in nats per
    token, and as the share of the compute that would have sufficed for that loss. The order is by the error of the size and,
    a tenth as much, by how unusual width over layers is.
    """
    import scalefast as sf

    if vocabulary is None:
        raise click.UsageError("Missing option '--vocabulary'.", click.get_current_context())
    names = sf.ShapeRules.__dataclass_fields__
    rules = sf.ShapeRules(**{name: settings.pop(name) for name in names})
    found = sf.buildable(vocabulary=vocabulary, rules=rules, given=options.unique(given, "--given"), **settings)
    padded = found["vocabulary"][0]
    if padded != vocabulary:
        output.note(f"the vocabulary of {vocabulary} is padded to {padded}", to)
    if found["L"].is_not_null().any():
        output.note("given up: nats per token, and the share of the compute that the best split saves at this loss", to)
    output.write_frame(found, to, table=lambda: for_people(found))


def for_people(found: pl.DataFrame) -> pl.DataFrame:
    """The columns that matter, short."""
    import polars as pl

    rows = list(found.iter_rows(named=True))
    cells: dict[str, list[Any]] = {
        "layers": [row["layers"] for row in rows],
        "width": [row["width"] for row in rows],
        "heads": [
            row["heads"] if row["heads"] == row["kv_heads"] else f"{row['heads']}/{row['kv_heads']}" for row in rows
        ],
        "ffw": [row["feed_forward"] for row in rows],
        "parameters": [row["parameters"] for row in rows],
        "off by": [f"{100 * row['size_error']:+.2f} %" for row in rows],
        "width/layers": [f"{row['aspect']:.0f}" for row in rows],
    }
    if found["active_parameters"].ne(found["parameters"]).any():
        cells["active"] = [units.format_count(float(row["active_parameters"])) for row in rows]
    if found["D"].is_not_null().any():
        cells["D"] = [units.format_count(row["D"], 3) for row in rows]
        cells["given up"] = [f"{row['L_given_up']:.5f}\n{100 * row['compute_given_up']:.2f} %" for row in rows]
    return pl.DataFrame({name: [str(cell) for cell in column] for name, column in cells.items()})
