"""P5: a million rows, squared loss, from the peer's start, against SciPy's Levenberg-Marquardt with exact Jacobian."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import optimize

import scalefast as sf
from measure import THREADS, Row, median_time_s, seconds, two_term_rows
from peers import squared_jacobian, squared_residual

START = {"A": np.exp(5.0), "B": np.exp(5.0), "E": np.exp(0.5), "alpha": 0.3, "beta": 0.3}


def local_fit(columns: dict[str, np.ndarray]) -> sf.Fit:
    return sf.fit(
        columns,
        "chinchilla",
        residual="identity",
        loss=sf.Squared(),
        starts=pl.DataFrame({name: [value] for name, value in START.items()}),
        threads=THREADS,
    )


def run() -> list[Row]:
    columns = two_term_rows(1_000_000)
    theta = np.array([5.0, 5.0, 0.5, 0.3, 0.3])

    def peer() -> optimize.OptimizeResult:
        # The logarithms count: the peer takes them once, as ours does.
        arguments = (np.log(columns["N"]), np.log(columns["D"]), columns["L"])
        return optimize.least_squares(squared_residual, theta, squared_jacobian, method="lm", args=arguments)

    peer_s = median_time_s(peer, repeats=2, warm=0)
    found = peer()
    ours_s = median_time_s(lambda: local_fit(columns), repeats=5)
    ratio = peer_s / ours_s
    rows = [
        Row(
            task="P5",
            title="1 M rows, squared, one start",
            ours=seconds(ours_s),
            peer=seconds(peer_s),
            peer_name="scipy least_squares(lm), exact Jacobian",
            figure=f"{ratio:.1f}×",
            target="≥ 30× (moonshot 60×)",
            met=ratio >= 30,
            objective=float(local_fit(columns).objective),
            peer_objective=float(found.cost),
            notes=(f"the peer used {found.nfev} evaluations",),
        )
    ]
    large = two_term_rows(10_000_000)
    large_s = median_time_s(lambda: local_fit(large), repeats=2, warm=0)
    per_row = large_s / ours_s / 10
    rows.append(
        Row(
            task="P5",
            title="10 M rows, squared, one start",
            ours=seconds(large_s),
            peer=seconds(10 * peer_s),
            peer_name="ten times the peer's time for 1 M rows",
            figure=f"{10 * peer_s / large_s:.1f}×",
            target="≥ 30× (moonshot 60×)",
            met=10 * peer_s / large_s >= 30,
            notes=(f"time a row against 1 M rows: {per_row:.2f}×",),
        )
    )
    return rows
