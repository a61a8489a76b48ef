"""P7: 1,000 budgets and a million draws, closed form, with quantiles, against the same in NumPy on a sample of budgets.

A thousand million allocations: what they add to the peak memory is told too, and what a second thread gains.
"""

from __future__ import annotations

import resource

import numpy as np
import polars as pl

import scalefast as sf
from measure import THREADS, Row, median_time_s, seconds

BUDGETS, DRAWS, SAMPLE, PART = 1000, 1_000_000, 5, 50
QUANTILES = (0.05, 0.5, 0.95)


def numpy_sweep(budgets: np.ndarray, draws: dict[str, np.ndarray]) -> np.ndarray:
    """Quantiles of N, D, D/N and L at each budget, (budgets, 4, 3)."""
    e, a, alpha, b, beta = (draws[name] for name in ("E", "A", "alpha", "B", "beta"))
    power = 1.0 / (alpha + beta)
    g = (alpha * a / (beta * b)) ** power
    found = []
    for budget in budgets:
        n = g * (budget / 6.0) ** (beta * power)
        d = budget / 6.0 / n
        found.append([np.quantile(x, QUANTILES) for x in (n, d, d / n, e + a / n**alpha + b / d**beta)])
    return np.array(found)


def run() -> list[Row]:
    rng = np.random.default_rng(7)
    law = sf.law("epoch-2024")
    relative = {"E": 0.014, "A": 0.2, "B": 0.2, "alpha": 0.04, "beta": 0.05}
    values = {name: law.parameters[name] or 0.0 for name in relative}
    draws = {name: values[name] * np.exp(rng.normal(0.0, s, DRAWS)) for name, s in relative.items()}
    frame, budgets = pl.DataFrame(draws), np.geomspace(1e20, 1e26, BUDGETS)
    sample = budgets[:: BUDGETS // SAMPLE]

    def ours(chosen: np.ndarray, threads: int, plan_loss: bool = False) -> sf.Sweep:
        return sf.sweep(
            law, budget=chosen, draws=frame, quantiles=QUANTILES, threads=threads, plan_loss=plan_loss, progress=False
        )

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours_s = median_time_s(lambda: ours(budgets, THREADS), repeats=1, warm=0)
    added_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    peer_s = median_time_s(lambda: numpy_sweep(sample, draws), repeats=3, warm=0) * BUDGETS / SAMPLE
    part = budgets[:: BUDGETS // PART]
    part_s = {n: median_time_s(lambda n=n: ours(part, n), repeats=3, warm=0) for n in (1, THREADS)}  # type: ignore[misc]
    with_plan_s = median_time_s(lambda: ours(part, THREADS, plan_loss=True), repeats=3, warm=0)
    summary = ours(sample, THREADS).summary
    found = summary.select(f"{name}_q{q}" for name in ("N", "D", "D_per_N", "L") for q in ("05", "50", "95")).to_numpy()
    difference = float(np.max(np.abs(found.reshape(len(sample), 4, 3) / numpy_sweep(sample, draws) - 1.0)))
    ratio = peer_s / ours_s
    return [
        Row(
            task="P7",
            title=f"{BUDGETS} budgets × {DRAWS} draws with quantiles",
            ours=f"{seconds(ours_s)}, {1e9 * ours_s / BUDGETS / DRAWS:.1f} ns each",
            peer=f"{seconds(peer_s)}, {1e9 * peer_s / BUDGETS / DRAWS:.0f} ns each",
            peer_name=f"numpy, from a sample of {len(sample)} budgets",
            figure=f"{ratio:.1f}×",
            target="≥ 15× (moonshot 25×)",
            met=ratio >= 15 and difference < 1e-9,
            notes=(
                f"largest relative difference of a quantile {difference:.1e}",
                f"peak memory added by the {BUDGETS * DRAWS:.0e} allocations {added_mb:.0f} MB, the draws take "
                f"{frame.estimated_size('mb'):.0f} MB",
                f"{part_s[1] / part_s[THREADS]:.2f} times as fast on {THREADS} threads as on 1, on {PART} budgets",
                f"with the loss at the plan, which the peer does not compute, {with_plan_s / part_s[THREADS]:.2f} times as long",
            ),
        )
    ]
