"""P4: 4,000 bootstrap replicates of 240 rows, each globally optimised, against as many single local solves of SciPy's."""

from __future__ import annotations

import time

import numpy as np

import scalefast as sf
from measure import THREADS, Row, replication_rows, seconds
from peers import HUBER_DELTA, lbfgs_start, published_grid

REPLICATES = 4000
STRIDE = 47  # every 47th of the published starts; prime to the sizes of the grid, so all its axes vary


def run() -> list[Row]:
    columns, source = replication_rows()
    logs = [np.log(columns[k]) for k in ("N", "D", "L")]
    rng = np.random.default_rng(42)
    starts = published_grid()[::STRIDE]
    begin = time.perf_counter()
    for start in starts:
        rows = rng.integers(0, len(logs[0]), len(logs[0]))
        lbfgs_start(start, *(column[rows] for column in logs))
    peer_s = (time.perf_counter() - begin) / len(starts) * REPLICATES

    spec = sf.FitSpec("chinchilla", residual="log", loss=sf.Huber(HUBER_DELTA), threads=THREADS)
    sf.fit(columns, spec)
    begin = time.perf_counter()
    fit = sf.fit(columns, spec.replace(resample=sf.Bootstrap(REPLICATES)))
    converged = fit.draws["status"].is_in(["converged", "at-bound"]).to_numpy().mean()
    ours_s = time.perf_counter() - begin
    ratio = peer_s / ours_s
    return [
        Row(
            task="P4",
            title=f"{REPLICATES} bootstrap replicates, {source}",
            ours=seconds(ours_s),
            peer=seconds(peer_s),
            peer_name=f"as many scipy L-BFGS-B starts, from a sample of {len(starts)}",
            figure=f"{ratio:.0f}×",
            target="≥ 30× (moonshot 120×)",
            met=ratio >= 30,
            success=f"ours {100 * float(converged):.1f} % converged",
        )
    ]
