"""`scalefast accelerators`: peak, memory, power and price of the accelerators that plans may name.

In: a table of the user's, if any. Out: one row per accelerator.
"""

from __future__ import annotations

import click

from .. import manifests, options, output

#: Columns that a table for people leaves out; machine formats have them all.
LEFT_OUT = ("source", "note", "date")


@click.command(
    cls=manifests.Recorded,
    inputs=("accelerators_file",),
    epilog=options.examples("scalefast accelerators", "scalefast accelerators --format json"),
)
@options.accelerators_option
@options.output_options
def accelerators(accelerators_file: str | None, to: output.Destination) -> None:
    """List the accelerators that `scalefast plan` knows.

    Dense peak FLOP/s, memory in GB, rated power in watts, lowest and highest dollars per hour of one. Unknown values are left
    empty. A table of yours (TOML, format of the shipped one) replaces entries and adds others.
    """
    import scalefast as sf

    frame = sf.accelerators(accelerators_file)
    output.note(f"table of {frame.sort('date')['date'][-1]}; prices are what was offered at price_date", to)
    output.write_frame(frame, to, table=lambda: frame.drop(LEFT_OUT))
