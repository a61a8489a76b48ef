"""`scalefast fit --by`: one fit a group of rows.

In: a frame of runs, the columns that tell groups apart, settings. Out: one row per group on stdout, how many groups ended how
on stderr.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from scalefast import LawError, SettingsError

from . import errors, manifests, options, output
from .exits import INTERRUPTED

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf

#: Parameters of the command that mean something for groups.
_WITH_GROUPS = {
    *("runs", "law", "by", "bindings", "units", "y", "where", "weights", "residual", "loss", "bounds", "fixed", "tied"),
    *("spacing", "errors", "threads", "progress", "timeout_s", "on_interrupt", "strict", "input_format"),
    *("format_", "force", "quiet", "manifest_file", "repeat"),
}
_ONLY_GROUPS = ("errors", "spacing")
_SETTINGS = (
    *_ONLY_GROUPS,
    "y",
    "where",
    "weights",
    "residual",
    "loss",
    "threads",
    "progress",
    "timeout_s",
    "on_interrupt",
)


class FitCommand(manifests.Recorded):
    """`fit`: its manifest holds the specification, but with `--by` it is that of any other command."""

    expose = True

    def read_manifest(self, path: Path) -> sf.CommandManifest | None:
        """None where the manifest is that of one fit, which the command repeats itself."""
        import scalefast as sf

        try:
            sf.Manifest.read(path)
        except LawError:
            return super().read_manifest(path)
        return None

    def records(self, ctx: click.Context) -> bool:
        """Groups are recorded as a command."""
        return bool(ctx.params["by"])


def by_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--by`, repeatable, and what only groups have."""
    for option in (
        click.option(
            "--spacing",
            metavar="COLUMN",
            help="With --by: weight each row by its share of the logarithm of this column, such as the step of a curve.",
        ),
        click.option(
            "--errors",
            type=click.Choice(["checked", "block", "independent"]),
            help="With --by: standard errors of independent residuals unless a test finds them autocorrelated (checked, "
            "the default), of blocks of rows, or unchecked.",
        ),
        click.option(
            "--by",
            metavar="COLUMN",
            multiple=True,
            help="Fit every group of rows that agree in this column; prints one row per group. Repeatable.",
        ),
    ):
        command = option(command)
    return command


def without(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of one fit: those of groups are refused."""
    for name in _ONLY_GROUPS:
        if settings[name] is not None:
            hint = "--by COLUMN fits every group of rows"
            raise SettingsError(f"--{name} goes with --by", code="only-with-groups", hint=hint)
    return {name: value for name, value in settings.items() if name not in _ONLY_GROUPS}


def run(frame: pl.DataFrame, context: click.Context, to: output.Destination) -> None:
    """Fits the groups and writes one row each."""
    import scalefast as sf

    given = context.params
    found = sf.fit_groups(
        frame,
        str(given["law"]),
        by=list(given["by"]),
        columns=options.unique(given["bindings"], "--col"),
        units=options.unique(given["units"], "--unit"),
        bounds=options.unique(given["bounds"], "--bound"),
        fixed=options.unique(given["fixed"], "--fix"),
        tied=options.unique(given["tied"], "--tie"),
        **{name: given[name] for name in _SETTINGS if given[name] is not None},
    )
    counts = found["status"].value_counts(sort=True)
    endings = ", ".join(f"{count} {status}" for status, count in counts.iter_rows())
    output.note(f"{found.height} groups: {endings}", to)
    output.write_frame(found, to)
    if "interrupted" in found["status"]:
        raise click.exceptions.Exit(INTERRUPTED)
    good = found["status"].is_in(["converged", "at-bound"]).all()
    if given["strict"] and not good:
        raise errors.CheckFailed(f"--strict: {endings}")


def check_use(context: click.Context) -> None:
    """Refuses options that groups have no use for."""
    for parameter in context.command.params:
        name = parameter.name or ""
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if typed and name not in _WITH_GROUPS:
            raise SettingsError(
                f"{parameter.opts[0]} cannot be used with --by",
                code="not-with-groups",
                hint="groups give one row each: parameters, standard errors, objective, status",
            )
