"""The cause of every finding, injected into simulated runs: for the test that each fires, and for the table in the docs.

In: nothing. Out: for each code of `scalefast._base.findings.TABLE` a fit whose diagnostics must hold it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

import scalefast as sf

LAW = "hoffmann-2022"


def clean(design=None, noise=0.005, seed=1):
    return sf.simulate(LAW, design or sf.IsoFLOP("1e18..1e22:6", sizes=7, decades=1.2), sf.LogNormal(noise), seed)


def fitted(runs, law="chinchilla", **settings):
    return sf.fit(runs, law, **{"loss": sf.Squared(), **settings})


def outlier():
    """One run far from the others in size, whose loss is 20 % too high."""
    far = pl.DataFrame({"N": [2e11], "D": [2e9], "C": [6 * 2e11 * 2e9], "L": [3.4]})
    return pl.concat([clean(), far])


def scheduled(column):
    runs = clean()
    return runs.with_columns((pl.col("N") * pl.col("D")).pow(0.3).alias(column))


def checkpoints():
    sizes = np.repeat([1e8, 3e8, 1e9, 3e9], 6)
    tokens = np.tile(np.geomspace(2e9, 2e11, 6), 4)
    points = pl.DataFrame({"run_id": np.repeat(list("abcd"), 6), "N": sizes, "D": tokens})
    return sf.simulate(LAW, points, sf.LogNormal(0.002))


def lonely():
    """Three sizes, of which one was run once."""
    sizes = [1e8] * 15 + [1e9] * 15 + [1e7]
    return sf.simulate(LAW, {"N": sizes, "D": np.geomspace(1e10, 1e12, 31)[::-1]}, sf.LogNormal(0.003))


def noise():
    """Forty points of nothing but noise."""
    return pl.DataFrame({"x": np.linspace(0, 10, 40), "L": np.random.default_rng(0).standard_normal(40)})


def curve():
    """A learning curve of 60 points whose noise is a random walk."""
    x = np.geomspace(1e2, 1e5, 60)
    walk = np.cumsum(np.random.default_rng(1).standard_normal(60))
    return pl.DataFrame({"x": x, "L": 2 + 30 * x**-0.5 + 0.003 * walk})


def drifting():
    runs = clean()
    return runs.with_columns(pl.col("C") * (pl.col("C") / 1e18).pow(0.05))


#: What to inject for each finding.
FITS: dict[str, Callable[[], sf.Fit]] = {
    "bound": lambda: fitted(clean()),
    "rows": lambda: fitted(clean()),
    "range": lambda: fitted(clean()),
    "starts": lambda: fitted(clean()),
    "cost-ratio": lambda: fitted(clean()),
    "levels": lambda: fitted(clean().with_columns(half=pl.int_range(pl.len()) % 2), per={"E": "half"}),
    "filtered-rows": lambda: fitted(clean(), where="N > 1e8"),
    "dropped-rows": lambda: fitted(clean().with_columns(L=pl.when(pl.col("N") > 1e9).then("L")), drop_invalid=True),
    "few-points": lambda: fitted(clean(sf.Sobol(8))),
    "collinear": lambda: fitted(clean(sf.FixedRatio(20, "1e8..1e10:40"))),
    "schedule-varies": lambda: fitted(scheduled("config.learning_rate")),
    "checkpoints-mixed": lambda: fitted(checkpoints()),
    "at-bound": lambda: fitted(clean(), bounds={"alpha": (0.0, 0.2)}),
    "flat-ridge": lambda: fitted(clean(sf.Sobol(30, ranges={"N": (1e9, 1.1e9)}))),
    "rival-optimum": lambda: fitted(clean(sf.FixedRatio(20, "1e8..1e10:40"))),
    "rounded-constants": lambda: fitted(clean(), fixed={"alpha": 0.34}),
    "delta": lambda: fitted(clean(), loss=sf.Huber("auto")),
    "delta-near-l1": lambda: fitted(clean(noise=0.01), loss=sf.Huber(1e-3)),
    "high-leverage": lambda: fitted(lonely()),
    "influential-row": lambda: fitted(outlier()),
    "influential-unit": lambda: fitted(outlier(), resample=sf.Jackknife(budget=1e24)),
    "looks-scaled": lambda: fitted(clean().with_columns(pl.col("N") / 1e6)),
    "cost-trend": lambda: fitted(drifting()),
    "runs": lambda: fitted(checkpoints(), run="run_id", checkpoints="all"),
    "checkpoints-biased": lambda: fitted(checkpoints(), run="run_id", checkpoints="all"),
    "few-clusters": lambda: fitted(
        checkpoints(), run="run_id", checkpoints="all", resample=sf.Bootstrap(20, kind="wild-webb")
    ),
    "replicates": lambda: fitted(clean(), resample=sf.Bootstrap(20)),
    "moved-replicates": lambda: fitted(clean(sf.FixedRatio(20, "1e8..1e10:40")), resample=sf.Bootstrap(20)),
    "failed-replicates": lambda: fitted(clean(sf.Sobol(7)), resample=sf.Bootstrap(40)),
    "interrupted": lambda: fitted(clean(), resample=sf.Bootstrap(50_000_000), on_interrupt="partial", timeout_s=2.0),
    "not-converged": lambda: fitted(clean(sf.Sobol(30)), "E + F + A/N**alpha + B/D**beta"),
    "unconfirmed": lambda: fitted(noise(), "sin(a*x + sin(b*x + sin(d*x)))", columns={"x": "x"}),
    "constant-response": lambda: fitted(noise().with_columns(L=pl.lit(2.0)), "a + b*exp(k*x)", columns={"x": "x"}),
    "duplicate-rows": lambda: fitted(pl.concat([clean(), clean()])),
    "autocorrelated": lambda: fitted(curve(), "power-offset", columns={"x": "x"}),
    "unbounded": lambda: fitted(
        noise().with_columns(L=3 * pl.col("x") + 0.01 * pl.col("L")), "c + a*exp(b*x)", columns={"x": "x"}
    ),
    "no-std-error": lambda: fitted(clean(), loss=sf.Huber(1e-8)),
}
#: The same in words, for the table of docs/diagnostics.md.
CAUSES = {
    "bound": "any fit",
    "rows": "any fit",
    "range": "any fit",
    "starts": "any fit",
    "cost-ratio": "runs with a column of C",
    "levels": "one E for each half of the runs",
    "filtered-rows": "small models left out by `where`",
    "dropped-rows": "losses missing, and `drop_invalid`",
    "few-points": "8 points for 5 parameters",
    "collinear": "20 tokens per parameter everywhere",
    "schedule-varies": "a learning rate that follows compute",
    "checkpoints-mixed": "six checkpoints per run, unsaid",
    "at-bound": "α bounded to 0.2, below the truth",
    "flat-ridge": "sizes within 10 % of each other",
    "rival-optimum": "20 tokens per parameter everywhere",
    "rounded-constants": "α fixed at the rounded 0.34",
    "delta": "`huber:auto`",
    "delta-near-l1": "δ = 1e-3 on residuals of 1e-2",
    "high-leverage": "a size that was run once",
    "influential-row": "a run far off, its loss 20 % too high",
    "influential-unit": "the same, and a jackknife",
    "looks-scaled": "N in millions",
    "cost-trend": "C that grows as C**1.05",
    "runs": "checkpoints of four runs",
    "checkpoints-biased": '`checkpoints="all"`',
    "few-clusters": "four clusters",
    "replicates": "a bootstrap",
    "moved-replicates": "a bootstrap at a fixed ratio",
    "failed-replicates": "a bootstrap of 7 points",
    "interrupted": "two seconds for 50 million replicates",
    "not-converged": "two constants that trade",
    "unconfirmed": "sines of sines fitted to noise",
    "constant-response": "a loss of 2 everywhere",
    "duplicate-rows": "every run twice",
    "autocorrelated": "a learning curve whose noise is a random walk",
    "unbounded": "an exponential fitted to a straight line",
    "no-std-error": "δ = 1e-8",
}


def fires(code: str) -> bool:
    """Whether the finding is made where its cause is injected."""
    return code in FITS[code]().diagnostics["code"]
