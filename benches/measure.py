"""What every bench shares: timing, the row of the printed table, the machine it ran on.

Stage: the bench harness. Times are wall-clock seconds (`_s`); a figure is always a ratio or a difference
against a peer of the same run, since machines differ.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

THREADS: Final = 2
# An objective counts as reached within this relative excess: far above rounding, far below what a user sees.
OBJECTIVE_TOLERANCE: Final = 1e-9


@dataclass(frozen=True)
class Row:
    """One line of the table. `objective` is None where the task has no objective."""

    task: str
    title: str
    ours: str
    peer: str
    peer_name: str
    figure: str
    target: str
    met: bool
    objective: float | None = None
    peer_objective: float | None = None
    success: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def void(self) -> bool:
        """A fit that ends above its peer's objective has no speed to speak of."""
        if self.objective is None or self.peer_objective is None:
            return False
        excess = OBJECTIVE_TOLERANCE * abs(self.peer_objective)
        return not self.objective <= self.peer_objective + excess

    @property
    def verdict(self) -> str:
        if self.void:
            return "VOID: the peer's objective is not reached"
        return "reached" if self.met else "missed"


def times_s(call: Callable[[], object], repeats: int, warm: int) -> list[float]:
    """Wall times of `repeats` calls, after `warm` calls that do not count."""
    for _ in range(warm):
        call()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return times


def median_time_s(call: Callable[[], object], repeats: int, warm: int = 1) -> float:
    """Median wall time: for calls long enough that other work on the machine evens out."""
    return statistics.median(times_s(call, repeats, warm))


def least_time_s(call: Callable[[], object], repeats: int, warm: int = 1) -> float:
    """Least wall time: for calls of milliseconds, to which other work on the machine only adds."""
    return min(times_s(call, repeats, warm))


def seconds(value: float) -> str:
    """A time as people read it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def cpu_name() -> str:
    """The processor as Linux names it, else as Python does."""
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def cpu_count() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def replication_rows() -> tuple[dict[str, np.ndarray], str]:
    """The 240 rows of the Chinchilla replication as columns N, D, L (m,), and what they are.

    They are read from the reference data where SCALEFAST_REFERENCE_DATA names its folder; elsewhere 240 rows are
    simulated from the published law with 1 % log-normal noise, which serves for timing.
    """
    folder = os.environ.get("SCALEFAST_REFERENCE_DATA")
    if folder:
        frame = pl.read_csv(Path(folder) / "epoch_chinchilla.csv")
        limit = frame["loss"].sort(descending=True)[4]
        kept = frame.filter(pl.col("loss") < limit)
        columns = {"N": kept["n_params"], "D": kept["n_tokens"], "L": kept["loss"]}
        return {k: v.cast(pl.Float64).to_numpy() for k, v in columns.items()}, "Epoch's 240 rows"
    rng = np.random.default_rng(240)
    n, d = 10 ** rng.uniform(7.6, 10.2, 240), 10 ** rng.uniform(8.5, 11.7, 240)
    loss = (1.8172 + 482.01 / n**0.3478 + 2085.43 / d**0.3658) * np.exp(rng.normal(0.0, 0.01, 240))
    return {"N": n, "D": d, "L": loss}, "240 simulated rows (no reference data)"


def two_term_rows(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Simulated runs of the two-term law, columns N, D, L (rows,), with 1 % log-normal noise."""
    rng = np.random.default_rng(seed)
    n, d = 10 ** rng.uniform(7.0, 11.0, rows), 10 ** rng.uniform(8.0, 13.0, rows)
    noise = np.exp(rng.normal(0.0, 0.01, rows))
    return {"N": n, "D": d, "L": (1.69 + 406.4 / n**0.34 + 410.7 / d**0.28) * noise}
