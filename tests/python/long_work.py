"""Work for the tests of interruption, draws files, threads and processes: noisy runs, and resampled fits to them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import grid

#: More replicates than any of these tests waits for.
ENDLESS = 50_000_000


def noisy() -> pl.DataFrame:
    """Thirty runs of a law with log-normal noise."""
    rows = grid()
    return rows.with_columns(L=pl.col("L") * np.exp(np.random.default_rng(1).normal(0, 0.01, rows.height)))


def noisy_columns() -> dict[str, list[float]]:
    """Thirty runs as plain lists, made without Polars."""
    n = [10 ** (8 + 2 * i / 5) for i in range(6) for _ in range(5)]
    d = [10 ** (9 + 3 * j / 4) for _ in range(6) for j in range(5)]
    noise = [0.01 * math.sin(7.0 * k) for k in range(30)]
    loss = [(1.69 + 406 / a**0.34 + 411 / b**0.28) * math.exp(e) for a, b, e in zip(n, d, noise, strict=True)]
    return {"N": n, "D": d, "L": loss}


class Begun:
    """A progress function that calls `then` once, as soon as `steps` of `total` (of any total where None) are done.

    It is called on the thread that waits for the core, so `then` must be quick.
    """

    def __init__(self, then: Callable[[], object], total: int | None = ENDLESS, steps: int = 1) -> None:
        self._then, self._total, self._steps = then, total, steps
        self._told = False

    def __call__(self, done: int, total: int) -> None:
        if not self._told and self._total in (total, None) and done >= self._steps:
            self._told = True
            self._then()


def answer(seed: int) -> str:
    """Every digit of a resampled fit to a frame that is built here, by means that survive a fork."""
    resample = sf.Bootstrap(150, interval="bca")
    fit = sf.fit(noisy_columns(), "chinchilla", resample=resample, seed=seed, threads=1 + seed % 3)
    frames = (fit.parameters, fit.draws, fit.derive("beta/(alpha+beta)"), sf.solve(fit.law, N=1e10))
    return repr([frame.to_dict(as_series=False) for frame in frames])


def code_of(call: Callable[[], object]) -> str:
    """The code of the error that a call raises."""
    with pytest.raises(sf.ScalefastError) as caught:
        call()
    return caught.value.code


KINDS = ("pairs", "bayesian", "residual", "wild", "wild-webb")


def everything(threads: int) -> dict[str, str]:
    """Every digit of each kind of call, with this many threads."""
    rows = noisy().with_columns(size=pl.col("N").rank("dense"), name=pl.int_range(pl.len()) // 3)
    rows = rows.with_columns(half=pl.int_range(pl.len()) % 2)

    def fitted(**settings: object) -> list[pl.DataFrame]:
        fit = sf.fit(rows, "chinchilla", threads=threads, **settings)  # type: ignore[arg-type]
        resampled = [fit.draws] if "resample" in settings else []
        return [fit.parameters, fit.starts, fit.residuals, *resampled]

    work: dict[str, Callable[[], list[pl.DataFrame]]] = {
        "fit": fitted,
        "squared": lambda: fitted(loss=sf.Squared()),
        "huber auto": lambda: fitted(loss=sf.Huber("auto")),
        "many rows": lambda: [
            sf.fit(pl.concat([rows] * 900), "chinchilla", loss=sf.Squared(), threads=threads).parameters
        ],
        "grid": lambda: fitted(
            starts=sf.Grid({"E": [1, 2], "A": 400, "B": [10, 400], "alpha": 0.3, "beta": [0.1, 0.5]})
        ),
        **{kind: lambda kind=kind: fitted(resample=sf.Bootstrap(40, kind=kind, interval="bca")) for kind in KINDS},  # type: ignore[misc]
        "fraction": lambda: fitted(resample=sf.Bootstrap(40, fraction=0.8)),
        "cluster": lambda: fitted(resample=sf.Bootstrap(40, cluster="name", interval="basic")),
        "strata": lambda: fitted(resample=sf.Bootstrap(40, strata="size", interval="normal")),
        "jackknife": lambda: fitted(resample=sf.Jackknife()),
        "groups": lambda: [
            sf.fit_groups(rows, "power-offset", by="size", columns={"x": "D"}, threads=threads),
            sf.fit_groups(rows, "power-offset", by="size", columns={"x": "D"}, loss=sf.Huber(1e-3), threads=threads),
        ],
        "sweep": lambda: [sf.sweep("epoch-2024-huber", "1e20..1e26:7", threads=threads).summary],
        "bounded sweep": lambda: [
            sf.sweep("epoch-2024-huber", "1e20..1e26:7", bounds={"N": (None, 1e10)}, draws=300, threads=threads).summary
        ],
        "scenarios": lambda: [
            found
            for sweep in [
                sf.sweep(
                    "epoch-2024-huber",
                    "1e22..1e24:3",
                    scenarios={"T": [0.0, 1e12]},
                    cost="6*N*D + 2*N*T",
                    draws=100,
                    keep_draws=True,
                    threads=threads,
                )
            ]
            for found in (sweep.summary, sweep.draws)
            if found is not None
        ],
        "plan": lambda: [
            found
            for plan in [sf.plan(accelerators="100xA100", days=30, mfu="uniform(0.35, 0.45)", threads=threads)]
            for found in (plan.decision, plan.alternatives, plan.sources, plan.draws)
        ],
        "per level": lambda: [
            sf.fit(rows, "chinchilla", per={"E": "half"}, resample=sf.Bootstrap(20), threads=threads).parameters
        ],
        "profile": lambda: [sf.fit(rows, "chinchilla", loss=sf.Squared(), threads=threads).profile("alpha").points],
        "solve": lambda: [sf.solve("epoch-2024-huber", L=2.2, draws=300, threads=threads)],
        "simulate": lambda: [
            sf.simulate("hoffmann-2022", sf.IsoFLOP("1e19..1e21:5", sizes=9), sf.StudentT(0.01, 4), seed=3)
        ],
        "predict": lambda: [sf.law("hoffmann-2022").predict(rows.drop("L"), threads=threads)],
    }
    return {name: repr([frame.to_dict(as_series=False) for frame in call()]) for name, call in work.items()}
