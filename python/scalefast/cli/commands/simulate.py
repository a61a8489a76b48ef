"""`scalefast simulate`: runs drawn from a law.

In: a law with values, one design, one kind of noise, a seed. Out: one row per run: the variables, L in nats per token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from scalefast import SettingsError, units

from .. import manifests, options, output, reading

#: Kinds of noise on the command line: the public class of each, and how many constants it takes at least and at most.
KINDS = {
    "log-normal": ("LogNormal", 1, 1),
    "additive": ("Additive", 1, 1),
    "student-t": ("StudentT", 1, 2),
    "run-level": ("RunLevel", 2, 3),
}
#: Residuals of a fit in a file, by the residual of that fit.
RESIDUALS = {"residuals": "log", "identity-residuals": "identity"}


def read_noise(text: str, what: str) -> tuple[str, list[Any]] | None:
    """`log-normal:0.01`, `student-t:0.01,3`, `run-level:0.01,0.002,5`, `residuals:FILE`, or `none`."""
    name, _, rest = text.strip().partition(":")
    if name == "none":
        return None
    if name in RESIDUALS and rest:
        return "Residuals", [rest, RESIDUALS[name]]
    if name not in KINDS:
        hint = f"use none, {', '.join([*KINDS, *(f'{kind}:FILE' for kind in RESIDUALS)])}"
        raise SettingsError(f"{what}: `{name:.40}` is not a kind of noise", code="bad-noise", hint=hint)
    constants = [units.read_number(part, what) for part in rest.split(",")] if rest else []
    kind, least, most = KINDS[name]
    if not least <= len(constants) <= most:
        hint = "such as log-normal:0.01, additive:0.02, student-t:0.01,3, run-level:0.01,0.002,5"
        raise SettingsError(f"{what}: `{text:.40}` has {len(constants)} numbers", code="bad-noise", hint=hint)
    return kind, constants


@click.command(
    cls=manifests.Recorded,
    inputs=("law", "points", "noise"),
    epilog=options.examples(
        "scalefast simulate hoffmann-2022 --isoflop 1e19..1e21:5 --sizes 7 --noise log-normal:0.005 --seed 1",
        "scalefast simulate hoffmann-2022 --sobol 64 | scalefast fit - --law chinchilla",
    ),
)
@click.argument("law", metavar="LAW", shell_complete=options.complete_law)
@click.option("--isoflop", "budgets", multiple=True, metavar="FLOPS", help="Several sizes at each of these budgets.")
@click.option("--sizes", type=click.IntRange(2), default=9, show_default=True, help="Sizes at each budget.")
@click.option(
    "--decades", type=options.POSITIVE, default=1.0, show_default=True, help="From the smallest to the largest size."
)
@click.option(
    "--offset", type=options.NUMBER, default=0.0, show_default=True, help="Decades of the middle off the best size."
)
@click.option("--ratio", type=options.POSITIVE, help="So many tokens per parameter, at every N of --at.")
@click.option("--sobol", "count", type=click.IntRange(1), help="So many points, evenly over the ranges.")
@click.option(
    "--range", "ranges", type=options.BOUND, multiple=True, help="Range of a variable: N=1e8..1e10. Default: the law's."
)
@click.option("--at", type=options.VALUES, multiple=True, help="Every combination of these: N=1e8..1e10:5. Repeatable.")
@click.option("--points", metavar="FILE", help="The points in a file, - for stdin; its columns are kept.")
@click.option("--col", "bindings", type=options.BINDING, multiple=True, help="The column of a variable in --points.")
@click.option(
    "--noise",
    type=options.Reader("NOISE", read_noise),
    default="log-normal:0.01",
    show_default=True,
    help="none, log-normal:SIGMA, additive:NATS, student-t:SCALE,DEGREES, run-level:RUN,EVALUATION,EVALUATIONS, "
    "or residuals:FILE, drawn from what `fit --residuals` wrote (identity-residuals:FILE after --residual identity).",
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True)
@options.input_format_option
@options.output_options
def simulate(
    law: str,
    noise: tuple[str, list[Any]] | None,
    seed: int,
    bindings: tuple[tuple[str, str], ...],
    to: output.Destination,
    **design: Any,
) -> None:
    """Draw runs from a law, with noise.

    LAW is a law with values: an id, or a file. The design is one of --isoflop, --ratio, --sobol, --at and --points. The
    same seed gives the same bytes on every machine.
    """
    import scalefast as sf

    runs = sf.simulate(
        law,
        chosen(design),
        None if noise is None else build(*noise),
        seed,
        columns=options.unique(bindings, "--col"),
    )
    output.write_frame(runs, to)


def build(name: str, constants: Sequence[Any]) -> Any:
    """The noise; counts are whole numbers."""
    import scalefast as sf

    if name == "Residuals":
        file, kind = constants
        return sf.Residuals(sf.read_file(file), kind)
    whole = {"StudentT": 1, "RunLevel": 2}.get(name)
    given = [int(c) if place == whole and c == int(c) else c for place, c in enumerate(constants)]
    return getattr(sf, name)(*given)


def chosen(design: dict[str, Any]) -> Any:
    """The one design that is given."""
    import scalefast as sf

    at = options.unique(design["at"], "--at")
    asked = {
        "--isoflop": bool(design["budgets"]),
        "--ratio": design["ratio"] is not None,
        "--sobol": design["count"] is not None,
        "--points": design["points"] is not None,
        "--at": bool(at) and design["ratio"] is None,
    }
    given = [name for name, is_asked in asked.items() if is_asked]
    if len(given) != 1:
        problem = f"{' and '.join(given)} are several designs" if given else "no design is given"
        raise SettingsError(problem, code="bad-design", hint=f"give one of {', '.join(asked)}")
    if given == ["--isoflop"]:
        budgets = [flops for text in design["budgets"] for flops in units.read_grid(text, "--isoflop")]
        return sf.IsoFLOP(budgets, design["sizes"], design["decades"], design["offset"])
    if given == ["--ratio"]:
        if list(at) != ["N"]:
            raise SettingsError("--ratio needs the sizes", code="bad-design", hint="--at N=1e8..1e10:5")
        return sf.FixedRatio(design["ratio"], at["N"])
    if given == ["--sobol"]:
        return sf.Sobol(design["count"], options.unique(design["ranges"], "--range") or None)
    if given == ["--points"]:
        return reading.read_frame(design["points"], design["input_format"])
    return combinations(at)


def combinations(at: dict[str, list[float]]) -> Any:
    """Every combination of the values, the last name varying fastest."""
    from itertools import product

    import polars as pl

    return pl.DataFrame(list(product(*at.values())), schema=dict.fromkeys(at, pl.Float64), orient="row")
