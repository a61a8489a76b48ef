"""P9: losses of ten million points, against the same formula as a Polars expression."""

from __future__ import annotations

import numpy as np
import polars as pl

import scalefast as sf
from measure import THREADS, Row, median_time_s, seconds

POINTS = 10_000_000


def run() -> list[Row]:
    rng = np.random.default_rng(9)
    frame = pl.DataFrame({"N": 10 ** rng.uniform(7, 12, POINTS), "D": 10 ** rng.uniform(8, 14, POINTS)})
    law = sf.law("hoffmann-2022")
    expression = law.expr({"N": "N", "D": "D"})
    ours_s = median_time_s(lambda: law.predict(frame, threads=THREADS), repeats=5)
    peer_s = median_time_s(lambda: frame.with_columns(L=expression), repeats=5)
    ours, peer = law.predict(frame)["L"].to_numpy(), frame.select(L=expression)["L"].to_numpy()
    difference = float(np.max(np.abs(ours / peer - 1.0)))
    ratio = peer_s / ours_s
    return [
        Row(
            task="P9",
            title="predict, 10 M points",
            ours=f"{seconds(ours_s)}, {1e9 * ours_s / POINTS:.2f} ns a point",
            peer=f"{seconds(peer_s)}, {1e9 * peer_s / POINTS:.2f} ns a point",
            peer_name=f"Polars expression, {pl.thread_pool_size()} threads",
            figure=f"{ratio:.1f}×",
            target="≥ 8× (moonshot 12×)",
            met=ratio >= 8 and difference < 1e-12,
            notes=(f"largest relative difference {difference:.1e}",),
        )
    ]
