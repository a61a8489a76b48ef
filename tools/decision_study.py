"""Whether the least-regret size is worth having: `make evidence` writes docs/decision-study.md.

In: true laws drawn around published ones, runs simulated from each, fits with their bootstraps, and what there is to spend.
Out: the true regret, as a share of the compute, of the size that each rule chooses: the plan of least expected regret over
the fit and the published laws, the median of all their draws' optima, optima of single laws, 20 tokens per parameter.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import scalefast as sf

#: What the planner takes besides the fit, and the weights of all three; chosen before the first run of this study.
PUBLISHED = ("hoffmann-2022", "epoch-2024-huber")
WEIGHTS = (2, 1, 1)
#: The laws that true laws scatter about, in turn: of the first table, and of the second.
UNKNOWN, KNOWN = ("hoffmann-2022", "epoch-2024"), ("hoffmann-2022",)
REPLICATES = 300
#: Scatter of the true laws: of the logarithms of exponents, about that of the exponents of the catalogue's additive laws
#: (0.3), and of those of both terms at a reference run.
EXPONENTS, TERMS = 0.25, 0.2
REFERENCE = {"N": 1e9, "D": 2e10}
PAGE = Path(__file__).parents[1] / "docs" / "decision-study.md"
POOLED, MEDIAN = "least regret over fit and laws", "median of all draws"
ALONE, MEDIAN_ALONE, FITTED, RULE = (
    "least regret of the fit",
    "median of the fit's draws",
    "the fitted law",
    "20 tokens per parameter",
)
#: The columns of both tables; differences are from the first one.
COLUMNS = (POOLED, MEDIAN, FITTED, *PUBLISHED, RULE, ALONE)
COLUMNS_OF_FIT = (ALONE, MEDIAN_ALONE, FITTED, *PUBLISHED, RULE, POOLED)


@dataclass(frozen=True)
class Case:
    """One line of the table: how much is known, and what there is to spend."""

    words: str
    design: Any
    noise: float
    means: dict[str, Any] = field(default_factory=dict)


FEW = sf.IsoFLOP("1e19..1e20:4", sizes=5)
MORE = sf.IsoFLOP("1e19..1e21:5", sizes=9)
CASES = (
    Case("45 runs, noise 0.5 %, 100 times the compute", MORE, 0.005, {"budget": 1e23}),
    Case("20 runs, noise 1 %, 1,000 times the compute", FEW, 0.01, {"budget": 1e23}),
    Case("the same, 1T tokens served from it", FEW, 0.01, {"budget": 1e23, "served_tokens": 1e12}),
    Case("the same, 500B unique tokens", FEW, 0.01, {"budget": 1e23, "unique_tokens": 5e11}),
    Case("the same, no model above 20B", FEW, 0.01, {"budget": 1e23, "bounds": {"N": (None, 2e10)}}),
    Case(
        "the same compute, at a utilisation of 0.2 to 0.6",
        FEW,
        0.01,
        {"accelerators": "100xA100", "days": 92.75, "mfu": (0.2, 0.6)},
    ),
)


def truth(centre: str, seed: int) -> sf.Law:
    """A law around the centre: exponents scattered about its own, terms about those of the reference run."""
    values = {name: float(value or 0.0) for name, value in sf.law(centre).parameters.items()}
    z = np.random.default_rng(seed).normal(size=4)
    drawn = {"E": values["E"]}
    for (scale, exponent, variable), (bend, lift) in zip(
        (("A", "alpha", "N"), ("B", "beta", "D")), (z[:2], z[2:]), strict=True
    ):
        drawn[exponent] = values[exponent] * math.exp(EXPONENTS * bend)
        term = values[scale] * REFERENCE[variable] ** -values[exponent] * math.exp(TERMS * lift)
        drawn[scale] = term * REFERENCE[variable] ** drawn[exponent]
    return sf.law("chinchilla").with_values(drawn)


def fitted(centre: str, seed: int, design: Any, noise: float) -> sf.Law:
    """The law fitted to runs of the true one, with its draws."""
    runs = sf.simulate(truth(centre, seed), design, sf.LogNormal(noise), seed=seed)
    return sf.fit(runs, "chinchilla", loss=sf.Squared(), resample=sf.Bootstrap(REPLICATES), seed=seed).law


def sizes(case: Case, fit: sf.Law, published: Sequence[sf.Plan], seed: int) -> dict[str, float] | None:
    """The size that each rule chooses after seeing one set of runs; None where a draw of the law has no best split."""
    settings = {**case.means, "draws": 0 if fit.draws is None else fit.draws.height, "seed": seed}
    try:
        pooled = sf.plan([fit, *PUBLISHED], weights=WEIGHTS, **settings)
        alone = [sf.plan(fit, **settings), *published]
    except sf.LawError:
        return None
    rows = dict(zip(pooled.alternatives["choice"], pooled.alternatives["N"], strict=True))
    found = {
        POOLED: pooled.N,
        MEDIAN: weighted_median(alone),
        ALONE: alone[0].N,
        FITTED: rows[pooled.decision["law"][0]],
    }
    found |= {rule: rows[rule] for rule in (*PUBLISHED, RULE) if rule in rows}
    return found | {MEDIAN_ALONE: float(np.median(alone[0].draws["N_best"].to_numpy()))}


def weighted_median(plans: Sequence[sf.Plan]) -> float:
    """The size below which half of the weight of all draws' optima lies; a law without draws is one draw."""
    optima = [plan.draws["N_best"].to_numpy() if plan.draws.height else np.array([plan.N]) for plan in plans]
    shares = [np.full(len(found), weight / len(found)) for found, weight in zip(optima, WEIGHTS, strict=True)]
    pool, weight = np.concatenate(optima), np.concatenate(shares)
    order = np.argsort(pool)
    below = np.cumsum(weight[order])
    return float(pool[order][np.searchsorted(below, below[-1] / 2)])


