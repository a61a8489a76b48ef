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


@pytest.mark.parametrize(("runs", "kind"), [(8, "pairs-percentile"), (12, "pairs-expanded"), (60, "pairs-bca")])
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


def test_errors_of_groups_are_void_where_rows_are_copies():
    y = 1 + 2 * X**-0.5 + 0.02 * NOISE
    for x, loss, copies in ((X[::4], y[::4], 10), (X, y, 40), (X, y, 4)):
        shown = {"x": np.r_[x, x[:copies]], "L": np.r_[loss, loss[:copies]]}
        shown["g"] = np.zeros(len(shown["x"]))
        checked = sf.fit_groups(shown, LAW, by="g", columns={"x": "x"})
        plain = sf.fit_groups(shown, LAW, by="g", columns={"x": "x"}, errors="independent")
        wanted = "independent" if copies == 4 else "duplicate-rows"
        assert checked["se_status"][0] == wanted and plain["se_status"][0] == "independent"
        assert (checked["b_se"][0] is None) == (wanted == "duplicate-rows") and plain["b_se"][0] > 0


@pytest.mark.parametrize("loss", [sf.Squared(), sf.Huber("auto"), sf.Cauchy(0.05)])
def test_every_loss_and_known_noise_are_tested_for_autocorrelation(loss):
    walk = 1 + 2 * X**-0.5 + 0.02 * np.cumsum(NOISE)
    assert "autocorrelated" in codes(fitted(walk, loss=loss))
    known = {"more": {"s": np.ones(40)}, "sigma": "s"}
    assert "autocorrelated" in codes(fitted(walk, loss=loss, **known))


def runs_of_curves(seed, level=0.01, name="run"):
    """Twelve runs of eight checkpoints; every run lies off its law as a whole."""
    rng = np.random.default_rng(seed)
    size, tokens = np.repeat(np.geomspace(3e7, 3e9, 12), 8), np.tile(np.geomspace(1e9, 3e10, 8), 12)
    noise = np.repeat(level * rng.standard_normal(12), 8) + 0.002 * rng.standard_normal(96)
    loss = (1.9 + 160 * size**-0.285 + 1150 * tokens**-0.345) * np.exp(noise)
    mixed = rng.permutation(96)
    return pl.DataFrame({"N": size, "D": tokens, "L": loss, name: np.repeat(np.arange(12), 8)})[mixed]


def test_curves_in_two_variables_are_seen_and_errors_by_run_answer_for_them():
    plain = {"residual": "log", "loss": sf.Squared()}
    assert "autocorrelated" in codes(sf.fit(runs_of_curves(1, name="group"), "chinchilla", **plain))
    by_run = sf.fit(runs_of_curves(1), "chinchilla", run="run", checkpoints="all", **plain)
    assert "autocorrelated" not in codes(by_run)
    silent = [sf.fit(runs_of_curves(seed, 0.0), "chinchilla", **plain) for seed in range(20)]
    assert not any("autocorrelated" in codes(fit) for fit in silent)


@pytest.mark.parametrize(
    ("law", "name", "logarithmic"),
    [
        ("a + b*x**(-c)", "b", True),
        ("a + b*exp(-c*x)", "b", True),
        ("a + b*(x**(-c) + x**(-c/2))", "b", True),
        ("a + (x/b)**(-c)", "b", True),
        ("a + x**c/(b**c + x**c)", "b", True),
        ("a + b*x", "b", False),
        ("b*(x - a)", "b", False),
        ("b/(1 + a*x)", "b", False),
        ("b*x/(a + x)", "b", False),
        ("a + b*sin(c*x)", "b", False),
        ("a*exp(-b*x)", "b", False),
    ],
)
def test_intervals_on_the_logarithm_belong_to_shared_scales(law, name, logarithmic):
    y = 1 + 2 * X**-0.5 + 0.02 * NOISE
    row = fitted(y, law).parameters.row(by_predicate=pl.col("parameter") == name, named=True)
    assert row["interval_method"].removesuffix("-bound-held").endswith("-log") == logarithmic


def covered(law, truth, simulate, name, sets=150, **settings):
    hits = 0
    for seed in range(sets):
        x, y = simulate(np.random.default_rng(seed))
        row = fitted(y, law, x=x, **settings).parameters
        lower, upper = row.filter(parameter=name).select("lower", "upper").row(0)
        hits += lower <= truth <= upper
    return hits / sets


