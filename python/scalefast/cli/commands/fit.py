"""`scalefast fit`: the parameters of a law from training runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import columns, errors, options, output, reading

if TYPE_CHECKING:
    import scalefast as sf


@click.command()
@click.argument("runs", metavar="RUNS")
@click.option(
    "--law",
    required=True,
    help="A law's id (see `scalefast laws`), a law file, or a formula such as 'E + A/N**alpha + B/D**beta'.",
)
@click.option(
    "--col",
    "bindings",
    type=options.BINDING,
    multiple=True,
    help="The column of a variable, by name or as a formula: N=config.params_m*1e6. Repeatable.",
)
@click.option("--y", "response", metavar="COLUMN", help="The column of the loss, by name or as a formula.")
@click.option("--where", metavar="SQL", help="Use only these rows, such as 'loss < 4'; how many is reported.")
@click.option("--drop-invalid", is_flag=True, help="Leave out rows that cannot be used; how many is reported.")
@click.option("--weights", metavar="COLUMN", help="Relative weights of the rows.")
@click.option("--residual", type=click.Choice(["log", "identity"]), help="ln(fit/loss) or fit - loss. Default: the law's.")
@click.option(
    "--loss",
    type=options.LOSS,
    help="squared, huber:DELTA, huber:auto, soft-l1:DELTA, cauchy:DELTA, asymmetric:WEIGHT or pinball:QUANTILE,WIDTH. "
    "Default: the law's own, else squared.",
)
@click.option(
    "--bound", "bounds", type=options.BOUND, multiple=True, help="Keep a parameter within a range: alpha=0..1. Repeatable."
)
@click.option("--fix", "fixed", type=options.FIXED, multiple=True, help="Hold a parameter: E=1.69. Repeatable.")
@click.option("--tie", "tied", type=options.TIE, multiple=True, help="Set a parameter by others: beta=alpha. Repeatable.")
@click.option("--run", metavar="COLUMN", help="Which rows belong to one training run.")
@click.option("--checkpoints", type=click.Choice(["final", "all"]), help="Which rows of a run to use.")
@click.option("--level", type=options.NUMBER, default=0.9, help="Level of the intervals; default 0.9.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of the starts; default 0.")
@click.option("--threads", type=click.IntRange(min=1), help="Default: the processors at hand.")
@click.option("--timeout", "timeout_s", type=options.POSITIVE, metavar="SECONDS", help="Give up after so long.")
@click.option("--strict", is_flag=True, help="Exit with 1 unless the fit converged without warnings.")
@options.input_format_option
@options.format_option
@click.option(
    "-o",
    "--output",
    "output_file",
    metavar="FILE",
    help="Save the fitted law here (.parquet); `predict` and `sweep` take the file. The parameters still go to stdout.",
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr; warnings and errors remain.")
def fit(
    runs: str,
    law: str,
    bindings: tuple[tuple[str, str], ...],
    response: str | None,
    where: str | None,
    bounds: tuple[tuple[str, tuple[float, float]], ...],
    fixed: tuple[tuple[str, float], ...],
    tied: tuple[tuple[str, str], ...],
    input_format: str | None,
    format_: str | None,
    output_file: str | None,
    force: bool,
    quiet: bool,
    strict: bool,
    **settings: Any,
) -> None:
    """Fit a law to training runs.

    RUNS is a file of CSV, Parquet, NDJSON or Arrow, - for stdin, one row a run. Columns such as N, n_params, D, tokens,
    C, flops, loss are recognised; others are named with --col and --y. Prints one row a parameter with its interval;
    what was used, how well it converged and every warning go to stderr.

    \b
    Examples:
      scalefast predict hoffmann-2022 --at N=1e8..1e10:6 --at D=1e9..1e12:6 | scalefast fit - --law chinchilla
      scalefast predict hoffmann-2022 --at N=1e8..1e10:6 --at D=1e9..1e12:6 -o runs.csv --force &&
        scalefast fit runs.csv --law 'E + A/N**a + B/D**b' --bound a=0..1 -o law.parquet --force
    """
