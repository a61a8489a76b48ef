"""P8: best splits under a cost without closed form, against SciPy's bounded scalar minimiser, one call each."""

from __future__ import annotations

import math
import time

import numpy as np
from scipy.optimize import minimize_scalar

import scalefast as sf
from measure import THREADS, Row, median_time_s, seconds

BUDGETS = 61
PEER_CALLS = 400
SERVED = 1e12


def run() -> list[Row]:
    law = sf.law("epoch-2024-huber")
    draws = law.draws
    assert draws is not None
    cost, given = "6*N*D + 2*N*T", {"T": SERVED}

    def ours(threads: int, plan_loss: bool = False) -> float:
        """Seconds an allocation."""

        def call() -> sf.Sweep:
            grid = f"1e21..1e26:{BUDGETS}"
            return sf.sweep(law, grid, cost=cost, given=given, threads=threads, plan_loss=plan_loss, progress=False)

        return median_time_s(call, repeats=9) / (BUDGETS * draws.height)

    ours_s = ours(THREADS)

    rows = draws.head(PEER_CALLS).to_dicts()
    begin = time.perf_counter()
    peers = [_peer(row, 1e23) for row in rows]
    peer_s = (time.perf_counter() - begin) / PEER_CALLS
    worst = 0.0
    for row, (_, peer_loss) in zip(rows[:20], peers, strict=False):
        loss = sf.sweep(law.with_values(row), 1e23, cost=cost, given=given).summary["L"][0]
        worst = max(worst, loss / peer_loss - 1.0)
    ratio = peer_s / ours_s
    return [
        Row(
            task="P8",
            title=f"numeric allocation, {BUDGETS} budgets × {draws.height} draws",
            ours=f"{seconds(ours_s)} an allocation",
            peer=f"{seconds(peer_s)} an allocation",
            peer_name="scipy minimize_scalar",
            figure=f"{ratio:.0f}×",
            target="≥ 500× (moonshot 2,000×)",
            met=ratio >= 500 and worst < 1e-12,
            notes=(
                f"largest excess of loss over the peer's {worst:.1e}",
                f"{ours(1) / ours_s:.2f} times as fast on {THREADS} threads as on 1",
                f"with the loss at the plan, which the peer does not compute, {ours(THREADS, True) / ours_s:.2f} times as long",
            ),
        )
    ]


def _peer(row: dict[str, float], budget: float) -> tuple[float, float]:
    """ln N and the loss at the optimum."""

    def loss(x: float) -> float:
        n = math.exp(x)
        d = (budget / n - 2.0 * SERVED) / 6.0
        return float(row["E"] + row["A"] * n ** -row["alpha"] + row["B"] * d ** -row["beta"])

    found = minimize_scalar(
        loss, bounds=(math.log(1e6), math.log(0.4999 * budget / SERVED)), method="bounded", options={"xatol": 1e-9}
    )
    return float(found.x), float(np.asarray(found.fun))
