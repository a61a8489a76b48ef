"""Profile likelihood: exact where theory is, the same on every scale, refused where nothing states a likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import close, grid


def line() -> sf.Fit:
    """A straight line with noise."""
    x = np.arange(1.0, 13.0)
    noise = np.random.default_rng(2).normal(0, 0.3, x.size)
    return sf.fit({"x": x, "L": 2 + 0.5 * x + noise}, "a + b*x", columns={"x": "x"})


def curve(**settings: Any) -> sf.Fit:
    """Thirty noisy runs of Chinchilla's law."""
    noise = np.random.default_rng(1).normal(0, 0.004, 30)
    rows = grid().with_columns(L=pl.col("L") * np.exp(noise))
    return sf.fit(rows, "chinchilla", **{"loss": sf.Squared(), **settings})


def test_a_linear_law_has_students_interval() -> None:
    fit = line()
    for row in fit.parameters.iter_rows(named=True):
        found = fit.profile(row["parameter"])
        assert found.lower is not None
        assert found.upper is not None
        assert close(found.lower, row["lower"], 1e-8)
        assert close(found.upper, row["upper"], 1e-8)
    sum_ = fit.derive("a + 2*b").row(0, named=True)
    found = fit.profile("a + 2*b")
    assert (found.lower, found.upper) == pytest.approx((sum_["lower"], sum_["upper"]), rel=1e-8)


def test_a_change_of_scale_changes_nothing() -> None:
    """Delta intervals depend on the scale of a parameter, profiles do not."""
    fit = curve()
    plain, logs = fit.profile("A"), fit.profile("log(A)")
    assert logs.lower is not None and logs.upper is not None
    assert (plain.lower, plain.upper) == pytest.approx((np.exp(logs.lower), np.exp(logs.upper)), rel=1e-7)


def test_points_are_the_best_fits_at_their_value() -> None:
    fit = curve()
    profile = fit.profile("alpha", level=0.8)
    assert profile.level == 0.8
    assert profile.points["value"].is_sorted()
    for row in profile.points.gather([0, 5, -1]).iter_rows(named=True):
        held = curve(fixed={"alpha": row["value"]})
        assert close(held.objective, row["objective"], 1e-9)
        assert close(row["deviance"], 30 * np.log(held.objective / fit.objective), 1e-6)


def test_a_derived_quantity_lies_where_the_fits_say() -> None:
    """The best N at 1e24 FLOPs, profiled in logarithms, against draws of a residual bootstrap."""
    best = "(log(alpha*A/(beta*B)) + beta*log(1e24/6))/(alpha+beta)"
    fit = curve(resample=sf.Bootstrap(1000, kind="residual"))
    found, drawn = fit.profile(best), fit.derive(best).row(0, named=True)
    assert found.lower is not None
    assert found.upper is not None
    assert 0.7 < (found.upper - found.lower) / (drawn["upper"] - drawn["lower"]) < 1.4


def test_an_end_that_is_never_reached_is_none() -> None:
    """A saturating curve seen only where it has saturated does not bound its rate from above."""
    x = np.arange(1.0, 11.0)
    y = 3 - 2 * np.exp(-4 * x) + np.random.default_rng(0).normal(0, 0.05, 10)
    fit = sf.fit({"x": x, "L": y}, "a - 2*exp(-k*x)", columns={"x": "x"})
    found = fit.profile("k")
    assert found.lower is not None
    assert found.upper is None


@pytest.mark.parametrize(
    ("fit", "formula", "code"),
    [
        (lambda: curve(loss=sf.Huber(1e-3)), "alpha", "no-likelihood"),
        (curve, "gamma", "unbound-symbol"),
        (curve, "alpha +", "dangling-operator"),
        (lambda: curve(fixed={"E": 1.69}), "E", "not-profiled"),
    ],
)
def test_misuse_is_named(fit: Any, formula: str, code: str) -> None:
    with pytest.raises(sf.ScalefastError) as caught:
        fit().profile(formula)
    assert caught.value.code == code
