"""`scalefast explain`: what a code of an error or of a warning means.

In: codes, or nothing. Out: the facts about each, or a table of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from scalefast import SettingsError

from .. import errors, options, output

if TYPE_CHECKING:
    import polars as pl


def complete_code(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes that start as what is typed."""
    import scalefast as sf

    return [
        CompletionItem(code) for code in sf.codes()["code"].unique(maintain_order=True) if code.startswith(incomplete)
    ]


@click.command(
    epilog=options.examples(
        "scalefast explain invalid-rows", "scalefast explain delta-near-l1 looks-scaled --format json"
    )
)
@click.argument("codes", metavar="[CODE]...", nargs=-1, shell_complete=complete_code)
@options.output_options
def explain(codes: tuple[str, ...], to: output.Destination) -> None:
    """Explain the code of an error or a warning.

    CODE is what stands in brackets after a warning of `fit`, or as "code" in an error under --format json. Without any,
    lists all.
    """
    import scalefast as sf

    frame = sf.codes()
    if not codes:
        output.write_frame(frame, to, table=lambda: frame.select("code", "kind", "meaning"))
        return
    chosen = pick(frame, codes)
    if to.format == "table":
        for place, row in enumerate(chosen.iter_rows(named=True)):
            if place:
                click.echo()
            output.write_fields({name: value for name, value in row.items() if value is not None}, to)
    else:
        output.write_frame(chosen, to)


def pick(frame: pl.DataFrame, codes: tuple[str, ...]) -> pl.DataFrame:
    """The rows of the codes, in the order asked for. Raises SettingsError, `unknown-code`, with the nearest."""
    import polars as pl

    known = frame["code"].unique(maintain_order=True).to_list()
    for code in codes:
        if code not in known:
            hint = errors.hint_for(code, known, "codes")
            raise SettingsError(
                f"no error or warning has the code {errors.quoted(code)}", code="unknown-code", hint=hint
            )
    return pl.concat([frame.filter(code=code) for code in dict.fromkeys(codes)])
