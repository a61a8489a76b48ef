"""P12: two threads against one in P2, P4, P6 and P7, and whether time grows with the work: starts, replicates, groups, draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

import scalefast as sf
from measure import THREADS, Row, least_time_s, replication_rows, seconds
from peers import HUBER_DELTA, published_grid
from tasks.many_groups import LAW, curves

TARGET = 1.8
#: Time a unit of four times the work, against that of a quarter of it.
LINEAR = 1.25


def starts(count: int) -> Callable[[int], object]:
    """P2: that many of the published starts, spread over the grid."""
    columns, _ = replication_rows()
    grid = published_grid()
    picked = grid[np.linspace(0, len(grid) - 1, count).astype(int)]
    frame = pl.DataFrame(np.c_[np.exp(picked[:, :3]), picked[:, 3:]], schema=["A", "B", "E", "alpha", "beta"])
    spec = sf.FitSpec("chinchilla", residual="log", loss=sf.Huber(HUBER_DELTA), starts=frame)
    return lambda threads: sf.fit(columns, spec.replace(threads=threads))


def replicates(count: int) -> Callable[[int], object]:
    """P4: that many bootstrap replicates."""
    columns, _ = replication_rows()
    drawn = sf.Bootstrap(count, interval="percentile")
    spec = sf.FitSpec("chinchilla", residual="log", loss=sf.Huber(HUBER_DELTA), resample=drawn)
    return lambda threads: sf.fit(columns, spec.replace(threads=threads))


def groups(count: int) -> Callable[[int], object]:
    """P6: that many groups of eight rows."""
    runs = curves(count)
    return lambda threads: sf.fit_groups(runs, LAW, by="group", columns={"x": "x"}, threads=threads)


def draws(count: int) -> Callable[[int], object]:
    """P7: a hundred budgets under that many draws."""
    rng = np.random.default_rng(7)
    law, budgets = sf.law("epoch-2024"), np.geomspace(1e20, 1e26, 100)
    spread = {"E": 0.014, "A": 0.2, "B": 0.2, "alpha": 0.04, "beta": 0.05}
    frame = pl.DataFrame({n: (law.parameters[n] or 0.0) * np.exp(rng.normal(0, s, count)) for n, s in spread.items()})
    return lambda threads: sf.sweep(law, budget=budgets, draws=frame, threads=threads)


#: Work of a task and its unit; a quarter of it is timed too.
WORK: dict[str, tuple[Callable[[int], Callable[[int], object]], int, str]] = {
    "P2": (starts, 4500, "starts"),
    "P4": (replicates, 8000, "replicates"),
    "P6": (groups, 400_000, "groups"),
    "P7": (draws, 400_000, "draws"),
}


def run() -> list[Row]:
    rows = []
    for task, (work, count, unit) in WORK.items():
        whole, quarter = work(count), work(count // 4)
        single_s = least_time_s(lambda whole=whole: whole(1), repeats=2)  # type: ignore[misc]
        double_s = least_time_s(lambda whole=whole: whole(THREADS), repeats=3)  # type: ignore[misc]
        part_s = least_time_s(lambda quarter=quarter: quarter(THREADS), repeats=3)  # type: ignore[misc]
        ratio, growth = single_s / double_s, double_s / part_s / 4
        rows.append(
            Row(
                task="P12",
                title=f"{task}: {count} {unit} on {THREADS} threads",
                ours=seconds(double_s),
                peer=seconds(single_s),
                peer_name="the same on 1 thread",
                figure=f"{ratio:.2f}×",
                target=f"≥ {TARGET}× (moonshot 1.95×), time linear",
                met=ratio >= TARGET and growth <= LINEAR,
                notes=(f"time a unit against that of {count // 4} {unit}: {growth:.2f}×",),
            )
        )
    return rows
