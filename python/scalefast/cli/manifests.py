"""`--manifest` and `--repeat`: what a fit was made of, written to a file and made again from it.

In: options. Out: whether they may stand together. A run repeated from its manifest gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from scalefast import SettingsError

#: Options that change nothing in what is found, and so may stand beside `--repeat`.
ALLOWED = {
    "runs",
    "repeat",
    "manifest_file",
    "threads",
    "progress",
    "strict",
    "input_format",
    "format_",
    "law_file",
    "force",
    "quiet",
}


def manifest_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--manifest FILE` and `--repeat FILE`."""
    for add in (
        click.option(
            "--repeat",
            metavar="MANIFEST",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Fit again as this manifest says: its law, its settings, the same rows. Gives the same bytes.",
        ),
        click.option(
            "--manifest",
            "manifest_file",
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the manifest here, as JSON: version, law and settings, seed, hash of the data, kernel.",
        ),
    ):
        command = add(command)
    return command


def check_use(law: str | None, repeat: Path | None) -> None:
    """Either a law or a manifest to repeat, and no settings beside the latter."""
    if repeat is None:
        if law is None:
            raise click.UsageError("Missing option '--law'.", click.get_current_context())
        return
    context = click.get_current_context()
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in ALLOWED
        and context.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise SettingsError(
            f"--repeat takes everything from the manifest, and {given[0]} is given too",
            code="repeat-with-settings",
            hint=f"leave out {', '.join(given)}",
        )
