"""Studies: every row is the fit that it says, and what lies beyond a cut is judged by that fit alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import close

LAWS = ("chinchilla", "E + A/(N*D)**alpha")


def runs(sigma: float = 0.01) -> pl.DataFrame:
    """Sixty runs of a published law."""
    design = sf.Sobol(60, ranges={"N": (5e7, 1e10), "D": (1e9, 3e11)})
    return sf.simulate("hoffmann-2022", design, sf.LogNormal(sigma), seed=3).select("N", "D", "L")


def specs(**settings: Any) -> list[sf.FitSpec]:
    losses = (sf.Squared(), sf.Huber(1e-2))
    return [sf.FitSpec(law, residual="log", loss=loss, **settings) for law in LAWS for loss in losses]


def test_a_row_is_the_fit_of_the_runs_up_to_its_cut() -> None:
    frame, cut = runs(), 3e20
    found = sf.study(frame, specs(), cuts=[cut])
    assert found.summary.height == len(found.fits) == 8
    below, above = frame.filter(6 * pl.col("N") * pl.col("D") <= cut), frame.filter(6 * pl.col("N") * pl.col("D") > cut)
    for number, spec in enumerate(specs()):
        whole, part = found.summary.filter(pl.col("spec") == str(number)).rows(named=True)
        assert whole["cut"] is None and whole["n_held_out"] == 0 and whole["error_rms"] is None
        assert close(whole["objective"], sf.fit(frame, spec).objective, 1e-12)
        fit = sf.fit(below, spec)
        assert (part["n_rows"], part["n_held_out"]) == (below.height, above.height)
        assert close(part["objective"], fit.objective, 1e-12)
        errors = np.log(fit.predict(above)["L_fit"].to_numpy() / above["L"].to_numpy())
        assert close(part["error_rms"], math.sqrt(np.mean(errors**2)), 1e-9)
        assert close(part["error_mean"], errors.mean(), 1e-9)
        assert close(abs(part["error_worst"]), np.abs(errors).max(), 1e-9)
        largest = float((6 * above["N"] * above["D"]).max())  # type: ignore[arg-type]
        assert close(part["decades"], math.log10(largest / cut), 1e-9)
    assert (
        found.parameters.filter(pl.col("spec") == "0", pl.col("cut") == cut)
        .drop("spec", "cut")
        .equals(sf.fit(below, specs()[0]).parameters)
    )


def test_the_form_that_made_the_runs_predicts_best_beyond_the_cuts() -> None:
    summary = sf.study(runs(0.002), {"right": specs()[0], "wrong": specs()[2]}, cuts=4).summary
    assert summary["cut"].n_unique() == 5
    beyond = summary.drop_nulls("cut").group_by("spec").agg(pl.col("error_rms").mean())
    errors = dict(beyond.iter_rows())
    assert errors["right"] < errors["wrong"] / 2
    criterion = dict(summary.filter(pl.col("cut").is_null()).select("spec", "aicc").iter_rows())
    assert criterion["right"] < criterion["wrong"] - 20


def test_the_criterion_is_that_of_the_measured_losses_whatever_the_residual() -> None:
    """By hand from the log-likelihood of the normal and the log-normal law; without a likelihood there is none."""
    frame = runs()
    for residual in ("identity", "log"):
        spec = sf.FitSpec("chinchilla", residual=residual, loss=sf.Squared())
        found, fit = sf.study(frame, [spec]).summary["aicc"][0], sf.fit(frame, spec)
        loss = frame["L"].to_numpy()
        r = fit.residuals["residual"].to_numpy()
        variance = np.mean(r**2)
        log_density = -0.5 * np.log(2 * np.pi * variance) - 0.5 * r**2 / variance
        likelihood = np.sum(log_density - (np.log(loss) if residual == "log" else 0))
        assert close(found, -2 * likelihood + 12 + 2 * 6 * 7 / (60 - 7), 1e-10)
    robust = specs()[1]
    weighted = sf.FitSpec("chinchilla", loss=sf.Squared(), residual="log", weights="D")
    assert sf.study(frame, [robust, weighted]).summary["aicc"].to_list() == [None, None]


def test_cuts_follow_any_column_and_what_cannot_be_fitted_has_a_status() -> None:
    found = sf.study(runs(), specs()[:1], cuts=[7e7, 3e9], along="N").summary
    assert found["status"].to_list() == ["converged", "too-few-points", "converged"]
    assert found["objective"].is_null().to_list() == [False, True, False]
    assert found["n_rows"][2] == int((runs()["N"] <= 3e9).sum())
    drawn = sf.study(runs(), specs(resample=sf.Bootstrap(20))[:1], cuts=[1e21])
    assert all(fit is not None and fit.draws.height == 20 for fit in drawn.fits)


def test_filters_hold_on_both_sides_of_a_cut() -> None:
    spec = specs(where="N < 5e9")[0]
    row = sf.study(runs(), [spec], cuts=[1e20]).summary.row(1, named=True)
    kept = runs().filter(pl.col("N") < 5e9)
    assert row["n_rows"] + row["n_held_out"] == kept.height


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"specs": []}, "no-specs"),
        ({"cuts": [0.0]}, "bad-cuts"),
        ({"cuts": 60}, "bad-cuts"),
        ({"cuts": ["a"]}, "bad-cuts"),
        ({"cuts": [1e20], "along": "flop"}, "unknown-column"),
        ({"specs": [sf.FitSpec("E + A/N**alpha")], "cuts": [1e20]}, "no-cost"),
    ],
)
def test_misuse_is_named(arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(sf.ScalefastError) as caught:
        sf.study(runs(), **{"specs": specs(), **arguments})
    assert caught.value.code == code
