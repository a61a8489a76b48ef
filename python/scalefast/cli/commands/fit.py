"""`scalefast fit`: the parameters of a law from training runs.

In: a frame of runs, a law, settings. Out: one row per parameter on stdout, the evidence on stderr, the law in a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scalefast import SettingsError

from .. import errors, groups, manifests, options, output, reading, resampling
from ..app import writing
from ..exits import INTERRUPTED

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf

#: Repeatable options of the form NAME=…: the parameter of the command, the argument of `sf.fit`, the option.
NAMED = {
    "bindings": ("columns", "--col"),
    "units": ("units", "--unit"),
    "bounds": ("bounds", "--bound"),
    "fixed": ("fixed", "--fix"),
    "tied": ("tied", "--tie"),
    "per": ("per", "--per"),
}
#: Runs drawn from a published law, so that the examples need no file.
RUNS = "scalefast predict hoffmann-2022 --at N=1e8..1e10:6 --at D=1e9..1e12:6 | scalefast fit -"


@click.command(
    cls=groups.FitCommand,
    inputs=("runs", "law"),
    epilog=options.examples(f"{RUNS} --law chinchilla", f"{RUNS} --law 'E + A/N**a + B/D**b' --fix E=1.69"),
)
@click.argument("runs", metavar="RUNS")
@click.option(
    "--law",
    shell_complete=options.complete_law,
    help="A law's id (see `scalefast laws`), a law file, or a formula such as 'E + A/N**alpha + B/D**beta'.",
)
@click.option(
    "--col",
    "bindings",
    type=options.BINDING,
    multiple=True,
    help="The column of a variable, by name or as a formula: N=config.params_m*1e6. Repeatable.",
)
@click.option(
    "--unit",
    "units",
    type=options.UNIT,
    multiple=True,
    help="The unit of a variable's column: N=millions. Fits do not mind, plans do. Repeatable.",
)
@click.option("--y", metavar="COLUMN", help="The column of the loss, by name or as a formula.")
@click.option("--where", metavar="SQL", help="Use only these rows, such as 'loss < 4'; how many is reported.")
@click.option("--drop-invalid", is_flag=True, help="Leave out rows that cannot be used; how many is reported.")
@click.option("--weights", metavar="COLUMN", help="Relative weights of the rows.")
@click.option(
    "--sigma", metavar="COLUMN", help="Known standard deviation of each row's residual: the loss of residual/sigma."
)
@click.option(
    "--residual", type=click.Choice(["log", "identity"]), help="ln(fit/loss) or fit - loss. Default: the law's."
)
@click.option(
    "--loss",
    type=options.LOSS,
    help="squared, huber:DELTA, huber:auto, soft-l1:DELTA, cauchy:DELTA, asymmetric:WEIGHT or pinball:QUANTILE,WIDTH. "
    "Default: the law's own, else squared.",
)
@click.option(
    "--bound",
    "bounds",
    type=options.BOUND,
    multiple=True,
    help="Keep a parameter within a range: alpha=0..1. Repeatable.",
)
@click.option("--fix", "fixed", type=options.FIXED, multiple=True, help="Hold a parameter: E=1.69. Repeatable.")
@click.option(
    "--tie", "tied", type=options.TIE, multiple=True, help="Set a parameter by others: beta=alpha. Repeatable."
)
@click.option(
    "--per",
    type=options.BINDING,
    multiple=True,
    help="Let a parameter differ by the levels of a column, beside shared ones: E=corpus. Repeatable.",
)
@click.option(
    "--start",
    "starts",
    type=options.STARTS,
    multiple=True,
    help="Start at these values of a parameter only, each start solved locally: alpha=0,0.5,1. Several make a grid. "
    "Default: a global search.",
)
@groups.by_option
@resampling.resample_options
@click.option("--level", type=options.NUMBER, default=0.9, help="Level of the intervals; default 0.9.")
@click.option("--threads", type=click.IntRange(1, 4096), help="Default: the processors at hand.")
@click.option("--timeout", "timeout_s", type=options.POSITIVE, metavar="SECONDS", help="Give up after so long.")
@click.option(
    "--on-interrupt",
    type=click.Choice(["raise", "partial"]),
    help="partial: Ctrl-C and --timeout keep the replicates, groups or --start points that are finished. Exits with 130.",
)
@options.progress_option
@click.option("--strict", is_flag=True, help="Exit with 1 unless the fit converged, with no parameter on a bound.")
@options.input_format_option
@options.format_option
@click.option(
    "-o",
    "--output",
    "law_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the fitted law here (.parquet or .toml), for `predict` and `sweep`. The parameters still go to stdout.",
)
@click.option(
    "--residuals",
    "residuals_file",
    metavar="FILE",
    help="Write the rows here with the fit's L, residual, weight, leverage and influence, in the format of the suffix.",
)
@click.option(
    "--influence",
    "influence_file",
    metavar="FILE",
    help="With --resample jackknife: write here what leaving out each row, run or value of --cluster changes.",
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr; warnings and errors remain.")
def fit(
    runs: str,
    law: str | None,
    by: tuple[str, ...],
    strict: bool,
    input_format: str | None,
    format_: str | None,
    law_file: Path | None,
    residuals_file: str | None,
    influence_file: str | None,
    manifest_file: Path | None,
    repeat: Path | None,
    force: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Fit a law to training runs.

    RUNS is a file of CSV, Parquet, NDJSON or Arrow, - for stdin, one row per run. Columns such as N, n_params, D, tokens,
    C, flops, loss are recognised; others are named with --col and --y. Prints one row per parameter with its interval;
    what was used, how well it converged and every warning go to stderr.
    """
    import scalefast as sf

    to = output.destination(format_, None, force, quiet)
    if law_file is not None:
        check_law_file(law_file, force)
    if manifest_file is not None:
        output.check_writable(manifest_file, force)
    rows_to = None if residuals_file is None else output.destination(None, residuals_file, force, quiet)
    influence_to = None if influence_file is None else output.destination(None, influence_file, force, quiet)
    if by:
        groups.check_use(click.get_current_context())
    else:
        settings = groups.without(settings)
    if law is None and repeat is None:
        raise click.UsageError("Missing option '--law'.", click.get_current_context())
    if influence_to is not None and repeat is None and not isinstance(settings.get("resample"), sf.Jackknife):
        hint = "add --resample jackknife"
        raise SettingsError("--influence: nothing is left out of the fit", code="bad-resample", hint=hint)
    frame = reading.read_frame(runs, input_format)
    if by:
        groups.run(frame, click.get_current_context(), to)
        return
    result = fitted(frame, str(law), settings, force) if repeat is None else repeated(repeat, frame, settings, force)
    click.get_current_context().with_resource(writing())
    tell(result, to)
    output.write_frame(result.parameters, to, meta=summary(result), table=lambda: result.parameters.drop("level"))
    keep(result, law_file, rows_to, influence_to, manifest_file, to)
    if "interrupted" in result.diagnostics["code"]:
        raise click.exceptions.Exit(INTERRUPTED)
    if strict:
        insist(result)


