"""How often 90 % intervals hold the truth: `make evidence` writes docs/coverage.md.

In: data sets simulated from `hoffmann-2022`, with log-normal and heavy-tailed noise, with rows that are runs and rows that
share runs. Out: a table of the share of data sets whose interval contains the true parameter, the true best N at 100 times
the largest budget of the data, and the true loss there, for each way to make an interval; and the median ratio of each
formula's standard error to the bootstrap's.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import scalefast as sf

TRUTH = "hoffmann-2022"
LEVEL = 0.90
REPLICATES = 400
NAMES = ("E", "A", "B", "alpha", "beta")
QUANTITIES = (*NAMES, "N at 100 C", "L at 100 C")
PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"


@dataclass(frozen=True)
class Case:
    """One line of the table's left side."""

    rows: int
    noise: Any
    loss: Any
    clustered: bool = False

    @property
    def words(self) -> str:
        """As the table says it."""
        loss = "log-Huber(1e-3)" if self.loss is None else f"log-{self.loss}"
        return f"{self.rows} {'rows in runs of 4' if self.clustered else 'rows'}, {self.noise}, {loss}"


CASES = (
    Case(60, sf.LogNormal(0.01), sf.Squared()),
    Case(60, sf.LogNormal(0.01), None),
    Case(60, sf.StudentT(0.006, degrees=3), None),
    Case(240, sf.LogNormal(0.01), sf.Squared()),
    Case(240, sf.LogNormal(0.01), None),
    Case(240, sf.StudentT(0.006, degrees=3), None),
    Case(240, sf.RunLevel(run=0.01, evaluation=0.002, evaluations=4), sf.Squared(), clustered=True),
)


def data(case: Case, seed: int) -> Any:
    """One data set; designs are the same in all of them, noise is not."""
    points = case.rows // 4 if case.clustered else case.rows
    design = sf.Sobol(points, ranges={"N": (5e7, 1e10), "D": (1e9, 3e11)})
    return sf.simulate(TRUTH, design, case.noise, seed=seed)


def methods(case: Case) -> Iterator[tuple[str, sf.Bootstrap | None]]:
    """Ways to make an interval."""
    yield "first order", None
    yield "pairs percentile", sf.Bootstrap(REPLICATES)
    yield "pairs bca", sf.Bootstrap(REPLICATES, interval="bca")
    if case.clustered:
        yield "cluster percentile", sf.Bootstrap(REPLICATES, cluster="run")
        yield "cluster bca", sf.Bootstrap(REPLICATES, cluster="run", interval="bca")


def study(case: Case, count: int) -> Iterator[tuple[str, dict[str, float], dict[str, float]]]:
    """Of each method the coverage of each quantity, and the median ratio of standard errors to those of the bootstrap."""
    law = sf.law(TRUTH)
    held: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    errors: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(count):
        runs = data(case, seed)
        budget = 100 * float((6 * runs["N"] * runs["D"]).max())
        best = sf.sweep(law, budget, draws=0).summary.row(0, named=True)
        for method, resample in methods(case):
            fit = sf.fit(runs, "chinchilla", residual="log", loss=case.loss, level=LEVEL, resample=resample, seed=seed)
            for row in fit.parameters.iter_rows(named=True):
                if row["std_error"] is None:
                    continue
                truth = law.parameters[row["parameter"]]
                held[method][row["parameter"]].append(row["lower"] <= truth <= row["upper"])
                errors[method][row["parameter"]].append(row["std_error"])
            if resample is not None and resample.interval == "percentile":
                tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
                found = sf.sweep(fit.law, budget, quantiles=tails).summary.row(0, named=True)
                for name in ("N", "L"):
                    held[method][f"{name} at 100 C"].append(found[f"{name}_q05"] <= best[name] <= found[f"{name}_q95"])
    reference = "cluster percentile" if case.clustered else "pairs percentile"
    for method, quantities in held.items():
        coverage = {name: sum(hits) / len(hits) for name, hits in quantities.items()}
        given = len(quantities["alpha"]) / count
        ratios = {
            name: statistics.median(errors[method][name]) / statistics.median(errors[reference][name])
            for name in NAMES
            if errors[method][name]
        }
        yield method if given == 1 else f"{method} (given in {100 * given:.0f} %)", coverage, ratios


def table(count: int) -> Iterator[str]:
    """The page."""
    yield "# Coverage of intervals"
    yield ""
    error = 100 * (LEVEL * (1 - LEVEL) / count) ** 0.5
    yield f"Written by `make evidence` (tools/coverage_study.py). Of {count} simulated data sets a table, the share in percent"
    yield f"whose {100 * LEVEL:g} % interval contains the truth (`{TRUTH}`); the standard error of such a share is {error:.1f}."
    yield f"Bootstraps have {REPLICATES} replicates. N and L are those of the best split of 100 times the largest budget of the"
    yield "data. The last column is the median standard error of alpha and of beta over that of the bootstrap. A dash: the method"
    yield "gives none."
    for case in CASES:
        yield ""
        yield f"## {case.words}"
        yield ""
        yield "| interval | " + " | ".join(QUANTITIES) + " | std. errors |"
        yield "|---|" + "---|" * (len(QUANTITIES) + 1)
        for method, coverage, ratios in study(case, count):
            cells = [f"{100 * coverage[name]:.0f}" if name in coverage else "–" for name in QUANTITIES]
            ratio = ", ".join(f"{ratios[name]:.2f}" for name in ("alpha", "beta") if name in ratios)
            yield f"| {method} | " + " | ".join(cells) + f" | {ratio or '–'} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="data sets a line")
    count = parser.parse_args().count
    lines = []
    for line in table(count):
        print(line, flush=True)
        lines.append(line)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
