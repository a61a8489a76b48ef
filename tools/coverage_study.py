"""How often 90 % intervals hold the truth: `make evidence` writes docs/coverage.md.

In: data sets simulated from `hoffmann-2022`, with log-normal and heavy-tailed noise, with rows that are runs and rows that
share runs (8 to 60 of them), with outliers, noise that falls with scale and a bound that is active in part of the fits.
Out: a table of the share of data sets whose interval contains the true parameter, the true best N at 100 times the largest
budget of the data, and the true loss there, for each way to make an interval; the median ratio of each formula's standard
error to the bootstrap's; and whether both are as they should be.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

import scalefast as sf

TRUTH = "hoffmann-2022"
LEVEL = 0.90
REPLICATES = 400
NAMES = ("E", "A", "B", "alpha", "beta")
QUANTITIES = (*NAMES, "N at 100 C", "L at 100 C")
#: Where the coverage of a 90 % interval must lie, and how close standard errors must be to the bootstrap's.
COVERED, WITHIN = (0.85, 0.95), 0.15
#: The method that profiles the likelihood instead of reading the fit.
PROFILE = "profile"
PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"


@dataclass(frozen=True)
class Case:
    """One table: what is simulated, and how it is fitted."""

    rows: int
    noise: Any
    loss: Any = field(default_factory=sf.Squared)
    #: Rows come as runs of so many evaluations of one configuration.
    evaluations: int = 0
    #: Rows come as runs of six checkpoints, whose noise stands in for `noise`.
    runs: int = 0
    #: Share of the rows whose loss is 20 % higher, as after a divergence that nobody saw.
    outliers: float = 0.0
    #: Noise falls with this power of N from what `noise` says at the smallest.
    shrinks: float = 0.0
    #: alpha is held to at most this above the truth.
    bound: float | None = None

    @property
    def words(self) -> str:
        """As the page says it."""
        loss = "log-Huber(1e-3)" if self.loss is None else f"log-{self.loss}"
        rows = f"{self.rows} rows" + f" in runs of {self.evaluations}" * bool(self.evaluations)
        rows = f"{self.runs} runs of {self.rows // self.runs} checkpoints" if self.runs else rows
        more = f", {100 * self.outliers:.0f} % of them outliers" * bool(self.outliers)
        more += f" at the smallest N, falling as N^-{self.shrinks:g}" * bool(self.shrinks)
        more += f", alpha at most {self.bound} above the truth" * (self.bound is not None)
        return f"{rows}, {self.noise}{more}, {loss}"

    @property
    def clusters(self) -> int:
        """How many runs there are whose rows share noise."""
        return self.runs or (self.rows // self.evaluations if self.evaluations else 0)

    @property
    def settings(self) -> dict[str, Any]:
        """What every fit of the case has."""
        if self.bound is None:
            return {}
        return {"bounds": {"alpha": (0.0, float(sf.law(TRUTH).parameters["alpha"] or 0.0) + self.bound)}}


#: Noise of a run and of each of its checkpoints.
CHECKPOINTS = sf.RunLevel(run=0.005, evaluation=0.0015)

CASES = (
    Case(60, sf.LogNormal(0.01), sf.Squared()),
    Case(60, sf.LogNormal(0.01), None),
    Case(60, sf.StudentT(0.006, degrees=3), None),
    Case(240, sf.LogNormal(0.01), sf.Squared()),
    Case(240, sf.LogNormal(0.01), None),
    Case(240, sf.StudentT(0.006, degrees=3), None),
    Case(240, sf.RunLevel(run=0.01, evaluation=0.002, evaluations=4), evaluations=4),
    *(Case(6 * runs, CHECKPOINTS, runs=runs) for runs in (8, 12, 20, 40)),
    Case(25, sf.LogNormal(0.005), sf.Huber("auto"), outliers=0.1),
    Case(60, sf.LogNormal(0.02), shrinks=0.25),
    Case(60, sf.LogNormal(0.01), bound=0.01),
)


def data(case: Case, seed: int) -> Any:
    """One data set; designs are the same in all of them but for the lengths of runs, noise is not."""
    if case.runs:
        return checkpoints(case, seed)
    points = case.rows // max(case.evaluations, 1)
    design = sf.Sobol(points, ranges={"N": (5e7, 1e10), "D": (1e9, 3e11)})
    runs = sf.simulate(TRUTH, design, case.noise, seed=seed)
    random = np.random.default_rng(seed)
    if case.outliers:
        far = random.permutation(case.rows) < round(case.outliers * case.rows)
        runs = runs.with_columns(L=pl.col("L") * pl.Series(np.where(far, 1.2, 1.0)))
    if case.shrinks:
        true = sf.law(TRUTH).predict(runs.drop("L"))["L"]
        share = (runs["N"] / runs["N"].min()).pow(-case.shrinks)
        runs = runs.with_columns(L=true * (runs["L"] / true).pow(share))
    return runs


def checkpoints(case: Case, seed: int) -> Any:
    """Runs of checkpoints that lie on the law but for the noise of the run, which all of them share, and their own."""
    random = np.random.default_rng(seed)
    count = case.rows // case.runs
    size = np.exp(np.linspace(np.log(5e7), np.log(1e10), case.runs)).repeat(count)
    length = np.exp(random.uniform(np.log(1e10), np.log(3e11), case.runs)).repeat(count)
    run = np.arange(case.runs).repeat(count)
    runs = pl.DataFrame({"run": run, "N": size, "D": length * np.tile(np.exp(np.linspace(-3, 0, count)), case.runs)})
    noise = case.noise.run * random.standard_normal(case.runs)[run]
    noise += case.noise.evaluation * random.standard_normal(case.rows)
    return sf.law(TRUTH).predict(runs).with_columns(L=pl.col("L") * pl.Series(np.exp(noise)))


def methods(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ways to make an interval: settings of the fit."""
    yield "first order", {}
    if case.clusters:
        yield "first order, run=", {"run": "run"}
    if case.bound is not None:
        yield PROFILE, {}
    few = "expanded" if case.runs >= 10 else "percentile"
    pairs = few if case.runs else "bca"
    if not case.runs:
        yield f"pairs, default ({pairs})", {"resample": sf.Bootstrap(REPLICATES)}
        yield "pairs percentile", {"resample": sf.Bootstrap(REPLICATES, interval="percentile")}
    if case.clusters:
        other: Literal["bca", "percentile"] = "bca" if case.runs else "percentile"
        yield f"runs, default ({pairs})", {"resample": sf.Bootstrap(REPLICATES, cluster="run")}
        yield f"runs {other}", {"resample": sf.Bootstrap(REPLICATES, cluster="run", interval=other)}


