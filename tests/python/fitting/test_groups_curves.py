"""Groups whose rows follow each other: the test of autocorrelation, block standard errors, weights by the logarithm."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import scalefast as sf

LAW = "E + A*x**-alpha"
NAMES = ("E", "A", "alpha")


def autoregressive(groups: int, rows: int, phi: float, seed: int) -> pl.DataFrame:
    """The same curve in every group under stationary AR(1) noise of standard deviation 0.01."""
    rng = np.random.default_rng(seed)
    x = 10 ** np.linspace(0, 4, rows)
    noise = np.empty((groups, rows))
    noise[:, 0] = rng.normal(0, 0.01, groups)
    for t in range(1, rows):
        noise[:, t] = phi * noise[:, t - 1] + rng.normal(0, 0.01 * np.sqrt(1 - phi**2), groups)
    loss = 2 + 1.5 * x**-0.4 + noise
    return pl.DataFrame({"group": np.repeat(np.arange(groups), rows), "x": np.tile(x, groups), "L": loss.ravel()})


def fit(runs: pl.DataFrame, **settings: object) -> pl.DataFrame:
    return sf.fit_groups(runs, LAW, by="group", columns={"x": "x"}, **settings)  # type: ignore[arg-type]


def claimed(found: pl.DataFrame, name: str) -> float:
    """The root mean square of the standard errors, as a share of the spread of the estimates."""
    return float(found[f"{name}_se"].pow(2).mean() ** 0.5 / found[name].std())  # type: ignore[operator]


@pytest.mark.parametrize("rows", [8, 20, 60])
def test_independent_residuals_pass_for_what_they_are(rows: int) -> None:
    found = fit(autoregressive(4000, rows, 0.0, 1))
    assert found["status"].unique().to_list() == ["converged"]
    refused = (found["se_status"] == "autocorrelated").mean()
    # The level is 1 %; the normal approximation to the statistic is not exact for few rows.
    assert 0.002 < refused < 0.02  # type: ignore[operator]
    assert found["E_se"].null_count() == (found["se_status"] == "autocorrelated").sum()
    plain = fit(autoregressive(4000, rows, 0.0, 1), errors="independent")
    assert plain["se_status"].unique().to_list() == ["independent"]
    kept = found["se_status"] == "independent"
    assert_frame_equal(found.filter(kept), plain.filter(kept), check_exact=True)
    assert_frame_equal(
        found.select("E", "A", "alpha", "objective", "status"), plain.select("E", "A", "alpha", "objective", "status")
    )


@pytest.mark.parametrize(("phi", "least"), [(0.5, 0.85), (0.8, 0.99)])
def test_autocorrelated_curves_are_refused_where_independence_would_lie(phi: float, least: float) -> None:
    runs = autoregressive(1000, 60, phi, 2)
    assert all(claimed(fit(runs, errors="independent"), name) < 0.75 for name in NAMES)
    refused = (fit(runs)["se_status"] == "autocorrelated").mean()
    assert refused > least  # type: ignore[operator]


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.5, 0.7])
def test_block_errors_are_those_of_the_spread(phi: float) -> None:
    found = fit(autoregressive(1500, 100, phi, 3), errors="block")
    assert found["se_status"].unique().to_list() == ["block"]
    for name in NAMES:
        assert 0.8 < claimed(found, name) < 1.25, name


def test_block_errors_of_short_groups_are_refused() -> None:
    found = fit(autoregressive(5, 22, 0.5, 4), errors="block")
    assert found["se_status"].unique().to_list() == ["too-few-rows"]
    assert found["E_se"].null_count() == 5 and found["E"].null_count() == 0
    with pytest.raises(sf.SettingsError) as caught:
        fit(autoregressive(5, 30, 0.5, 4), errors="block", loss=sf.Huber(0.01))
    assert caught.value.code == "bad-errors"
    with pytest.raises(sf.SettingsError) as caught:
        fit(autoregressive(5, 30, 0.5, 4), errors="blocks")
    assert caught.value.code == "bad-errors"


def test_block_errors_follow_fixed_and_tied_parameters_and_weights() -> None:
    runs = autoregressive(200, 60, 0.5, 5)
    fixed = fit(runs, errors="block", fixed={"alpha": 0.4})
    assert fixed["alpha_se"].null_count() == 200 and fixed["E_se"].null_count() == 0
    tied = fit(runs, errors="block", tied={"A": "0.75*E"})
    assert tied["A_se"].to_numpy() == pytest.approx(0.75 * tied["E_se"].to_numpy(), rel=1e-12)
    doubled = fit(runs, errors="block", weights=pl.col("x") * 0 + 2)
    assert doubled["E_se"].to_numpy() == pytest.approx(fit(runs, errors="block")["E_se"].to_numpy(), rel=1e-6)


def test_every_choice_leaves_a_group_to_itself() -> None:
    runs = autoregressive(700, 40, 0.4, 6)
    for errors in ("checked", "block"):
        whole = fit(runs, errors=errors)
        parts = [
            fit(runs.filter(pl.col("group") < 123), errors=errors),
            fit(runs.filter(pl.col("group") >= 123), errors=errors),
        ]
        assert_frame_equal(pl.concat(parts), whole, check_exact=True)
        assert_frame_equal(fit(runs, errors=errors, threads=1), whole, check_exact=True)


def test_exact_curves_have_no_residuals_to_follow_each_other() -> None:
    x = 10 ** np.linspace(0, 4, 30)
    found = fit(pl.DataFrame({"group": [0] * 30, "x": x, "L": 2 + 1.5 * x**-0.4}))
    assert found["status"].to_list() == ["converged"] and found["se_status"].to_list() == ["independent"]


def test_spacing_weighs_rows_by_their_share_of_the_logarithm() -> None:
    rng = np.random.default_rng(7)
    step = np.concatenate([np.geomspace(1, 1000, 10), np.linspace(1100, 10_000, 90)])
    loss = 2 + 1.5 * step**-0.4 + 0.3 / step + rng.normal(0, 0.002, 100)
    curve = pl.DataFrame({"group": 0, "x": step, "L": loss})
    spaced = fit(curve, spacing="x")
    logs = np.log(step)
    gaps = 0.5 * (np.append(np.diff(logs), 0) + np.append(0, np.diff(logs)))
    by_hand = fit(curve.with_columns(w=gaps / gaps.mean()), weights="w")
    assert spaced["E"].item() == pytest.approx(by_hand["E"].item(), rel=1e-9)
    assert spaced["E"].item() != pytest.approx(fit(curve)["E"].item(), rel=1e-4)
    # Order within the group, other groups, and a constant step change nothing but what they must.
    shuffled = fit(
        pl.concat([curve.sample(fraction=1, shuffle=True, seed=1), curve.with_columns(group=1)]), spacing="x"
    )
    assert shuffled["E"].to_list() == pytest.approx([spaced["E"].item()] * 2, rel=1e-7)
    broken = fit(pl.concat([curve, curve.with_columns(group=1, x=pl.col("x") - 1)]), spacing="x")
    assert broken["status"][0] == "converged" and broken["status"][1] == "invalid-values"
    assert_frame_equal(broken[:1], spaced, check_exact=True)
