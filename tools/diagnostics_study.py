"""Whether diagnostics warn where there is a cause, and how often without one: 200 clean data sets, `make evidence`.

In: injected causes; designs, laws, noise and losses that a careful user would choose. Out: the table by code that
docs/diagnostics.md shows; every data set is a function of its number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

import scalefast as sf
from diagnostics_causes import CAUSES, fires
from scalefast._base.findings import TABLE

COUNT = 200
LAWS = ("hoffmann-2022", "epoch-2024-huber")
DESIGNS: tuple[Any, ...] = (
    sf.IsoFLOP("1e18..1e22:6", sizes=7, decades=1.2),
    sf.Sobol(60),
    sf.IsoFLOP("1e18..1e21:4", sizes=9),
    sf.Sobol(200),
    {"N": [1e8, 3e8, 1e9, 3e9, 1e10] * 5, "D": [d for d in (3e9, 1e10, 3e10, 1e11, 3e11) for _ in range(5)]},
)
NOISE = (sf.LogNormal(0.003), sf.LogNormal(0.01), sf.RunLevel(0.004, 0.002))
RESAMPLING = (None, sf.Bootstrap(100), sf.Jackknife(budget=1e23))
LOSSES = (sf.Squared(), sf.Huber("auto"))


@dataclass(frozen=True)
class CleanSet:
    """One data set without a fault."""

    number: int

    def fit(self) -> sf.Fit:
        """The fit of the runs that this number stands for."""
        k = self.number
        runs = sf.simulate(LAWS[k % 2], DESIGNS[k % 5], NOISE[k % 3], seed=k)
        # Schedules that were drawn without regard to scale.
        rng = np.random.default_rng(k)
        runs = runs.with_columns(
            pl.Series("learning_rate", 10 ** rng.uniform(-4, -3, runs.height)),
            pl.Series("batch_size", 2.0 ** rng.integers(6, 12, runs.height)),
        )
        given = runs.drop("run", strict=False)
        return sf.fit(given, "chinchilla", loss=LOSSES[(k // 2) % 2], resample=RESAMPLING[k % 7 % 3], seed=k)


def clean_sets(count: int = COUNT) -> Iterator[CleanSet]:
    """The first `count` of them."""
    return (CleanSet(number) for number in range(count))


def false_alarms(count: int = COUNT) -> Counter[str]:
    """Data sets in which each warning fired; `any` counts those with at least one."""
    alarms: Counter[str] = Counter()
    for study in clean_sets(count):
        codes = set(study.fit().diagnostics.filter(pl.col("severity") == "warning")["code"])
        alarms.update(codes)
        alarms["any"] += bool(codes)
    return alarms


def table() -> str:
    """The table of docs/diagnostics.md."""
    alarms = false_alarms()
    lines = ["| finding | injected | found | false alarms |", "|---|---|---|---|"]
    for code, cause in CAUSES.items():
        quiet = f"{alarms[code]} of {COUNT}" if TABLE[code].severity == "warning" else ""
        lines.append(f"| `{code}` | {cause} | {'yes' if fires(code) else 'no'} | {quiet} |")
    lines.append(f"| any of them |  |  | {alarms['any']} of {COUNT} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
