"""`scalefast solve`: what follows from a size, an amount of data, a loss or a compute.

In: one or two of C, N, D, L, and laws. Out: one row per law on stdout; what the laws rest on, on stderr.
"""

from __future__ import annotations

from typing import Any

import click

from .. import allocation, manifests, options, output


@click.command(
    cls=manifests.Recorded,
    inputs=("laws",),
    epilog=options.examples(
        "scalefast solve N=10B",
        "scalefast solve L=2.0 N=7B --law hoffmann-2022 --law epoch-2024 --format csv",
    ),
)
@click.argument("known", metavar="SYMBOL=NUMBER...", type=options.FIXED, nargs=-1, required=True)
@allocation.allocation_options
@options.progress_option
@options.output_options
def solve(
    known: tuple[tuple[str, float], ...],
    laws: tuple[str, ...],
    quantiles: tuple[float, ...],
    bounds: tuple[tuple[str, tuple[float, float]], ...],
    given: tuple[tuple[str, float | str], ...],
    to: output.Destination,
    **settings: Any,
) -> None:
    """Find the rest of compute, size, data and loss.

    From one or two of C (FLOPs), N (parameters), D (tokens) and L (nats per token). N alone asks for the data, and so the
    compute, at which this size is the best one; L for the cheapest run that reaches it; N and L for the data that it
    takes; N and D for compute and loss. Where less compute reaches the same loss, "least C" says how much.
    """
    import scalefast as sf

    asked = options.unique(known, "solve")
    found = sf.solve(list(laws) or None, quantiles=quantiles, **asked, **allocation.settings(bounds, given, settings))
    asked_of = [sf.law(name) for name in laws or found["law"]]
    for law in asked_of:
        frontier = "L" not in law.outputs and list(law.variables) == ["C"]
        allocation.introduce(law, None if frontier else settings["cost"] or law.cost, to)
    for line in [*allocation.differences(asked_of), *allocation.distances(found, settings["cost"])]:
        output.note(line, to)
    allocation.tell_quantiles(found, quantiles, to)
    optimise = settings["optimise"] or ("N", "D")
    output.write_frame(found, to, table=lambda: allocation.for_people(found, optimise))
