"""P13: default fits of laws that no catalogue knows, against SciPy's multi-start at equal success.

The truths are those of `simulated_truths`. A fit succeeds when it recovers the law (`Problem.recovered`). A peer is
timed on a sample: if its success a start is p_i on problem i, k starts succeed on a share mean(1 - (1 - p_i)^k) of the
problems. Its time is that of the smallest k whose share is ours, or of `MOST_STARTS` where none is; the ratio is then a
lower bound. No finite number of random starts succeeds always: our share counts as at most one miss in 2 * `COUNT`.

The verdict is against the peer that is told what we are told, the formula; those that know more stand in the notes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

import scalefast as sf
from measure import THREADS, Row, seconds
from simulated_truths import Problem, problems
from unseen_peers import PEERS, Told, solve_once

SAMPLE: Final = 20
STARTS: Final = 30
MOST_STARTS: Final = 10_000
COUNT: Final = 100
TITLES: Final = {
    "power": "E + (A/N**alpha + B/D**beta)**gamma",
    "interaction": "E + A/N**a + B/D**b + F/(N**c*D**d)",
    "broken": "two-break broken law, 9 parameters",
}


def fit(problem: Problem) -> sf.Fit:
    """The default fit: the formula as text, nothing said of bounds, signs or scales."""
    return sf.fit(
        problem.columns | {"loss": problem.y},
        problem.formula,
        columns={name: name for name in problem.columns},
        y="loss",
        threads=THREADS,
    )


def estimates(found: sf.Fit) -> dict[str, float]:
    frame = found.parameters
    return dict(zip(frame["parameter"], frame["estimate"], strict=True))


def ours(family: str) -> tuple[float, float, float]:
    """Mean time (s), share of problems recovered, worst objective among the recovered."""
    times, successes, worst = [], [], 0.0
    fit(next(problems(family, 1)))
    for problem in problems(family, COUNT):
        begin = time.perf_counter()
        found = fit(problem)
        times.append(time.perf_counter() - begin)
        successes.append(problem.recovered(estimates(found)))
        if successes[-1]:
            worst = max(worst, float(found.objective))
    return float(np.mean(times)), float(np.mean(successes)), worst


def peer(family: str, told: Told) -> tuple[float, np.ndarray]:
    """Mean time a start (s) and the success a start on each problem of the sample, (SAMPLE,).

    Half a success more is granted: a problem that the sample never solves is not one that cannot be solved.
    """
    shares, begin = [], time.perf_counter()
    for problem in problems(family, SAMPLE):
        rng = np.random.default_rng(problem.seed)
        found = sum(problem.recovered(solve_once(problem, told, rng)) for _ in range(STARTS))
        shares.append((found + 0.5) / (STARTS + 1))
    return (time.perf_counter() - begin) / (SAMPLE * STARTS), np.array(shares)


def starts_needed(shares: np.ndarray, success: float) -> tuple[int, float]:
    """The fewest starts whose expected success is at least `success`, and that success."""
    k = np.arange(1, MOST_STARTS + 1)[:, None]
    expected = np.mean(1.0 - (1.0 - shares) ** k, axis=1)
    enough = np.flatnonzero(expected >= success)
    first = int(enough[0]) if len(enough) else MOST_STARTS - 1
    return first + 1, float(expected[first])


@dataclass(frozen=True)
class Comparison:
    """A peer at our success, or at the most starts that were granted."""

    told: Told
    starts: int
    start_s: float
    reached: float
    bound: str
    ratio: float

    @property
    def time(self) -> str:
        return f"{self.bound}{seconds(self.starts * self.start_s)}"


def compare(family: str, told: Told, ours_s: float, success: float) -> Comparison:
    start_s, shares = peer(family, told)
    starts, reached = starts_needed(shares, success)
    return Comparison(told, starts, start_s, reached, "≥ " if reached < success else "", starts * start_s / ours_s)


def run() -> list[Row]:
    rows = []
    for family in PEERS:
        ours_s, success, worst = ours(family)
        equal = min(success, 1.0 - 0.5 / COUNT)
        formula, signs, ranges = (compare(family, told, ours_s, equal) for told in get_args(Told))
        notes = [f"largest objective of a recovered law {worst:.1e}, an exact fit is 0"]
        for other in (signs, ranges):
            notes.append(
                f"against a peer that is told the {other.told}: {other.starts} starts of {seconds(other.start_s)}, "
                f"{other.time} for {100 * other.reached:.1f} %, {other.bound}{other.ratio:.1f}×"
            )
        rows.append(
            Row(
                task="P13",
                title=TITLES[family],
                ours=seconds(ours_s),
                peer=formula.time,
                peer_name=f"scipy lm, exact Jacobian, {formula.starts} starts of {seconds(formula.start_s)}",
                figure=f"{100 * success:.0f} %, {formula.bound}{formula.ratio:.1f}×",
                target="≥ 95 %, ≥ 30× (moonshot 100 %, 200×)",
                met=success >= 0.95 and formula.ratio >= 30,
                success=f"ours {100 * success:.0f} %, peer {100 * formula.reached:.1f} %",
                notes=tuple(notes),
            )
        )
    return rows
