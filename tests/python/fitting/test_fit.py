"""Fits: the published minimum, the invariances, the roles of parameters, and every kind of misuse."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import close, epoch_reference, epoch_rows, folder, grid

NAMES = ("A", "B", "E", "alpha", "beta")


def noisy(seed: int = 1, scale: float = 0.01) -> pl.DataFrame:
    """Runs of hoffmann-2022 with log-normal noise."""
    runs = grid()
    noise = np.random.default_rng(seed).normal(0.0, scale, runs.height)
    return runs.with_columns(L=pl.col("L") * pl.Series(np.exp(noise)))


@pytest.mark.parametrize("rows", [240, 245])
def test_the_published_minimum_is_reached(rows: int) -> None:
    fit = sf.fit(epoch_rows(rows), "chinchilla").raise_for_status()
    reference = epoch_reference()[f"minimum_n{rows}"]
    assert fit.objective <= reference["objective"] * (1 + 1e-9)
    for name in NAMES:
        assert close(float(fit.law.parameters[name] or 0), reference[name], 1e-6)
    assert fit.loss == sf.Huber(1e-3) and fit.spec.residual == "log"
    certificate = fit.certificate
    assert certificate.gradient < 1e-9 and certificate.curvature > 0 and certificate.agreeing >= 2


def test_the_robust_threshold_is_always_stated() -> None:
    fit = sf.fit(epoch_rows(), "chinchilla")
    found = fit.diagnostics.filter(pl.col("code") == "delta-near-l1").row(0, named=True)
    assert found["severity"] == "warning" and close(found["value"], fit.quadratic_share, 1e-12)
    assert 0.1 < fit.quadratic_share < 0.2
    auto = sf.fit(noisy(), "chinchilla", loss=sf.Huber("auto"))
    assert isinstance(auto.loss, sf.Huber) and auto.loss.delta != "auto"
    assert "delta" in auto.diagnostics["code"].to_list()


def parameters(fit: sf.Fit) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([fit.law.parameters[name] for name in NAMES], dtype=np.float64)


def errors(fit: sf.Fit) -> np.ndarray[Any, np.dtype[np.float64]]:
    frame = fit.parameters
    return np.array([frame.filter(pl.col("parameter") == name)["std_error"].item() for name in NAMES])


@pytest.mark.parametrize("loss", [sf.Squared(), sf.Huber(0.01)])
def test_weights_by_a_factor_change_nothing(loss: sf.Loss) -> None:
    runs = noisy().with_columns(w=pl.int_range(pl.len()) % 3 + 1.0)
    one = sf.fit(runs, "chinchilla", weights="w", loss=loss)
    many = sf.fit(runs, "chinchilla", weights="w*1e5", loss=loss)
    assert np.allclose(parameters(many), parameters(one), rtol=1e-9)
    assert np.allclose(errors(many), errors(one), rtol=1e-7)
    assert close(many.objective, one.objective * 1e5, 1e-9)


def test_units_of_size_and_data_change_only_their_scales() -> None:
    runs = noisy()
    plain = dict(zip(NAMES, parameters(sf.fit(runs, "chinchilla")), strict=True))
    scaled = sf.fit(runs.with_columns(pl.col("N") / 1e6, pl.col("D") / 1e9), "chinchilla")
    found = dict(zip(NAMES, parameters(scaled), strict=True))
    for name in ("E", "alpha", "beta"):
        assert close(found[name], plain[name], 1e-9)
    assert close(found["A"], plain["A"] / 1e6 ** plain["alpha"], 1e-8)
    assert close(found["B"], plain["B"] / 1e9 ** plain["beta"], 1e-8)
    assert scaled.diagnostics["code"].to_list().count("looks-scaled") == 2


def test_loss_by_a_factor_scales_a_b_e_under_the_log_residual() -> None:
    runs = noisy()
    plain, scaled = sf.fit(runs, "chinchilla"), sf.fit(runs.with_columns(pl.col("L") * 7.0), "chinchilla")
    assert np.allclose(parameters(scaled), parameters(plain) * np.array([7.0, 7.0, 7.0, 1.0, 1.0]), rtol=1e-9)


def test_the_order_of_rows_does_not_matter_and_twice_is_weight_two() -> None:
    runs = noisy()
    plain = sf.fit(runs, "chinchilla")
    assert np.allclose(
        parameters(sf.fit(runs.sample(fraction=1, shuffle=True, seed=3), "chinchilla")), parameters(plain), rtol=1e-9
    )
    twice = sf.fit(pl.concat([runs, runs[:5]]), "chinchilla")
    weighted = sf.fit(
        runs.with_columns(w=pl.when(pl.int_range(pl.len()) < 5).then(2.0).otherwise(1.0)), "chinchilla", weights="w"
    )
    assert np.allclose(parameters(twice), parameters(weighted), rtol=1e-9)


def test_fixed_tied_and_bounded_parameters() -> None:
    runs = noisy()
    fit = sf.fit(runs, "chinchilla", fixed={"E": 1.7}, tied={"beta": "alpha"}, bounds={"alpha": (0, 0.3)})
    rows = {row["parameter"]: row for row in fit.parameters.iter_rows(named=True)}
    assert rows["E"]["estimate"] == 1.7 and rows["E"]["status"] == "fixed" and rows["E"]["std_error"] is None
    assert rows["beta"]["estimate"] == rows["alpha"]["estimate"] == 0.3
    assert rows["alpha"]["status"] == "at-bound" and fit.status == "at-bound"
    assert "at-bound" in fit.diagnostics["code"].to_list()
    free = sf.fit(runs, "chinchilla", tied={"beta": "alpha"}, loss=sf.Squared()).parameters
    spread = dict(zip(free["parameter"], free["std_error"], strict=True))
    assert close(spread["beta"], spread["alpha"], 1e-12)


def test_squared_loss_gives_the_textbook_regression() -> None:
    """y = a + b x + c x²: estimates, standard errors, t intervals and leverages against linear algebra."""
    random = np.random.default_rng(5)
    x = np.linspace(-2, 3, 12)
    y = 1.0 - 2.0 * x + 0.5 * x**2 + random.normal(0, 0.3, 12)
    w = random.uniform(0.5, 2.0, 12)
    fit = sf.fit({"x": x, "y": y, "w": w}, "a + b*x + c*x**2", columns={"x": "x"}, y="y", weights="w", level=0.9)
    design = np.stack([np.ones(12), x, x**2], axis=1)
    normal = np.linalg.inv(design.T @ (w[:, None] * design))
    estimate = normal @ design.T @ (w * y)
    residual = design @ estimate - y
    covariance = normal * (w @ residual**2) / 9
    frame = fit.parameters
    assert np.allclose(frame["estimate"], estimate, rtol=1e-10)
    assert np.allclose(frame["std_error"], np.sqrt(np.diag(covariance)), rtol=1e-9)
    # 1.8331129326536335 is the 95 % quantile of Student's t with 9 degrees of freedom.
    assert np.allclose(frame["upper"] - frame["estimate"], 1.8331129326536335 * frame["std_error"], rtol=1e-9)
    assert set(frame["interval_method"]) == {"gauss-newton"}
    assert np.allclose(fit.covariance().drop("parameter").to_numpy(), covariance, rtol=1e-8)
    rows = fit.residuals
    assert np.allclose(rows["leverage"], w * np.einsum("ij,jk,ik->i", design, normal, design), rtol=1e-9)
    assert np.allclose(rows["residual"], residual, rtol=1e-8, atol=1e-12)
    without = sf.fit({"x": x[1:], "y": y[1:], "w": w[1:]}, "a + b*x + c*x**2", columns={"x": "x"}, y="y", weights="w")
    change = np.abs((without.parameters["estimate"] - frame["estimate"]) / frame["std_error"]).max()
    assert close(rows["influence"][0], float(change), 1e-8)


def test_standard_errors_agree_with_those_nist_certifies() -> None:
    for problem in json.loads((folder() / "nist_strd.json").read_text()):
        # The residuals of Lanczos1 are rounding errors, and so are its standard errors.
        if problem["name"] == "Lanczos1":
            continue
        columns = {name: np.asarray(problem[name], dtype=np.float64) for name in problem["predictors"]}
        y = np.asarray(problem["y"], dtype=np.float64)
        start = dict(zip(problem["params"], problem["start2"], strict=True))
        fit = sf.fit(
            {**columns, "response": np.log(y) if problem["response"] == "log(y)" else y},
            problem["model"],
            columns={name: name for name in columns},
            y="response",
            starts=start,
        )
        found = dict(zip(fit.parameters["parameter"], fit.parameters["std_error"], strict=True))
        for name, certified in zip(problem["params"], problem["certified_sd"], strict=True):
            assert close(found[name], certified, 1e-6), (problem["name"], name)


def test_derived_quantities_carry_their_errors() -> None:
    fit = sf.fit(noisy(), "chinchilla", loss=sf.Squared())
    one = fit.derive("alpha").row(0, named=True)
    direct = fit.parameters.filter(pl.col("parameter") == "alpha").row(0, named=True)
    for name in ("estimate", "std_error", "lower", "upper"):
        assert close(one[name], direct[name], 1e-12)
    share = fit.derive("beta/(alpha+beta)").row(0, named=True)
    assert share["lower"] < share["estimate"] < share["upper"]
    with pytest.raises(sf.SettingsError) as caught:
        fit.derive("alpha*N")
    assert caught.value.column == "N"
    with pytest.raises(sf.FormulaError):
        fit.derive("alpha^2")


def test_explicit_starts_are_the_only_ones() -> None:
    runs = noisy()
    best = sf.fit(runs, "chinchilla")
    grid_of_starts = sf.Grid({"alpha": [0.2, 0.5], "beta": [0.2, 0.5], "E": 1.0, "A": 100.0, "B": [100.0, 1e4]})
    fit = sf.fit(runs, "chinchilla", starts=grid_of_starts)
    assert fit.starts.height == 8
    assert fit.starts["start.B"].to_list() == [100.0, 1e4] * 4
    assert close(fit.objective, best.objective, 1e-9)
    assert sf.fit(runs, "chinchilla", starts=sf.Sobol(16)).starts.height == 16
    one = sf.fit(runs, "chinchilla", starts={name: float(best.law.parameters[name] or 0) for name in NAMES})
    assert one.starts.height == 1 and close(one.objective, best.objective, 1e-9)


@pytest.mark.parametrize(
    "starts",
    [
        {"alpha": 0.3},
        {"alpha": 0.3, "beta": 0.3, "E": 1.0, "A": float("nan"), "B": 1.0},
        pl.DataFrame({name: [] for name in NAMES}, schema=dict.fromkeys(NAMES, pl.Float64)),
        sf.Grid({"alpha": [0.1], "gamma": [1.0]}),
    ],
)
def test_bad_starts_are_named(starts: Any) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        sf.fit(noisy(), "chinchilla", starts=starts)
    assert caught.value.code == "bad-starts"


@pytest.mark.parametrize(
    "loss", [sf.Squared(), sf.Huber(1e-2), sf.SoftL1(1e-2), sf.Cauchy(1e-2), sf.Asymmetric(2.0), sf.Pinball(0.5, 1e-3)]
)
@pytest.mark.parametrize("residual", ["log", "identity"])
def test_every_loss_recovers_a_law_from_exact_runs(loss: sf.Loss, residual: Any) -> None:
    runs = grid()
    fit = sf.fit(runs, "chinchilla", loss=loss, residual=residual)
    truth = sf.law("hoffmann-2022").parameters
    assert np.allclose(parameters(fit), [float(truth[name] or 0) for name in NAMES], rtol=1e-5)
    assert np.allclose(fit.residuals["L_fit"], runs["L"], rtol=1e-8)


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        ({"law": "chinchila"}, sf.LawError, "unknown-law"),
        ({"law": "kaplan-frontier"}, sf.LawError, "several-outputs"),
        ({"residual": "ln"}, sf.SettingsError, "bad-residual"),
        ({"loss": "huber"}, sf.SettingsError, "bad-loss"),
        ({"fixed": {"gamma": 1.0}}, sf.SettingsError, "unknown-parameter"),
        ({"fixed": {"alpha": float("nan")}}, sf.SettingsError, "bad-fixed-value"),
        ({"fixed": {"alpha": 1.0}, "tied": {"alpha": "beta"}}, sf.SettingsError, "fixed-and-tied"),
        ({"tied": {"alpha": "gamma"}}, sf.SettingsError, "tie-unknown"),
        ({"tied": {"alpha": "beta^2"}}, sf.FormulaError, "caret-power"),
        ({"bounds": {"alpha": (1, 0)}}, sf.SettingsError, "bad-bounds"),
        ({"bounds": {"alpha": 1}}, sf.SettingsError, "bad-bounds"),
        ({"level": 1.0}, sf.SettingsError, "bad-level"),
        ({"threads": 0}, sf.SettingsError, "bad-threads"),
        ({"timeout_s": -1.0}, sf.SettingsError, "bad-timeout"),
        ({"units": {"N": "milions"}}, sf.UnitsError, "unknown-unit"),
    ],
)
def test_misuse_is_named(arguments: dict[str, Any], kind: type[sf.ScalefastError], code: str) -> None:
    with pytest.raises(kind) as caught:
        sf.fit(grid(), **{"law": "chinchilla", **arguments})
    assert caught.value.code == code


def test_too_few_distinct_points_are_refused() -> None:
    few = pl.concat([grid()[:4]] * 10)
    with pytest.raises(sf.DataError) as caught:
        sf.fit(few, "chinchilla")
    assert caught.value.code == "too-few-points" and caught.value.limit == 6.0
    with pytest.raises(sf.DataError) as caught:
        sf.fit(grid(sizes=12).filter(pl.col("D") < 1e10), "chinchilla")
    assert caught.value.code == "too-few-values" and caught.value.column == "D"


def test_specs_are_settled_compare_and_pickle() -> None:
    spec = sf.FitSpec("chinchilla", columns={"N": pl.col("x") * 1e6}, starts=sf.Grid({"alpha": [0.1]}))
    same = sf.FitSpec(
        "chinchilla",
        columns={"N": pl.col("x") * 1e6},
        starts=sf.Grid({"alpha": 0.1}),
        residual="log",
        loss=sf.Huber(1e-3),
    )
    assert spec == same and hash(spec) == hash(same)
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert spec != spec.replace(level=0.5)
    assert spec != spec.replace(columns={"N": pl.col("x") * 1e7})
    runs = noisy()
    assert sf.fit(runs, sf.FitSpec("chinchilla")).objective == sf.fit(runs, "chinchilla").objective


def test_a_fitted_law_predicts_and_knows_its_range() -> None:
    runs = noisy()
    fit = sf.fit(runs, "chinchilla")
    predicted = fit.predict({"N": 1e9, "D": 1e11})["L_fit"].item()
    assert predicted == fit.law.predict({"N": 1e9, "D": 1e11})["L"].item()
    assert fit.law.fitted_range["N"] == (runs["N"].min(), runs["N"].max())
    assert close(fit.law.fitted_range["C"][1], 6e22, 1e-12)
    with pytest.raises(sf.LawError):
        sf.law("chinchilla").predict({"N": 1e9, "D": 1e11})


def test_interrupting_by_time_is_an_error_with_a_code() -> None:
    law = "E + A/N**a + B/D**b + F/(N**c*D**d) + G*exp(-N/h)*exp(-D/k)"
    with pytest.raises(sf.ScalefastError) as caught:
        sf.fit(pl.concat([noisy()] * 20_000), law, timeout_s=0.05)
    assert caught.value.code == "timeout"


def test_the_frame_of_parameters_has_the_documented_columns() -> None:
    frame = sf.fit(noisy(), "chinchilla").parameters
    assert frame.columns == [
        "parameter",
        "estimate",
        "std_error",
        "lower",
        "upper",
        "interval_method",
        "level",
        "status",
    ]
    assert frame["level"].unique().to_list() == [0.9]
    assert (frame["lower"] < frame["estimate"]).all() and (frame["estimate"] < frame["upper"]).all()


def test_a_refused_standard_error_is_null_with_its_reason() -> None:
    fit = sf.fit(noisy(scale=0.05), "chinchilla", loss=sf.Huber(1e-5))
    frame = fit.parameters
    assert frame["std_error"].null_count() == 5
    assert set(frame["interval_method"]) == {"few-rows-within-threshold"}
    assert "no-std-error" in fit.diagnostics["code"].to_list()
    with pytest.raises(sf.ScalefastError) as caught:
        fit.covariance()
    assert caught.value.code == "few-rows-within-threshold"


@pytest.mark.parametrize("loss", [sf.Squared(), sf.Huber(0.01)])
def test_covariance_by_chunks_equals_covariance_in_one_piece(loss: sf.Loss) -> None:
    """800,000 rows by 5 parameters are the most that is kept; a row of weight nothing makes them one more."""
    random = np.random.default_rng(2)
    rows = pl.DataFrame({"N": 10 ** random.uniform(8, 10, 800_001), "D": 10 ** random.uniform(9, 12, 800_001)})
    noise = np.exp(random.normal(0.0, 0.01, rows.height))
    runs = (
        sf.law("hoffmann-2022")
        .predict(rows)
        .with_columns(pl.col("L") * pl.Series(noise), w=(pl.int_range(pl.len()) < 800_000).cast(pl.Float64))
    )
    settings: dict[str, Any] = {"loss": loss, "residual": "log"}
    kept = sf.fit(runs[:800_000], "chinchilla", **settings)
    chunked = sf.fit(runs, "chinchilla", weights="w", **settings)
    assert np.allclose(errors(chunked), errors(kept), rtol=1e-6)
    assert close(float(kept.residuals["leverage"].sum()), 5.0, 1e-9)


@pytest.mark.parametrize("loss", [sf.Squared(), sf.Huber(1e-3)])
def test_threads_change_no_bit(loss: sf.Loss) -> None:
    runs = pl.concat([noisy(seed) for seed in range(1000)])
    one, two, seven = (sf.fit(runs, "chinchilla", loss=loss, threads=threads) for threads in (1, 2, 7))
    assert one.law.parameters == two.law.parameters == seven.law.parameters
    assert one.objective == two.objective == seven.objective
    assert one.parameters.equals(two.parameters) and one.residuals.equals(seven.residuals)
    assert one.starts.equals(two.starts)


def test_a_spec_stands_for_the_law_and_its_settings() -> None:
    spec = sf.FitSpec("chinchilla", loss=sf.Squared(), seed=3)
    assert sf.fit(noisy(), spec) == sf.fit(noisy(), "chinchilla", loss=sf.Squared(), seed=3)


@pytest.mark.parametrize(
    "setting", [{"residual": "identity"}, {"drop_invalid": True}, {"seed": 1}, {"where": pl.col("N") > 1e8}]
)
def test_nothing_stands_beside_a_spec(setting: dict[str, Any]) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        sf.fit(noisy(), sf.FitSpec("chinchilla"), **setting)
    assert caught.value.code == "contradictory"
    assert caught.value.column == next(iter(setting))
