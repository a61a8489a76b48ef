"""P6: a million groups of 8 rows and 3 parameters, one call, against SciPy's curve_fit on a sample of the same groups."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl
from scipy import optimize

import scalefast as sf
from measure import THREADS, Row, median_time_s, seconds

GROUPS = 1_000_000
ROWS = 8
SAMPLE = 400
LAW = "E + A*x**-alpha"


def curves(groups: int, seed: int = 6) -> pl.DataFrame:
    """Columns group, x (millions), L: E + A x**-alpha with 1 % noise at 8 sizes over four decades, (groups * 8,)."""
    rng = np.random.default_rng(seed)
    e, a, alpha = rng.uniform(1, 3, groups), rng.uniform(0.5, 2.5, groups), rng.uniform(0.2, 0.6, groups)
    x = np.tile(10 ** np.linspace(0, 4, ROWS), (groups, 1))
    loss = (e[:, None] + a[:, None] * x ** -alpha[:, None]) * (1 + rng.normal(0, 0.01, x.shape))
    return pl.DataFrame({"group": np.repeat(np.arange(groups), ROWS), "x": x.ravel(), "L": loss.ravel()})


def broken(runs: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """The runs with one group in a hundred broken in each of five ways, and how many must end in which status."""
    kind, row = pl.col("group") % 100, pl.int_range(pl.len()) % ROWS
    loss = (
        pl.when((kind == 0) & (row == 3))
        .then(float("nan"))
        .when((kind == 1) & (row == 0))
        .then(float("inf"))
        .when(kind == 2)
        .then(2.0)
        .otherwise(pl.col("L"))
    )
    size = pl.when(kind == 3).then(10.0).otherwise(pl.col("x"))
    spoilt = runs.with_columns(L=loss, x=size).filter((kind != 4) | (row < 2))
    each = GROUPS // 100
    counts = {"invalid-values": 2 * each, "constant-response": each, "too-few-points": 2 * each}
    return spoilt, {**counts, "converged": GROUPS - 5 * each}


def law(x: np.ndarray, e: float, a: float, alpha: float) -> np.ndarray:
    return e + a * x**-alpha


def peer_cost(x: np.ndarray, y: np.ndarray) -> float:
    """Half the sum of squares that curve_fit ends at, NaN where it gives up."""
    try:
        found, _ = optimize.curve_fit(law, x, y, p0=(y.min(), y.max() - y.min(), 0.3))
    except RuntimeError:
        return float("nan")
    return 0.5 * float(np.sum((law(x, *found) - y) ** 2))


def run() -> list[Row]:
    runs = curves(GROUPS)

    def ours(threads: int, rows: pl.DataFrame = runs) -> pl.DataFrame:
        return sf.fit_groups(rows, LAW, by="group", columns={"x": "x"}, threads=threads)

    ours_s = median_time_s(lambda: ours(THREADS), repeats=3)
    single_s = median_time_s(lambda: ours(1), repeats=1, warm=0)
    found = ours(THREADS)
    spoilt, expected = broken(runs)
    spoilt_s = median_time_s(lambda: ours(THREADS, spoilt), repeats=1, warm=0)
    ended = dict(ours(THREADS, spoilt)["status"].value_counts().rows())
    if ended != expected:
        raise RuntimeError(f"groups ended as {ended}, not as {expected}")
    picked = np.linspace(0, GROUPS - 1, SAMPLE).astype(int)
    x, y = (runs[name].to_numpy().reshape(GROUPS, ROWS)[picked] for name in ("x", "L"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        costs = np.array([peer_cost(*rows) for rows in zip(x, y, strict=True)])
        times = [median_time_s(lambda i=i: peer_cost(x[i], y[i]), repeats=3) for i in range(0, SAMPLE, 4)]  # type: ignore[misc]
    peer_s = float(np.mean(times))
    reached = np.isfinite(costs)
    mine = found["objective"].to_numpy()[picked]
    ratio = peer_s * GROUPS / ours_s
    converged = found["status"].is_in(["converged", "at-bound"]).to_numpy().mean()
    return [
        Row(
            task="P6",
            title="1 M groups of 8 rows, 3 parameters",
            ours=f"{seconds(ours_s)}: {seconds(ours_s / GROUPS)} a group",
            peer=f"{seconds(peer_s)} a group",
            peer_name=f"scipy curve_fit, {SAMPLE} of the groups",
            figure=f"{ratio:.0f}×",
            target="≥ 200× (moonshot 600×)",
            met=ratio >= 200,
            objective=float(mine[reached].sum()),
            peer_objective=float(costs[reached].sum()),
            success=f"ours {100 * converged:.2f} %, peer {100 * reached.mean():.1f} %",
            notes=(
                f"{single_s / ours_s:.2f} times as fast on {THREADS} threads as on 1",
                f"with {5 * GROUPS // 100} of the groups broken in five ways: {seconds(spoilt_s)}, every one named by its status",
                "objectives: sums over the sampled groups that the peer solves; the frame in and the frame out count",
            ),
        )
    ]
