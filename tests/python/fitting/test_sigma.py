"""Known noise: `sigma=` is the unit of the residuals, and standard errors take it as it is stated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import close, grid

NAMES = ("E", "A", "B", "alpha", "beta")


def measured(seed: int = 0) -> pl.DataFrame:
    """Thirty runs of a law under log-normal noise whose size `s` differs from run to run by up to a factor of ten."""
    rows, generator = grid(), np.random.default_rng(seed)
    s = 10 ** generator.uniform(-3, -2, rows.height)
    return rows.with_columns(L=pl.col("L") * np.exp(s * generator.normal(size=rows.height)), s=s)


def errors(fit: sf.Fit) -> list[float]:
    return [float(value) for value in fit.parameters["std_error"]]


@pytest.mark.parametrize("residual", ["log", "identity"])
def test_a_constant_sigma_scales_the_threshold(residual: Any) -> None:
    rows = measured().with_columns(k=pl.lit(0.25))
    plain = sf.fit(rows, "chinchilla", residual=residual, loss=sf.Huber(5e-3))
    scaled = sf.fit(rows, "chinchilla", residual=residual, loss=sf.Huber(2e-2), sigma="k")
    assert all(close(plain.law.parameters[name], scaled.law.parameters[name], 1e-7) for name in NAMES)
    assert close(plain.objective, scaled.objective / 16, 1e-9)
    assert errors(scaled) == pytest.approx(errors(plain), rel=1e-6)


def test_the_estimate_is_that_of_weights_and_the_error_is_not_rescaled() -> None:
    rows = measured()
    known = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s")
    weighted = sf.fit(rows, "chinchilla", loss=sf.Squared(), weights=1 / pl.col("s") ** 2)
    assert all(close(known.law.parameters[name], weighted.law.parameters[name], 1e-7) for name in NAMES)
    ratio = math.sqrt(2 * known.objective / (rows.height - 5))
    assert errors(weighted) == pytest.approx([ratio * error for error in errors(known)], rel=1e-6)
    assert known.parameters["interval_method"][3] == "gauss-newton-known-noise"


def test_noise_stated_twice_as_large_doubles_the_errors() -> None:
    rows = measured()
    one = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s")
    two = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="2*s")
    assert errors(two) == pytest.approx([2 * error for error in errors(one)], rel=1e-6)


def test_a_common_factor_of_the_weights_still_changes_nothing() -> None:
    rows = measured().with_columns(w=np.linspace(0.5, 2, 30))
    one = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s", weights="w")
    many = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s", weights="7*w")
    assert errors(many) == pytest.approx(errors(one), rel=1e-6)


def test_intervals_cover_the_truth_and_the_objective_is_chi_square() -> None:
    truth = sf.law("hoffmann-2022").parameters
    fits = [sf.fit(measured(seed), "chinchilla", loss=sf.Squared(), sigma="s", threads=1) for seed in range(200)]
    for name in NAMES:
        ends = [fit.parameters.filter(pl.col("parameter") == name).row(0, named=True) for fit in fits]
        share = np.mean([row["lower"] <= truth[name] <= row["upper"] for row in ends])
        assert 0.84 < share < 0.955, name
    # Twice the objective has 25 degrees of freedom: mean 25, and a standard error of the mean of 0.5.
    assert np.mean([2 * fit.objective for fit in fits]) == pytest.approx(25, abs=1.75)


def test_residual_bootstrap_keeps_to_the_noise_of_each_row() -> None:
    rows = measured()
    known = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s")
    drawn = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s", resample=sf.Bootstrap(400, kind="residual"))
    scale = math.sqrt(2 * known.objective / (rows.height - 5))
    assert errors(drawn) == pytest.approx([scale * error for error in errors(known)], rel=0.2)


def test_residuals_are_as_they_are_and_show_sigma() -> None:
    rows = measured()
    fit = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s", threads=1)
    found = fit.residuals
    assert found["sigma"].to_list() == rows["s"].to_list()
    assert (found["L_fit"] / found["L"]).log().to_numpy() == pytest.approx(found["residual"].to_numpy(), abs=1e-12)
    assert close(float((found["residual"] / found["sigma"]).pow(2).sum()), 2 * fit.objective, 1e-9)


def test_sigma_is_no_part_of_the_design() -> None:
    rows = pl.concat([grid().head(1)] * 12).with_columns(s=np.linspace(0.01, 0.02, 12))
    with pytest.raises(sf.DataError) as caught:
        sf.fit(rows, "chinchilla", sigma="s")
    assert (caught.value.code, caught.value.value) == ("too-few-points", 1.0)


@pytest.mark.parametrize("bad", [0.0, -0.01, math.nan, math.inf, None])
def test_noise_that_is_none_names_its_row(bad: float | None) -> None:
    values = measured()["s"].to_list()
    values[7] = bad
    with pytest.raises(sf.DataError) as caught:
        sf.fit(measured().with_columns(s=pl.Series(values)), "chinchilla", sigma="s")
    assert (caught.value.code, caught.value.row, caught.value.column) == ("invalid-rows", 7, "s")


def test_a_spec_with_sigma_is_stored_and_repeated(tmp_path: Any) -> None:
    rows = measured()
    fit = sf.fit(rows, "chinchilla", loss=sf.Squared(), sigma="s")
    fit.save(tmp_path / "law.parquet")
    again = sf.load(tmp_path / "law.parquet").spec
    assert again == fit.spec and again != fit.spec.replace(sigma=None)
    assert sf.fit(rows, again).objective == fit.objective


def test_the_profile_of_a_line_is_the_normal_interval() -> None:
    x = np.arange(1.0, 9.0)
    y = 1 + 2 * x + np.random.default_rng(4).normal(0, 0.2, 8)
    fit = sf.fit({"x": x, "L": y, "s": np.full(8, 0.2)}, "a + b*x", columns={"x": "x"}, sigma="s")
    half = 1.6448536269514722 * 0.2 / np.sqrt(42)  # the sum of squares of x about its mean is 42
    row = fit.parameters.row(1, named=True)
    assert row["upper"] - row["estimate"] == pytest.approx(half, rel=1e-9)
    found = fit.profile("b")
    assert found.lower is not None and found.upper is not None
    assert found.upper - found.estimate == pytest.approx(half, rel=1e-6)
    assert found.estimate - found.lower == pytest.approx(half, rel=1e-6)
