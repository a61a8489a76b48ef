"""Intervals of predictions: exact where theory is, ordered as their meanings are, refused where the data cannot tell."""

from __future__ import annotations

from pathlib import Path
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


def test_the_same_bytes_for_any_cut_of_the_points() -> None:
    fit = fitted(noisy(), resample=sf.Bootstrap(50))
    points = pl.DataFrame(POINTS)
    whole = fit.predict(points, interval="prediction")
    for cut in (1, 2):
        parts = [fit.predict(part, interval="prediction") for part in (points[:cut], points[cut:]) if part.height]
        assert pl.concat(parts).equals(whole)


def test_nothing_known_is_nothing_said() -> None:
    fit = fitted(noisy(), resample=sf.Bootstrap(50))
    found = fit.predict({"N": [1e9, None], "D": [1e11, 1e11]}, interval="confidence")
    assert found["L_lower"].is_null().to_list() == [False, True]


@pytest.mark.parametrize("at_once", [sf.Squared(), sf.Huber("auto")])
def test_without_draws_intervals_cover_new_runs(at_once: sf.Loss) -> None:
    """80 replications, each with thirty new runs: the mean share covered has a standard error near 0.01."""
    covered: dict[str, list[bool]] = {"confidence": [], "prediction": [], "new_run": []}
    truth = grid()["L"]
    for seed in range(80):
        fit = sf.fit(noisy(2, seed), "chinchilla", loss=at_once, threads=1)
        new = noisy(1, 1000 + seed)
        for kind, shares in covered.items():
            found = fit.predict(new.drop("L"), interval=kind)  # type: ignore[arg-type]
            target = truth if kind == "confidence" else new["L"]
            shares += ((found["L_lower"] <= target) & (target <= found["L_upper"])).to_list()
    shares_covered = {kind: float(np.mean(shares)) for kind, shares in covered.items()}
    assert all(0.87 < share < 0.93 for share in shares_covered.values()), shares_covered


def test_prediction_of_a_line_is_the_textbooks() -> None:
    x = np.arange(1.0, 9.0)
    y = 1 + 2 * x + np.random.default_rng(4).normal(0, 0.2, 8)
    fit = sf.fit({"x": x, "L": y}, "a + b*x", columns={"x": "x"}, level=0.9)
    row = fit.predict({"x": [2.5]}, interval="prediction").row(0, named=True)
    rest = float(np.linalg.lstsq(np.stack([np.ones(8), x], axis=1), y, rcond=None)[1][0])
    half = 1.9431802805153018 * np.sqrt(rest / 6 * (1 + 1 / 8 + (2.5 - 4.5) ** 2 / 42))
    assert row["L_upper"] - row["L_fit"] == pytest.approx(half, rel=1e-9)
    assert row["L_fit"] - row["L_lower"] == pytest.approx(half, rel=1e-9)
    assert row["interval_method"] == "gauss-newton+normal"


def test_a_law_that_does_not_fit_predicts_wider_than_its_repeats() -> None:
    """Repeats of a run scatter by the noise alone; further runs also by what the law does not describe."""
    fit = sf.fit(noisy(3), "E + A/(N*D)**alpha", residual="log", loss=sf.Squared())
    row = {"N": [1e9], "D": [1e11]}
    further, repeat = (widths(fit.predict(row, interval=kind))[0] for kind in ("prediction", "new_run"))
    assert further > 3 * repeat


def test_rows_of_one_run_are_no_repeats() -> None:
    rows = noisy(2).with_columns(run=pl.int_range(pl.len()) % 30)
    with pytest.raises(sf.SettingsError) as caught:
        fitted(rows, run="run").predict(POINTS, interval="new_run")
    assert caught.value.code == "no-repeats"


def test_known_noise_is_that_of_the_point() -> None:
    rows = noisy().with_columns(s=pl.lit(0.005))
    fit = fitted(rows, sigma="s")
    points = {"N": [1e9] * 2, "D": [1e11] * 2, "s": [0.005, 0.05]}
    narrow, wide = widths(fit.predict(points, interval="prediction"))
    assert wide == pytest.approx(10 * narrow, rel=0.1)
    with pytest.raises(sf.DataError) as caught:
        fit.predict({**points, "s": [0.005, 0.0]}, interval="prediction")
    assert (caught.value.code, caught.value.row) == ("invalid-rows", 1)


def test_few_rows_do_not_show_the_quantiles_of_a_robust_fit() -> None:
    x = np.arange(1.0, 13.0)
    y = x + np.random.default_rng(2).normal(0, 0.1, 12)
    fit = sf.fit({"x": x, "L": y}, "a + b*x", columns={"x": "x"}, loss=sf.Huber(0.5))
    with pytest.raises(sf.DataError) as caught:
        fit.predict({"x": [2.0]}, interval="prediction")
    assert (caught.value.code, caught.value.value, caught.value.limit) == ("too-few-residuals", 12.0, 19.0)


@pytest.mark.parametrize(
    "settings", [{}, {"resample": sf.Bootstrap(60, interval="percentile")}, {"resample": sf.Jackknife()}]
)
@pytest.mark.parametrize("kind", ["confidence", "prediction", "new_run"])
def test_a_saved_fit_predicts_the_same_intervals(tmp_path: Path, settings: dict[str, Any], kind: Any) -> None:
    fit = fitted(noisy(2), **settings)
    fit.save(tmp_path / "law.parquet")
    saved = sf.load(tmp_path / "law.parquet")
    assert saved.predict(POINTS, interval=kind).equals(fit.predict(POINTS, interval=kind))


def test_a_saved_fit_refuses_what_the_fit_refused(tmp_path: Path) -> None:
    fitted(noisy()).save(tmp_path / "law.parquet")
    with pytest.raises(sf.ScalefastError) as caught:
        sf.load(tmp_path / "law.parquet").predict(POINTS, interval="new_run")
    assert caught.value.code == "no-repeats"


def test_a_law_with_draws_has_the_percentiles_of_its_predictions() -> None:
    law, point = sf.law("epoch-2024-huber"), {"N": [7e10], "D": [1.4e12]}
    row = law.predict(point, interval="confidence", level=0.8).row(0, named=True)
    assert law.draws is not None
    each = law.predict(law.draws.select(list(law.parameters)).with_columns(N=pl.lit(7e10), D=pl.lit(1.4e12)))["L"]
    assert row["L_lower"] == pytest.approx(float(np.quantile(each, 0.1)), rel=1e-12)
    assert row["L_upper"] == pytest.approx(float(np.quantile(each, 0.9)), rel=1e-12)
    assert row["interval_method"] == "draws-percentile"


@pytest.mark.parametrize(
    ("law", "interval", "code"),
    [
        ("hoffmann-2022", "confidence", "no-draws"),
        ("epoch-2024-huber", "prediction", "no-scatter"),
        ("epoch-2024-huber", "credible", "bad-interval"),
    ],
)
def test_a_law_says_what_it_does_not_know(law: str, interval: Any, code: str) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        sf.law(law).predict(POINTS, interval=interval)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("settings", "interval", "code"),
    [
        ({}, "new_run", "no-repeats"),
        ({"resample": sf.Bootstrap(20)}, "new_run", "no-repeats"),
        ({}, "credible", "bad-interval"),
    ],
)
def test_misuse_is_named(settings: dict[str, Any], interval: Any, code: str) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        fitted(noisy(), **settings).predict(POINTS, interval=interval)
    assert caught.value.code == code
