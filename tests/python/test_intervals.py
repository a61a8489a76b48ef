"""Intervals of predictions: exact where theory is, ordered as their meanings are, refused where the data cannot tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import grid

POINTS = {"N": [1e8, 1e9, 1e11], "D": [1e9, 1e11, 1e13]}


def noisy(repeats: int = 1, seed: int = 0) -> pl.DataFrame:
    """Thirty configurations, each run so many times, with log-normal noise of 0.5 %."""
    rows = pl.concat([grid()] * repeats)
    noise = np.random.default_rng(seed).normal(0, 0.005, rows.height)
    return rows.with_columns(L=pl.col("L") * np.exp(noise))


def fitted(rows: pl.DataFrame, **settings: Any) -> sf.Fit:
    return sf.fit(rows, "chinchilla", loss=sf.Squared(), **settings)


def widths(frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    return (frame["L_upper"] - frame["L_lower"]).to_numpy()


def test_confidence_of_a_line_is_the_textbooks() -> None:
    x = np.arange(1.0, 9.0)
    y = 1 + 2 * x + np.random.default_rng(4).normal(0, 0.2, 8)
    fit = sf.fit({"x": x, "L": y}, "a + b*x", columns={"x": "x"}, level=0.9)
    at = np.array([2.5, 20.0])
    found = fit.predict({"x": at}, interval="confidence")
    design = np.stack([np.ones(8), x], axis=1)
    coefficients, rest = np.linalg.lstsq(design, y, rcond=None)[:2]
    inverse = np.linalg.inv(design.T @ design)
    wanted = np.stack([np.ones(2), at], axis=1)
    error = np.sqrt(rest[0] / 6 * np.einsum("ij,jk,ik->i", wanted, inverse, wanted))
    half = 1.9431802805153018 * error  # Student's 95 % quantile with 6 degrees of freedom
    assert found["L_lower"].to_numpy() == pytest.approx(wanted @ coefficients - half, rel=1e-9)
    assert found["L_upper"].to_numpy() == pytest.approx(wanted @ coefficients + half, rel=1e-9)


def test_draws_and_first_order_agree_inside_the_data() -> None:
    rows = noisy(4)
    inside = {"N": [1e9], "D": [1e11]}
    first_order = widths(fitted(rows).predict(inside, interval="confidence"))
    drawn = widths(fitted(rows, resample=sf.Bootstrap(600, kind="residual")).predict(inside, interval="confidence"))
    assert drawn == pytest.approx(first_order, rel=0.2)


@pytest.mark.parametrize("interval", ["percentile", "basic", "bca", "normal"])
def test_every_kind_of_interval_contains_the_prediction(interval: Any) -> None:
    fit = fitted(noisy(), resample=sf.Bootstrap(200, interval=interval))
    found = fit.predict(POINTS, interval="confidence")
    assert (found["L_lower"] < found["L_fit"]).all()
    assert (found["L_fit"] < found["L_upper"]).all()


def test_the_three_intervals_are_ordered() -> None:
    """The law is known better than one more run; runs that vary by themselves alone vary as the noise here."""
    fit = fitted(noisy(4), resample=sf.Bootstrap(400))
    inside = {"N": [3e8, 1e9], "D": [1e10, 1e11]}
    confidence, prediction, new_run = (
        widths(fit.predict(inside, interval=kind)) for kind in ("confidence", "prediction", "new_run")
    )
    assert (confidence < 0.6 * prediction).all()
    assert new_run == pytest.approx(prediction, rel=0.3)
    ends = fit.predict(inside, interval="prediction")
    # 90 % of log-normal noise of 0.5 % spans 2 × 1.645 × 0.5 %.
    assert (widths(ends) / ends["L_fit"].to_numpy()) == pytest.approx(0.01645, rel=0.25)


def test_prediction_intervals_cover_new_runs() -> None:
    covered = []
    for seed in range(20):
        fit = fitted(noisy(2, seed), resample=sf.Bootstrap(200), seed=seed)
        new = noisy(1, 1000 + seed)
        found = fit.predict(new.drop("L"), interval="prediction")
        covered += ((found["L_lower"] <= new["L"]) & (new["L"] <= found["L_upper"])).to_list()
    assert 0.85 < np.mean(covered) < 0.95


def test_the_same_bytes_for_any_cut_of_the_points(monkeypatch: pytest.MonkeyPatch) -> None:
    import scalefast._intervals

    fit = fitted(noisy(), resample=sf.Bootstrap(50))
    whole = fit.predict(POINTS, interval="prediction")
    monkeypatch.setattr(scalefast._intervals, "_BLOCK", 60)
    assert fit.predict(POINTS, interval="prediction").equals(whole)


def test_nothing_known_is_nothing_said() -> None:
    fit = fitted(noisy(), resample=sf.Bootstrap(50))
    found = fit.predict({"N": [1e9, None], "D": [1e11, 1e11]}, interval="confidence")
    assert found["L_lower"].is_null().to_list() == [False, True]


@pytest.mark.parametrize(
    ("settings", "interval", "code"),
    [
        ({}, "prediction", "no-draws"),
        ({}, "new_run", "no-draws"),
        ({"resample": sf.Jackknife()}, "prediction", "no-draws"),
        ({"resample": sf.Bootstrap(20)}, "new_run", "no-repeats"),
        ({}, "credible", "bad-interval"),
    ],
)
def test_misuse_is_named(settings: dict[str, Any], interval: Any, code: str) -> None:
    with pytest.raises(sf.ScalefastError) as caught:
        fitted(noisy(), **settings).predict(POINTS, interval=interval)
    assert caught.value.code == code
