"""What a fit says of rows that are copies, constant, a curve, without weight, or of few clusters."""

import numpy as np
import polars as pl
import pytest

import scalefast as sf

X = np.linspace(0.5, 10, 40)
NOISE = np.random.default_rng(6).standard_normal(40)
LAW = "a + b*x**(-c)"


def fitted(y, law=LAW, x=X, **settings):
    return sf.fit({"x": x, "L": y, **settings.pop("more", {})}, law, columns={"x": "x"}, **settings)


def codes(fit):
    return fit.diagnostics.filter(severity="warning")["code"].to_list()


def test_a_constant_response_has_the_status_of_groups():
    fit = fitted(np.full(40, 2.0))
    groups = sf.fit_groups({"g": np.zeros(40), "x": X, "L": np.full(40, 2.0)}, LAW, by="g", columns={"x": "x"})
    assert fit.status == groups["status"][0] == "constant-response"
    assert "constant-response" in codes(fit)
    with pytest.raises(sf.ScalefastError):
        fit.raise_for_status()


@pytest.mark.parametrize("weight", [1.0, 7.0])
def test_rows_of_weight_zero_are_no_rows_to_a_frozen_threshold(weight):
    y = 1 + 2 * X**-0.5 + 0.02 * NOISE
    gross = np.where(np.arange(40) < 15, y, y + 5)
    weights = np.where(np.arange(40) < 15, weight, 0.0)
    all_rows = fitted(gross, more={"w": weights}, weights="w", loss=sf.Huber("auto"))
    left_out = fitted(y[:15], x=X[:15], loss=sf.Huber("auto"))
    assert all_rows.loss.delta == pytest.approx(left_out.loss.delta, rel=1e-9)
    assert all_rows.quadratic_share == left_out.quadratic_share


def test_a_row_twice_is_weight_two_to_the_scale():
    y = 1 + 2 * X**-0.5 + 0.02 * NOISE
    twice = fitted(np.repeat(y, 2), x=np.repeat(X, 2))
    weighed = fitted(y, more={"w": np.full(40, 2.0)}, weights="w")
    assert twice.sigma == pytest.approx(weighed.sigma, rel=1e-9)


def test_copies_of_rows_are_counted():
    y = 1 + 2 * X**-0.5 + 0.02 * NOISE
    fit = fitted(np.r_[y, y[:7]], x=np.r_[X, X[:7]])
    (row,) = fit.diagnostics.filter(code="duplicate-rows").iter_rows(named=True)
    assert row["value"] == 7
    assert "duplicate-rows" not in codes(fitted(y))


def test_residuals_that_rise_and_fall_together_are_named_whatever_the_order_of_rows():
    walk = 1 + 2 * X**-0.5 + 0.02 * np.cumsum(NOISE)
    mixed = np.random.default_rng(1).permutation(40)
    assert "autocorrelated" in codes(fitted(walk))
    assert "autocorrelated" in codes(fitted(walk[mixed], x=X[mixed]))
    assert "autocorrelated" not in codes(fitted(1 + 2 * X**-0.5 + 0.02 * NOISE))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_coefficient_keeps_its_sign_in_its_interval_and_a_slope_may_lose_it(sign):
    y = sign * 3 * X**0.4 * np.exp(0.3 * NOISE)
    row = fitted(y, "k*x**a").parameters.row(0, named=True)
    assert row["interval_method"].endswith("-log")
    assert sign * row["lower"] > 0 and sign * row["upper"] > 0 and row["lower"] < row["estimate"] < row["upper"]
    flat = fitted(2 + 0.02 * NOISE, "a + b*log(x)").parameters
    assert not any(method.endswith("-log") for method in flat["interval_method"])
    assert flat["lower"][1] < 0 < flat["upper"][1]


@pytest.mark.parametrize(("runs", "kind"), [(12, "pairs-percentile"), (60, "pairs-bca")])
def test_few_clusters_get_percentiles(runs, kind):
    rng = np.random.default_rng(3)
    x = np.tile(np.geomspace(1, 100, 4), runs) * np.repeat(rng.uniform(0.9, 1.1, runs), 4)
    frame = {"x": x, "L": 1 + 2 * x**-0.5 + 0.01 * rng.standard_normal(4 * runs), "run": np.repeat(np.arange(runs), 4)}
    fit = sf.fit(
        frame, LAW, columns={"x": "x"}, run="run", checkpoints="all", resample=sf.Bootstrap(80), bounds={"c": (0.1, 2)}
    )
    assert fit.parameters["interval_method"][0] == kind


def test_an_active_bound_says_that_the_other_intervals_hold_for_it():
    fit = fitted(1 + 2 * X**-0.5 + 0.02 * NOISE, bounds={"c": (0, 0.3)})
    assert fit.status == "at-bound"
    assert "held there" in fit.diagnostics.filter(code="at-bound")["message"][0]


def test_a_linear_law_has_one_optimum_and_needs_no_second_start():
    fit = fitted(2 + 0.5 * np.log(X) + 0.02 * NOISE, "a + b*log(x)")
    assert fit.status == "converged" and not {"unconfirmed", "lone-optimum"} & set(codes(fit))
    assert isinstance(fit.diagnostics, pl.DataFrame)
