"""`scalefast plan`: from dollars, accelerators and time to one size and its data.

In: limits, quantities, laws. Out: the answer in sentences and a table of what else could be chosen; in JSON every frame;
in other formats the row of the decision. What was assumed and what the laws rest on go to stderr.
"""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import click

from scalefast import SettingsError, units

from .. import allocation, manifests, options, output
from ..allocation import short_count

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf

QUANTITY = "NUMBER|RANGE|DISTRIBUTION"


@click.command(
    cls=manifests.Recorded,
    inputs=("laws", "accelerators_file"),
    epilog=options.examples(
        "scalefast plan --accelerators 100xA100 --days 30 --mfu 'uniform(0.35,0.45)'",
        "scalefast plan --dollars 10M --accelerators H100-SXM --price 2..3 --served-tokens 2T --unique-tokens 12T",
    ),
)
@click.argument("known", metavar="[SYMBOL=NUMBER]...", type=options.FIXED, nargs=-1)
@click.option("--budget", type=options.BUDGET, help="Training FLOPs, such as 1e24 or 3640PF-days.")
@click.option("--dollars", type=options.DOLLARS, help="Money, such as 10M, at --price for an --accelerators hour.")
@click.option("--energy", "energy_kwh", type=options.ENERGY, help="Energy, such as 500MWh, at the rated power.")
@click.option("--accelerator-hours", type=options.POSITIVE, help="Hours of one accelerator, such as 2.7M.")
@click.option("--accelerators", metavar="COUNTxNAME", help="100xA100 or H100-SXM (see `scalefast accelerators`).")
@click.option("--days", metavar="DAYS", help="How long, with a count of accelerators: 30, or 6w.")
@click.option(
    "--mfu", metavar=QUANTITY, help="Model FLOP utilisation: 0.4, 0.35..0.45, 'normal(0.4,0.03)'. Default: 0.4."
)
@click.option("--goodput", metavar=QUANTITY, help="Share of the time in which the accelerators train. Default: 1.")
@click.option("--final-run-share", metavar=QUANTITY, help="Share of the means left for the final run. Default: 1.")
@click.option("--price", metavar=QUANTITY, help="Dollars per accelerator-hour. Default: the table's range.")
@click.option(
    "--served-tokens", type=options.POSITIVE, help="Tokens to serve after training, paid from the same means: 2T."
)
@click.option("--serving-mfu", metavar=QUANTITY, help="Utilisation in serving. Default: that of training.")
@click.option(
    "--serving-price", metavar=QUANTITY, help="Dollars per accelerator-hour in serving. Default: that of training."
)
@click.option("--serving-cost", metavar="FORMULA", help="FLOPs of serving T tokens. Default: 2*N*T.")
@click.option("--unique-tokens", type=options.POSITIVE, help="How many tokens there are: 12T.")
@click.option("--pue", metavar=QUANTITY, help="Energy of the site over that of the accelerators. Default: 1.")
@click.option("--co2-per-kwh", type=options.POSITIVE, help="Kilograms of CO2 a kWh, for an answer in CO2.")
@click.option(
    "--vocabulary", type=click.IntRange(1), help="Of the tokeniser: adds the nearest shape that can be built."
)
@click.option("--weights", type=options.WEIGHTS, help="One a --law: decide by the regret over all of them.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, help="Of the draws of quantities. Default: 0.")
@allocation.law_options
@options.accelerators_option
@options.progress_option
@options.output_options
def plan(
    known: tuple[tuple[str, float], ...],
    laws: tuple[str, ...],
    bounds: tuple[tuple[str, tuple[float, float]], ...],
    given: tuple[tuple[str, float | str], ...],
    to: output.Destination,
    **settings: Any,
) -> None:
    """Settle on one model size and its data, from money, machines, time or compute.

    Says what to train, the loss that it reaches, what it costs to be wrong, what binds and which assumptions matter. The
    size is the one of least expected regret over the law's draws and the uncertain quantities. Of several laws the first
    one predicts and decides. N=70B, D=1.4T or L=2.0 settle a size, data or a loss to reach; without any budget they ask
    for the rest, in the same units. Quantities are numbers, ranges or distributions: uniform(low,high), normal(mean,sd),
    lognormal(median,sd of the log).
    """
    import scalefast as sf

    asked = options.unique(known, "plan")
    for name in asked:
        if name not in ("N", "D", "L"):
            raise SettingsError(f"plan: {name} is not asked of a plan", code="bad-question", hint="give N, D or L")
    found = sf.plan(list(laws) or None, **asked, **allocation.settings(bounds, given, settings))
    allocation.introduce(found.law, found.cost, to)
    for note in found.notes:
        output.note(note, to)
    if to.format == "table":
        write_answer(found, to)
    elif to.format == "json":
        output.write_object(described(found), to)
    else:
        output.write_frame(found.decision, to)


def write_answer(found: sf.Plan, to: output.Destination) -> None:
    """Sentences, then the table of what else could be chosen."""
    with output.opened(to) as file:
        width = shutil.get_terminal_size().columns if file.isatty() else None
        for paragraph in found.words.splitlines():
            lines = [paragraph] if width is None else textwrap.wrap(paragraph, width)
            file.write("\n".join(lines) + "\n\n")
        output.write_table(for_people(found.alternatives), file)


def for_people(alternatives: pl.DataFrame) -> pl.DataFrame:
    """Each choice, what it wastes by the plan's law, and what the plan wastes by its."""
    import polars as pl

    rows = list(alternatives.iter_rows(named=True))
    return pl.DataFrame(
        {
            "choice": [row["choice"] for row in rows],
            "N": [short_count(row["N"]) for row in rows],
            "D": [short_count(row["D"]) for row in rows],
            "L": [units.format_loss(row["L"]) for row in rows],
            "wastes": [percent(row["regret_compute"]) for row in rows],
            "plan, if right": [percent(row["plan_regret_compute"]) for row in rows],
        }
    )


def percent(share: float | None) -> str:
    """A share of the compute."""
    return output.MISSING if share is None else f"{100 * share:.2f} %"


def described(found: sf.Plan) -> dict[str, Any]:
    """Every frame but the draws, the sentences, and the laws."""
    frames = ("constraints", "assumptions", "alternatives", "sources")
    laws = [{"law": law.id, "formula": law.formula, "fitted_range": law.fitted_range} for law in found.laws]
    return {
        "decision": found.decision.row(0, named=True),
        **{name: getattr(found, name).to_dicts() for name in frames},
        "shapes": None if found.shapes is None else found.shapes.to_dicts(),
        "words": found.words.splitlines(),
        "notes": list(found.notes),
        "cost": found.cost,
        "laws": laws,
    }
