"""Whether the least-regret size is worth having: `make evidence` writes docs/decision-study.md.

In: true laws drawn around `hoffmann-2022`, runs simulated from each, fits with their bootstraps, and what there is to spend.
Out: the true regret, as a share of the compute, of the size that each rule chooses: the plan of least expected regret, the
median of the draws' optima, the optimum of the fitted law, optima of published laws, 20 tokens per parameter.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import scalefast as sf

CENTRE = "hoffmann-2022"
PUBLISHED = ("hoffmann-2022", "epoch-2024")
REPLICATES = 300
#: Scatter of the true laws: of the logarithms of exponents, about that of the exponents of the catalogue's additive laws
#: (0.3), and of those of both terms at a reference run.
EXPONENTS, TERMS = 0.25, 0.2
REFERENCE = {"N": 1e9, "D": 2e10}
PAGE = Path(__file__).parents[1] / "docs" / "decision-study.md"
POOLED = f"least regret, {CENTRE} at equal weight"
RULES = ("least regret", "median of the draws", "the fitted law", *PUBLISHED, "20 tokens per parameter", POOLED)


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


def truth(seed: int) -> sf.Law:
    """A law around the centre: exponents scattered about its own, terms about those of the reference run."""
    values = {name: float(value or 0.0) for name, value in sf.law(CENTRE).parameters.items()}
    z = np.random.default_rng(seed).normal(size=4)
    drawn = {"E": values["E"]}
    for (scale, exponent, variable), (bend, lift) in zip(
        (("A", "alpha", "N"), ("B", "beta", "D")), (z[:2], z[2:]), strict=True
    ):
        drawn[exponent] = values[exponent] * math.exp(EXPONENTS * bend)
        term = values[scale] * REFERENCE[variable] ** -values[exponent] * math.exp(TERMS * lift)
        drawn[scale] = term * REFERENCE[variable] ** drawn[exponent]
    return sf.law("chinchilla").with_values(drawn)


def sizes(case: Case, law: sf.Law, seed: int) -> dict[str, float] | None:
    """The size that each rule chooses after seeing one set of runs; None where a draw of the law has no best split."""
    runs = sf.simulate(law, case.design, sf.LogNormal(case.noise), seed=seed)
    fit = sf.fit(runs, "chinchilla", loss=sf.Squared(), resample=sf.Bootstrap(REPLICATES), seed=seed)
    try:
        plan = sf.plan([fit.law, *PUBLISHED], **case.means, seed=seed)
        pooled = sf.plan([fit.law, CENTRE], weights=[1, 1], **case.means, seed=seed)
    except sf.LawError:
        return None
    rows = dict(zip(plan.alternatives["choice"], plan.alternatives["N"], strict=True))
    names = {"least regret": "this plan", "the fitted law": plan.decision["law"][0]}
    rows[POOLED] = pooled.N
    return {rule: rows[names.get(rule, rule)] for rule in RULES if names.get(rule, rule) in rows}


def true_waste(case: Case, law: sf.Law, size: float, seed: int) -> float:
    """The share of the compute that a size wastes if the true law is known; all of it where the size cannot be had."""
    try:
        plan = sf.plan(law, N=size, **case.means, seed=seed, draws=400)
    except sf.LawError:
        return 1.0
    return float(plan.alternatives.filter(choice="this plan")["regret_compute"].item())


def study(case: Case, count: int) -> tuple[dict[str, list[float]], int]:
    """True waste of each rule in each simulated study, and how many had no plan."""
    found: dict[str, list[float]] = defaultdict(list)
    without = 0
    for seed in range(count):
        law = truth(seed)
        chosen = sizes(case, law, seed)
        if chosen is None:
            without += 1
            continue
        for rule, size in chosen.items():
            found[rule].append(true_waste(case, law, size, seed))
    return found, without


def cell(values: list[float], plan: list[float]) -> str:
    """The mean waste in percent, and how much more than the plan's with the standard error of the paired difference."""
    mean = 100 * float(np.mean(values))
    if values is plan:
        return f"{mean:.2f}"
    more = 100 * (np.array(values) - np.array(plan))
    return f"{mean:.2f} ({more.mean():+.2f} ± {more.std(ddof=1) / math.sqrt(len(more)):.2f})"


def table(count: int) -> Iterator[str]:
    """The page."""
    yield "# Is the least-regret size worth having?"
    yield ""
    yield f"Written by `make evidence` (tools/decision_study.py). In each of {count} simulated studies a line a true law is drawn"
    yield f"around `{CENTRE}`: exponents scattered by {100 * EXPONENTS:.0f} %, the terms of a run of 1B parameters and 20B tokens"
    yield f"by {100 * TERMS:.0f} %. Runs are simulated from it, fitted by least squares and resampled {REPLICATES} times; then"
    yield "each rule chooses a size for a budget beyond all runs, and the true law says what share of compute it wastes."
    yield "Percent, mean over the studies; in brackets the difference from the least-regret plan and the standard error of its"
    yield "mean, the studies being paired."
    yield ""
    yield "| what is known and spent | " + " | ".join(RULES) + " |"
    yield "|---|" + "---|" * len(RULES)
    for case in CASES:
        found, without = study(case, count)
        plan = found["least regret"]
        cells = [cell(found[rule], plan) if len(found[rule]) == len(plan) else "–" for rule in RULES]
        note = f" ({without} studies without a plan left out)" if without else ""
        yield f"| {case.words}{note} | " + " | ".join(cells) + " |"
    yield ""
    yield f"`{CENTRE}` is the centre that the true laws scatter about: where runs say little it is a good guess, and a better one"
    yield "than anybody has of a law not yet known. The last column gives it the weight of the fit (`weights=[1, 1]`), which pays"
    yield "while the runs are few and costs when they are many."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="simulated studies a line")
    count = parser.parse_args().count
    lines = []
    for line in table(count):
        print(line, flush=True)
        lines.append(line)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