def formulas(budget: float) -> dict[str, str]:
    """The best N at a budget of 6ND and the loss there, by the parameters; N by its logarithm, in which it is nearer normal."""
    n = f"(({budget / 6!r}**beta * alpha*A/(beta*B))**(1/(alpha + beta)))"
    return {"N at 100 C": f"log({n})", "L at 100 C": f"E + A/{n}**alpha + B/({budget / 6!r}/{n})**beta"}


def study(case: Case, count: int) -> Iterator[tuple[str, float, dict[str, float], dict[str, float]]]:
    """Of each method: the share of data sets in which it is given, the coverage of each quantity, and the median ratio of
    standard errors to those of the bootstrap."""
    law = sf.law(TRUTH)
    held: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    errors: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    values = {name: float(value or 0.0) for name, value in law.parameters.items()}
    for seed in range(count):
        runs = data(case, seed)
        budget = 100 * float((6 * runs["N"] * runs["D"]).max())
        best = sf.sweep(law, budget, draws=0).summary.row(0, named=True)
        derived = formulas(budget)
        truths = values | {"N at 100 C": math.log(best["N"]), "L at 100 C": best["L"]}
        for method, settings in methods(case):
            every = {"checkpoints": "all"} if "run" in settings else {}
            spec = sf.FitSpec("chinchilla", residual="log", loss=case.loss, level=LEVEL, seed=seed, **case.settings)
            fit = sf.fit(runs, spec.replace(**settings, **every))
            if method == PROFILE:
                for name, formula in ({name: name for name in NAMES} | derived).items():
                    ends = profiled(fit, formula)
                    if ends is not None:
                        held[method][name].append(ends[0] <= truths[name] <= ends[1])
                continue
            found = {row["parameter"]: row for row in fit.parameters.iter_rows(named=True)}
            found |= {name: fit.derive(formula).row(0, named=True) for name, formula in derived.items()}
            for name, row in found.items():
                if row["lower"] is not None:
                    held[method][name].append(row["lower"] <= truths[name] <= row["upper"])
            # Standard errors compare on the scale on which intervals are made: of A and B by their logarithms.
            found |= {name: fit.derive(f"log({name})").row(0, named=True) for name in ("A", "B")}
            for name, row in found.items():
                if row["std_error"] is not None:
                    errors[method][name][seed] = row["std_error"]
    named = ("runs percentile", "runs, default (expanded)", "runs, default (percentile)", "pairs percentile")
    reference = next(name for name in named if name in errors)
    for method, _ in methods(case):
        quantities = held[method]
        coverage = {name: sum(hits) / len(hits) for name, hits in quantities.items()}
        own, others = errors[method], errors[reference]
        # Where a formula refuses some data sets the others are compared with the bootstrap of the same ones.
        ratios = {n: statistics.median(e / others[n][seed] for seed, e in own[n].items()) for n in QUANTITIES if own[n]}
        yield method, max(len(hits) for hits in quantities.values()) / count, coverage, ratios