def test_intervals_on_the_logarithm_hold_the_truth_where_symmetric_ones_do_not():
    x = np.geomspace(1e18, 1e21, 8)
    power = covered(
        "k*x**a", 0.35, lambda r: (x, 0.35 * x**0.47 * np.exp(0.2 * r.standard_normal(8))), "k", residual="log"
    )
    slope = covered("a + b*log(x)", 0.05, lambda r: (X, 1 + 0.05 * np.log(X) + 0.5 * r.standard_normal(40)), "b")
    assert 0.83 <= power <= 0.96 and 0.83 <= slope <= 0.96


@pytest.mark.parametrize("clusters", [12, 20])
def test_first_order_errors_of_few_clusters_cover(clusters):
    """A formula that takes the fit for the truth covers 78 % with 12 runs."""
    hits = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        size, run = np.repeat(np.geomspace(3e7, 3e9, clusters), 6), np.repeat(np.arange(clusters), 6)
        tokens = np.repeat(np.exp(rng.uniform(np.log(3e9), np.log(6e10), clusters)), 6)
        tokens = tokens * np.tile(np.exp(np.linspace(-3, 0, 6)), clusters)
        noise = 0.005 * rng.standard_normal(clusters)[run] + 0.0015 * rng.standard_normal(6 * clusters)
        loss = (1.92 + 160 * size**-0.285 + 1150 * tokens**-0.345) * np.exp(noise)
        rows = {"N": size, "D": tokens, "L": loss, "run": run}
        fit = sf.fit(rows, "chinchilla", residual="log", loss=sf.Squared(), run="run", checkpoints="all")
        found = {row["parameter"]: row for row in fit.parameters.iter_rows(named=True)}
        assert found["alpha"]["interval_method"] == "cluster-jackknife"
        hits += [found[name]["lower"] <= value <= found[name]["upper"] for name, value in TRUTHS.items()]
    assert 0.85 <= np.mean(hits) <= 0.96


TRUTHS = {"alpha": 0.285, "beta": 0.345}


def test_one_cluster_that_decides_leaves_no_errors():
    """Only one run varies a second variable: without it nothing is known of its slope."""
    rng = np.random.default_rng(2)
    run = np.repeat(np.arange(9), 4)
    x, z = rng.uniform(1, 9, 36), np.where(run == 4, rng.uniform(1, 9, 36), 1.0)
    rows = {"x": x, "z": z, "L": 1 + x + z + 0.1 * rng.standard_normal(36), "run": run}
    fit = sf.fit(rows, "a + b*x + c*z", columns={"x": "x", "z": "z"}, run="run", checkpoints="all")
    assert set(fit.parameters["interval_method"]) == {"one-cluster-decides"}


def test_few_clusters_are_warned_of_by_what_their_intervals_do():
    bounds = {"c": (0.1, 2)}
    for runs, kind, warned in ((8, None, True), (12, None, False), (12, "wild-webb", True), (60, "bayesian", False)):
        rng = np.random.default_rng(3)
        x = np.tile(np.geomspace(1, 100, 4), runs) * np.repeat(rng.uniform(0.9, 1.1, runs), 4)
        more = {"run": np.repeat(np.arange(runs), 4)}
        y = 1 + 2 * x**-0.5 + 0.01 * rng.standard_normal(4 * runs)
        resample = None if kind is None else sf.Bootstrap(60, kind=kind)
        fit = fitted(y, x=x, more=more, run="run", checkpoints="all", bounds=bounds, resample=resample)
        assert ("few-clusters" in codes(fit)) == warned, (runs, kind)


def test_where_a_bound_is_active_intervals_say_that_it_is_held_and_a_profile_lets_it_go():
    y = 1 + 2 * X**-0.5 + 0.02 * NOISE
    free, held = fitted(y), fitted(y, bounds={"c": (0, 0.49)})
    methods = dict(held.parameters.select("parameter", "interval_method").iter_rows())
    assert methods == {"a": "gauss-newton-bound-held", "b": "gauss-newton-log-bound-held", "c": "at-bound"}
    assert held.derive("a + b")["interval_method"][0] == "gauss-newton-bound-held"
    assert "bound-held" in held.predict({"x": [3.0]}, interval="confidence")["interval_method"][0]
    assert not any("held" in method for method in free.parameters["interval_method"])
    row, profile = held.parameters.row(0, named=True), held.profile("a")
    assert profile.upper - profile.lower > 1.5 * (row["upper"] - row["lower"])


def test_percentiles_are_read_where_a_bound_is_active():
    y = 1 + 2 * X**-0.5 + 0.02 * NOISE
    for limit, kind in ((0.3, "pairs-percentile"), (2.0, "pairs-bca")):
        fit = fitted(y, bounds={"c": (0, limit)}, resample=sf.Bootstrap(60))
        assert fit.parameters["interval_method"][0] == kind
