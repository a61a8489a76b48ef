"""How often a default fit finds the best known optimum of formulas as users type them: `make evidence` writes docs/formulas.md.

In: the random formulas of `tests/python/random_formulas.py`, their data, and for each the best objective of SciPy's local
searches from the true parameters and from points around them. Out: by number of parameters the share at the best known
optimum, how many wrong ones are called `converged`, how many right ones are not confirmed, and the time of a fit; below it
the formulas that were missed.

    python tools/formula_study.py [COUNT] [--starts 60] [--print]
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))

import scalefast as sf
from random_formulas import SAME, random_case

COUNT, STARTS = 1000, 60
PAGE = Path(__file__).parents[1] / "docs" / "formulas.md"


@dataclass(frozen=True)
class Trial:
    """What one fit found beside the best that is known."""

    seed: int
    formula: str
    parameters: int
    status: str
    #: The objective over the best known one, less 1.
    excess: float
    seconds: float

    @property
    def right(self) -> bool:
        """At the best known optimum, or below it."""
        return self.excess <= SAME


def tried(seed: int, starts: int) -> Trial:
    """The default fit of one case."""
    case = random_case(seed)
    best = case.best_known(starts)
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sf.fit(case.runs, case.formula, y="y", columns={name: name for name in case.columns}, threads=1)
    seconds = time.perf_counter() - begun
    return Trial(seed, case.formula, len(case.truth), fit.status, fit.objective / best - 1, seconds)


def table(trials: list[Trial]) -> str:
    """One row for each number of parameters, and one for all."""
    by_size: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_size[str(trial.parameters)].append(trial)
    rows = [
        "| parameters | formulas | at the best known optimum | wrong and `converged` | right and not `converged` "
        "| median ms | slowest s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, group in [*sorted(by_size.items()), ("all", trials)]:
        right = [trial for trial in group if trial.right]
        false = sum(not trial.right and trial.status == "converged" for trial in group)
        unsure = sum(trial.status != "converged" for trial in right)
        seconds = [trial.seconds for trial in group]
        rows.append(
            f"| {name} | {len(group)} | {len(right)} ({100 * len(right) / len(group):.1f} %) | {false} | {unsure} "
            f"| {1000 * statistics.median(seconds):.0f} | {max(seconds):.1f} |"
        )
    return "\n".join(rows)


def missed(trials: list[Trial]) -> str:
    """The formulas whose best known optimum was not found."""
    lines = ["| seed | formula | status | objective over the best known |", "|---|---|---|---|"]
    lines += [f"| {t.seed} | `{t.formula}` | `{t.status}` | {1 + t.excess:.6g} |" for t in trials if not t.right]
    return "\n".join(lines)


def page(trials: list[Trial], starts: int) -> str:
    """The page of the documentation."""
    return f"""# Formulas of any kind

Written by `make evidence` (tools/formula_study.py). {len(trials):,} formulas drawn from a grammar of sums, products,
powers of sums, functions of sums and the larger or smaller of two, whose terms are powers, exponentials, logarithms, poles,
shifts, sigmoids, Hill curves, bumps, saturations and stretched exponentials of one or two columns; 30 to 79 rows, noise of
0.01, 0.5 or 2 % of the spread, units between 1e-6 and 1e6. Data determine the law: at the truth no parameter has an error
above 30 % of its size. Each is fitted by `sf.fit` as a user types it, with no start, bound or setting. The best known
optimum is the best of {starts} local searches of SciPy from the true parameters and from points around them, which no user
has. An optimum is found where the objective is at most {SAME:g} above it.

{table(trials)}

Not found:

{missed(trials)}
"""


def main() -> None:
    """Runs the study and writes the page."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("count", nargs="?", type=int, default=COUNT, help="how many formulas")
    asked.add_argument("--starts", type=int, default=STARTS, help="local searches of SciPy for each")
    asked.add_argument("--print", action="store_true", dest="shown", help="print the page instead of writing it")
    given = asked.parse_args()
    with multiprocessing.get_context("spawn").Pool() as pool:
        trials = pool.map(partial(tried, starts=given.starts), range(given.count), chunksize=5)
    text = page(trials, given.starts)
    if given.shown:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