def profiled(fit: sf.Fit, formula: str) -> tuple[float, float] | None:
    """The interval of a profile; an end that does not exist is infinitely far, and a quantity on its bound has none."""
    try:
        found = fit.profile(formula)
    except sf.ScalefastError:
        return None
    lower = -math.inf if found.lower is None else found.lower
    return lower, math.inf if found.upper is None else found.upper


def verdict(method: str, case: Case, coverage: dict[str, float], ratios: dict[str, float]) -> str:
    """What is not as it should be; on runs with several rows, methods that take each row for itself must fail."""
    low, high = COVERED
    missed = [f"{n} {100 * c:.1f}" for n, c in coverage.items() if not low <= c <= high]
    apart = [f"{n} {r:.2f}" for n, r in ratios.items() if n in NAMES and abs(r - 1) > WITHIN]
    if case.clusters and "run" not in method:
        return "fails, as it must: rows share runs" if missed and apart else "**does not fail**"
    words = [f"coverage of {', '.join(missed)}"] * bool(missed) + [f"errors of {', '.join(apart)}"] * bool(apart)
    return "; ".join(words) or "holds"


def table(count: int, cases: Sequence[Case]) -> Iterator[str]:
    """The page."""
    yield "# Coverage of intervals"
    yield ""
    error = 100 * (LEVEL * (1 - LEVEL) / count) ** 0.5
    yield f"Written by `make evidence` (tools/coverage_study.py). Of {count} simulated data sets a table, the share in percent"
    yield f"whose {100 * LEVEL:g} % interval contains the truth (`{TRUTH}`); the standard error of such a share is {error:.1f}."
    yield f"Bootstraps have {REPLICATES} replicates. N and L are those of the best split of 100 times the largest budget of the"
    yield "data, read by `fit.derive`. Then the median standard error of alpha and of beta over that of the bootstrap. An"
    yield f"interval holds where every share lies between {100 * COVERED[0]:g} and {100 * COVERED[1]:g} and every standard error"
    yield f"of a parameter (of A and B by logarithm) within {100 * WITHIN:g} % of the bootstrap's; else the last column says"
    yield "what does not. Where a formula refuses some data sets, the share that it accepts stands beside its name."
    for case in cases:
        yield ""
        yield f"## {case.words}"
        yield ""
        yield "| interval | " + " | ".join(QUANTITIES) + " | std. errors | verdict |"
        yield "|---|" + "---|" * (len(QUANTITIES) + 2)
        for method, given, coverage, ratios in study(case, count):
            name = method if given == 1 else f"{method} (given in {100 * given:.0f} %)"
            cells = [f"{100 * coverage[name]:.0f}" if name in coverage else "–" for name in QUANTITIES]
            ratio = ", ".join(f"{ratios[name]:.2f}" for name in ("alpha", "beta") if name in ratios)
            row = [name, *cells, ratio or "–", verdict(method, case, coverage, ratios)]
            yield f"| {' | '.join(row)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="data sets a line")
    parser.add_argument("--only", default="", help="only cases whose words hold this; prints, and writes no page")
    given = parser.parse_args()
    lines = []
    for line in table(given.count, [case for case in CASES if given.only in case.words]):
        print(line, flush=True)
        lines.append(line)
    if given.only:
        return
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
