"""Runs and their checkpoints: intermediate points are never taken for runs unasked, and a run is the default cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import grid


def curves(per_run: int = 4, runs: int = 30) -> pl.DataFrame:
    """Runs of a law, each with checkpoints on the way; earlier ones lie above the law, as under a decaying rate."""
    finals = grid().head(runs).with_columns(pl.int_range(pl.len()).cast(pl.String).alias("name"))
    parts = []
    for k in range(per_run):
        share = (k + 1) / per_run
        rows = finals.select("name", "N", D=pl.col("D") * share)
        parts.append(
            sf.law("hoffmann-2022").predict(rows).with_columns(L=pl.col("L") * (1.05 if k + 1 < per_run else 1))
        )
    return pl.concat(parts)


def test_checkpoints_are_refused_until_something_is_said() -> None:
    with pytest.raises(sf.DataError) as caught:
        sf.fit(curves(), "chinchilla", run="name")
    assert caught.value.code == "checkpoints-unsaid"
    assert caught.value.value == 30
    assert "final" in str(caught.value.hint)


def test_final_keeps_the_last_row_of_each_run() -> None:
    fit = sf.fit(curves(), "chinchilla", run="name", checkpoints="final")
    assert fit.n_rows == 30
    assert fit.runs is not None
    assert (fit.runs.count, fit.runs.n_left_out) == (30, 90)
    assert fit.law.parameters["alpha"] == pytest.approx(0.33917084, rel=1e-6)


def test_all_is_biased_and_says_so() -> None:
    fit = sf.fit(curves(), "chinchilla", run="name", checkpoints="all")
    assert fit.n_rows == 120
    assert "checkpoints-biased" in fit.diagnostics["code"].to_list()
    assert abs(fit.law.parameters["E"] / 1.6933736809989528 - 1) > 1e-3  # type: ignore[operator]


def test_one_point_a_run_needs_nothing() -> None:
    rows = curves(per_run=1)
    fit = sf.fit(rows, "chinchilla", run="name")
    assert fit.runs is not None
    assert fit.runs.checkpoints is None
    assert fit.n_rows == 30


def test_a_run_is_the_default_cluster() -> None:
    rows = curves().with_columns(L=pl.col("L") * np.exp(np.random.default_rng(1).normal(0, 0.003, 120)))
    settings: dict[str, Any] = {"run": "name", "checkpoints": "all"}
    by_run = sf.fit(rows, "chinchilla", resample=sf.Bootstrap(40), **settings)
    named = sf.fit(rows, "chinchilla", resample=sf.Bootstrap(40, cluster="name"), **settings)
    by_row = sf.fit(rows, "chinchilla", resample=sf.Bootstrap(40))
    assert by_run.draws.equals(named.draws)
    assert not by_run.draws.equals(by_row.draws)
    left_out = sf.fit(rows, "chinchilla", resample=sf.Jackknife(), **settings).influence
    assert left_out.height == 30
    assert set(left_out["n_rows"]) == {4}


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"run": "nom"}, "unknown-column"),
        ({"run": "name", "checkpoints": "last"}, "bad-checkpoints"),
        ({"checkpoints": "final"}, "bad-checkpoints"),
        ({"run": "hole"}, "null-run"),
        ({"run": "one", "checkpoints": "final"}, "checkpoint-order"),
    ],
)
def test_misuse_is_named(settings: dict[str, Any], code: str) -> None:
    rows = curves().with_columns(hole=pl.when(pl.col("name") != "3").then("name"), one=pl.lit("same"))
    with pytest.raises(sf.ScalefastError) as caught:
        sf.fit(rows, "chinchilla", **settings)
    assert caught.value.code == code