def fitted(frame: pl.DataFrame, law: str, settings: Mapping[str, Any], force: bool) -> sf.Fit:
    """The fit that the options ask for."""
    import scalefast as sf

    named: dict[str, Any] = {
        argument: options.unique(settings[name], option) for name, (argument, option) in NAMED.items()
    }
    starts = settings["starts"]
    others = {name: value for name, value in settings.items() if value is not None and name not in {*NAMED, "starts"}}
    grid = sf.Grid(options.unique(starts, "--start")) if starts else None
    return sf.fit(frame, law, **named, starts=grid, overwrite=force, **others)


def repeated(path: Path, frame: pl.DataFrame, settings: Mapping[str, Any], force: bool) -> sf.Fit:
    """The fit of a manifest again, run as the settings say."""
    import scalefast as sf

    manifest = sf.Manifest.read(path)
    manifests.tell_version(manifest.version)
    how = ("threads", "progress", "timeout_s", "on_interrupt", "draws_to")
    given = {name: settings[name] for name in how if settings[name] is not None}
    return sf.repeat(manifest, frame, overwrite=force, **given)


def keep(
    result: sf.Fit,
    law_file: Path | None,
    rows_to: output.Destination | None,
    influence_to: output.Destination | None,
    manifest_file: Path | None,
    to: output.Destination,
) -> None:
    """Write the law, the residuals, the influence and the manifest where they are asked for."""
    if law_file is not None:
        with output.replacing(law_file, to.force) as temporary:
            result.save(temporary, name=law_file.stem)
        output.note(f"saved as {law_file}", to)
    if rows_to is not None:
        output.write_frame(result.residuals, rows_to)
    if influence_to is not None:
        output.write_frame(result.influence, influence_to)
    if manifest_file is not None:
        with output.replacing(manifest_file, to.force) as temporary:
            result.manifest.save(temporary)


def check_law_file(path: Path, force: bool) -> None:
    """Refuse a name before the fit that could not be written after it."""
    if path.suffix not in (".parquet", ".toml"):
        raise SettingsError(
            f"--output: {errors.quoted(str(path))} is neither .parquet nor .toml",
            code="unknown-suffix",
            hint="the fitted law goes there; the parameters go to stdout, in the --format you like",
        )
    output.check_writable(path, force)


def tell(result: sf.Fit, to: output.Destination) -> None:
    """What was fitted to what, how it ended, and every diagnostic, on stderr."""
    spec = result.spec
    definitions = "".join(f"{name} = {text}; " for name, text in result.law.form.typed.items())
    formula = result.law.formula.removeprefix(definitions)
    output.note(f"{definitions}L = {formula}, {spec.residual} residual, {result.loss}", to)
    output.note(f"{result.status}, objective {result.objective:.10g}, {certificate_in_words(result.certificate)}", to)
    output.note(f"intervals of {100 * spec.level:g} %", to)
    for row in result.diagnostics.iter_rows(named=True):
        message = row["message"]
        if row["severity"] == "info":
            output.note(message, to)
        else:
            output.warn(f"{message} ({row['code']})")


def certificate_in_words(certificate: sf.Certificate) -> str:
    """Why the estimate is believed to be the optimum."""
    curvature = "convex" if certificate.curvature >= 0 else "not convex"
    return (
        f"scaled gradient {certificate.gradient:.1e}, {curvature} there, scaled condition {certificate.condition:.1e}"
    )


def summary(result: sf.Fit) -> dict[str, Any]:
    """What JSON says beside the parameters."""
    return {
        "law": result.law.form.id or None,
        "formula": result.law.formula,
        "residual": result.spec.residual,
        "loss": str(result.loss),
        "status": result.status,
        "objective": result.objective,
        "n_rows": result.n_rows,
        "n_read": result.n_read,
        "n_filtered": result.n_filtered,
        "n_dropped": result.n_dropped,
        "columns": {symbol.rstrip("="): column for symbol, column in result.sources.items()},
        "certificate": dataclasses.asdict(result.certificate),
        "diagnostics": result.diagnostics.to_dicts(),
    }


def insist(result: sf.Fit) -> None:
    """Fail unless the fit converged off every bound."""
    if result.status != "converged":
        raise errors.CheckFailed(f"--strict: the fit ended with status {result.status}")
