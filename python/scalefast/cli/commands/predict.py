"""`scalefast predict`: the loss that a law expects at given points.

In: a law with values, and rows of its variables. Out: the same rows with the law's outputs added.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from scalefast import DataError, SettingsError

from .. import allocation, errors, manifests, options, output, reading

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf


@click.command(
    cls=manifests.Recorded,
    inputs=("law", "points"),
    epilog=options.examples(
        "scalefast predict epoch-2024-huber --at N=70B --at D=1.4T --interval confidence",
        r"printf 'N,tokens_b\n1e9,20\n' | scalefast predict epoch-2024-huber - --col 'D=tokens_b*1e9'",
    ),
)
@click.argument("law", metavar="LAW", shell_complete=options.complete_law)
@click.argument("points", metavar="[POINTS]", required=False)
@click.option(
    "--at",
    "values",
    type=options.VALUES,
    multiple=True,
    help="A variable's value in place of POINTS, such as N=70B or N=1e8..1e10:5. Several make a grid. Repeatable.",
)
@click.option(
    "--col",
    "bindings",
    type=options.BINDING,
    multiple=True,
    help="The column of a variable, by name or as a formula: D=tokens_b*1e9. Repeatable.",
)
@click.option(
    "--unit",
    "units",
    type=options.UNIT,
    multiple=True,
    help="The unit of a variable's column: N=millions. Repeatable.",
)
@click.option(
    "--interval",
    type=click.Choice(["confidence", "prediction", "new_run"]),
    help="Add an interval: of the law itself, of one more run like those of the data, or of a repeat of the same run. "
    "For fits saved by `scalefast fit -o law.parquet`; confidence also for laws with draws.",
)
@options.input_format_option
@options.output_options
def predict(
    law: str,
    points: str | None,
    values: tuple[tuple[str, list[float]], ...],
    bindings: tuple[tuple[str, str], ...],
    units: tuple[tuple[str, str], ...],
    interval: Literal["confidence", "prediction", "new_run"] | None,
    input_format: str | None,
    to: output.Destination,
) -> None:
    """Predict the loss of LAW at the rows of POINTS.

    LAW is an id (see `scalefast laws`), a law file, or a law saved by `scalefast fit`. POINTS is a file of CSV,
    Parquet, NDJSON or Arrow, - for stdin; columns such as N, n_params, D or tokens are recognised, others are named
    with --col. The rows come back with the predicted L in nats per token added; with --interval also L_lower and
    L_upper, at the level of the fit (0.9 for published laws), beside L (L_fit for a saved fit).
    """
    import scalefast as sf

    chosen = sf.law(law)
    if (points is None) == (not values):
        raise click.UsageError("give either POINTS or --at")
    columns = options.unique(bindings, "--col")
    if points is not None:
        frame = reading.read_frame(points, input_format)
    else:
        frame = grid(chosen, options.unique(values, "--at"), columns)
    of_columns = options.unique(units, "--unit")
    if interval is None:
        predicted = chosen.predict(frame, columns=columns, units=of_columns)
    elif Path(law).suffix == ".parquet":
        predicted = sf.load(law).predict(frame, columns=columns, units=of_columns, interval=interval)
    else:
        predicted = chosen.predict(frame, columns=columns, units=of_columns, interval=interval)
    allocation.caution(chosen)
    output.write_frame(predicted, to, meta={"law": chosen.id, "formula": chosen.formula})


def grid(law: sf.Law, values: dict[str, list[float]], columns: dict[str, str]) -> pl.DataFrame:
    """All combinations of the variables' values, the last variable fastest.

    Raises SettingsError, `unknown-symbol`, for a name that the law has not and no binding uses; DataError,
    `unbound-variable`, for a variable without a value.
    """
    import polars as pl

    known = [*law.variables, *law.parameters]
    for name in values:
        if name not in known and not any(name in formula for formula in columns.values()):
            hint = errors.hint_for(name, known, "symbols of the law")
            raise SettingsError(f"--at: the law has no `{name}`", code="unknown-symbol", hint=hint)
    for name in law.variables:
        if name not in values and name not in columns:
            raise DataError(f"--at: `{name}` has no value", code="unbound-variable", hint=f"add --at {name}=…")
    frame = pl.DataFrame({})
    for name, points in values.items():
        column = pl.DataFrame({name: points})
        frame = column if frame.width == 0 else frame.join(column, how="cross", maintain_order="left_right")
    return frame