def true_waste(case: Case, law: sf.Law, size: float, seed: int) -> float:
    """The share of the compute that a size wastes if the true law is known; all of it where the size cannot be had."""
    try:
        plan = sf.plan(law, N=size, **case.means, seed=seed, draws=REPLICATES)
    except sf.LawError:
        return 1.0
    return float(plan.alternatives.filter(choice="this plan")["regret_compute"].item())


def study(case: Case, centres: Sequence[str], count: int) -> tuple[dict[str, list[float]], int]:
    """True waste of each rule in each simulated study, and how many had no plan."""
    found: dict[str, list[float]] = defaultdict(list)
    published = [sf.plan(law, **case.means, draws=REPLICATES) for law in PUBLISHED]
    without = 0
    for seed in range(count):
        centre = centres[seed % len(centres)]
        chosen = sizes(case, fitted(centre, seed, case.design, case.noise), published, seed)
        if chosen is None:
            without += 1
            continue
        law = truth(centre, seed)
        for rule, size in chosen.items():
            found[rule].append(true_waste(case, law, size, seed))
    return found, without


def difference(values: Sequence[float], first: Sequence[float]) -> tuple[float, float]:
    """How much more is wasted than by the first rule, in percent, and the standard error; the studies being paired."""
    more = 100 * (np.array(values) - np.array(first))
    return float(more.mean()), float(more.std(ddof=1)) / math.sqrt(len(more))


def table(centres: Sequence[str], columns: Sequence[str], count: int) -> Iterator[str]:
    """One table, and after it where the first rule wastes less than each other one and where not."""
    yield "| what is known and spent | " + " | ".join(columns) + " |"
    yield "|---|" + "---|" * len(columns)
    verdicts: dict[str, list[int]] = {rule: [0, 0, 0] for rule in columns[1:]}
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        studies = list(pool.map(partial(study, centres=centres, count=count), CASES))
    for case, (found, without) in zip(CASES, studies, strict=True):
        first = found[columns[0]]
        cells = [f"{100 * float(np.mean(first)):.2f}"]
        for rule in columns[1:]:
            if len(found[rule]) != len(first):
                cells.append("–")
                continue
            more, error = difference(found[rule], first)
            cells.append(f"{100 * float(np.mean(found[rule])):.2f} ({more:+.2f} ± {error:.2f})")
            verdicts[rule][0 if more > 2 * error else 2 if more < -2 * error else 1] += 1
        note = f" ({without} studies without a plan left out)" if without else ""
        yield f"| {case.words}{note} | " + " | ".join(cells) + " |"
    yield ""
    yield f"In how many lines the {columns[0]} wastes less than another rule by more than two standard errors of the"
    yield "difference, is within two of it, and wastes more by more than two:"
    yield ""
    yield "| than | less | within two | more |"
    yield "|---|---|---|---|"
    for rule, lines in verdicts.items():
        yield f"| {rule} | " + " | ".join(map(str, lines)) + " |"


def page(count: int) -> Iterator[str]:
    """The page."""
    yield "# Is the least-regret size worth having?"
    yield ""
    yield f"Written by `make evidence` (tools/decision_study.py). Per line, in each of {count} simulated studies, a true law is"
    yield f"drawn around a published one: exponents scattered by {100 * EXPONENTS:.0f} %, the terms of a run of 1B parameters and"
    yield f"20B tokens by {100 * TERMS:.0f} %. Runs are simulated from it, fitted by least squares and resampled {REPLICATES}"
    yield "times; then each rule chooses a size for a budget beyond all runs, and the true law says what share of compute"
    yield "it wastes."
    yield "Percent, mean over the studies; in brackets the difference from the first column and the standard error of its mean,"
    yield "the studies being paired."
    yield ""
    yield "## Nobody knows which law is right"
    yield ""
    yield f"Half of the true laws are drawn around `{UNKNOWN[0]}`, half around `{UNKNOWN[1]}`, and the planner is not told"
    yield f"which. The plan of least regret takes the fit, `{PUBLISHED[0]}` and `{PUBLISHED[1]}` (as many of its draws as the"
    yield f"fit has) at `weights={list(WEIGHTS)}`, settled before the first run; the median of all draws is that of the draws'"
    yield "optima at the same weights, a law without draws being one draw. The last column is the plan that hears the fit alone."
    yield ""
    yield from table(UNKNOWN, COLUMNS, count)
    yield ""
    yield "The scatter, the number of runs and wasted compute as the criterion, in place of nats, were chosen after earlier"
    yield "trials; the weights before this table was first made. The true laws scatter about the very laws that the planner"
    yield "hears; of laws unlike all of them this table says nothing."
    yield ""
    yield f"## Every true law is near `{KNOWN[0]}`"
    yield ""
    yield f"Here `{KNOWN[0]}` is the centre that all true laws scatter about: where runs say little it is a good guess, and"
    yield "a better one than anybody has of a law not yet known. The first column is the plan that hears the fit alone, beside"
    yield "the median of the fit's own draws; the last one the plan over the fit and both published laws."
    yield ""
    yield from table(KNOWN, COLUMNS_OF_FIT, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=80, help="simulated studies per line")
    count = parser.parse_args().count
    # The lines of a table run beside each other, each on one thread.
    os.environ["SCALEFAST_NUM_THREADS"] = "1"
    lines = []
    for line in page(count):
        print(line, flush=True)
        lines.append(line)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
