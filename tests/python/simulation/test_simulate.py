"""Simulated runs: designs, noise, and bytes that never change."""

import math
import os
import pickle
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import scalefast as sf

LAW = "hoffmann-2022"
POINTS = {"N": np.full(20_000, 1e9), "D": np.full(20_000, 2e10)}


def exact(frame):
    return sf.law(LAW).predict(frame.select("N", "D"))["L"].to_numpy()


def relative(noise, seed=0, points=POINTS):
    runs = sf.simulate(LAW, points, noise, seed)
    return np.log(runs["L"].to_numpy() / exact(runs))


def test_without_noise_the_runs_lie_on_the_law():
    runs = sf.simulate(LAW, sf.Sobol(50), None)
    assert runs["L"].to_numpy().tolist() == exact(runs).tolist()


def test_isoflop_grids_spend_their_budgets_around_the_best_size():
    runs = sf.simulate(LAW, sf.IsoFLOP("1e18..1e22:5", sizes=5, decades=2), None)
    assert runs.height == 25
    assert (6 * runs["N"] * runs["D"] / runs["C"] - 1).abs().max() < 1e-14
    for row in runs.group_by("C", maintain_order=True).agg(pl.col("N"), pl.col("L")).iter_rows(named=True):
        assert row["L"].index(min(row["L"])) == 2
        assert math.log10(row["N"][-1] / row["N"][0]) == pytest.approx(2)
    assert runs["C"].unique().sort().to_list() == pytest.approx([1e18, 1e19, 1e20, 1e21, 1e22])
    shifted = sf.simulate(LAW, sf.IsoFLOP("1e18..1e22:5", sizes=5, decades=2, offset=1), None)
    assert (shifted["N"] / runs["N"]).to_list() == pytest.approx([10] * 25)


def test_fixed_ratio_keeps_the_tokens_a_parameter():
    runs = sf.simulate(LAW, sf.FixedRatio(20, "1e8..1e10:9"), None)
    assert (runs["D"] / runs["N"]).to_list() == [20.0] * 9


def test_sobol_points_fill_the_ranges_evenly_in_the_logarithm():
    ranges = {"N": (1e7, 1e9), "D": (1e9, 1e12)}
    runs = sf.simulate(LAW, sf.Sobol(256, ranges=ranges), None)
    for name, (low, high) in ranges.items():
        share = np.log(runs[name].to_numpy() / low) / np.log(high / low)
        counts, _ = np.histogram(share, bins=16, range=(0, 1))
        assert counts.tolist() == [16] * 16
    low, high = sf.law(LAW).fitted_range["N"]
    assert sf.simulate(LAW, sf.Sobol(64))["N"].is_between(low, high).all()


def test_a_frame_keeps_its_rows_and_columns():
    frame = pl.DataFrame({"name": ["b", "a"], "params_m": [1000.0, 70.0], "tokens": [2e10, 1e9]})
    runs = sf.simulate(LAW, frame, None, columns={"N": "params_m*1e6"})
    assert runs.drop("L").equals(frame)
    expected = sf.law(LAW).predict({"N": [1e9, 7e7], "D": [2e10, 1e9]})["L"]
    assert runs["L"].to_list() == expected.to_list()


def test_log_normal_noise_has_its_spread():
    noise = relative(sf.LogNormal(0.01))
    # Five standard errors of a mean and of a standard deviation.
    assert abs(noise.mean()) < 5 * 0.01 / math.sqrt(20_000)
    assert abs(noise.std() / 0.01 - 1) < 5 / math.sqrt(40_000)


def test_additive_noise_is_in_nats():
    runs = sf.simulate(LAW, POINTS, sf.Additive(0.02))
    noise = runs["L"].to_numpy() - exact(runs)
    assert abs(noise.mean()) < 5 * 0.02 / math.sqrt(20_000)
    assert abs(noise.std() / 0.02 - 1) < 5 / math.sqrt(40_000)


def test_student_noise_has_the_tails_of_its_degrees():
    noise = relative(sf.StudentT(0.01, degrees=3)) / 0.01
    # P(|t| > 3.182) = 0.05 and P(|t| > 5.841) = 0.01 for three degrees of freedom (any table of the law).
    for limit, share in ((3.182, 0.05), (5.841, 0.01)):
        assert abs((np.abs(noise) > limit).mean() - share) < 5 * math.sqrt(share / 20_000)


def test_evaluations_of_a_run_share_its_noise():
    points = {"N": np.full(4000, 1e9), "D": np.full(4000, 2e10)}
    runs = sf.simulate(LAW, points, sf.RunLevel(run=0.02, evaluation=0.005, evaluations=5), 3)
    assert runs.height == 20_000
    noise = np.log(runs["L"].to_numpy() / exact(runs)).reshape(4000, 5)
    assert runs["run"].to_list() == np.repeat(np.arange(4000), 5).tolist()
    within = noise.std(axis=1, ddof=1)
    between = noise.mean(axis=1).std(ddof=1)
    assert math.sqrt((within**2).mean()) == pytest.approx(0.005, rel=0.05)
    assert between == pytest.approx(math.sqrt(0.02**2 + 0.005**2 / 5), rel=0.06)


def test_rows_of_one_run_in_a_frame_share_its_noise():
    frame = pl.DataFrame({"run": ["a", "b", "a", "b"], "N": [1e9] * 4, "D": [1e10] * 4})
    losses = sf.simulate(LAW, frame, sf.RunLevel(0.02, 0.0))["L"]
    assert losses[0] == losses[2] != losses[1] == losses[3]


@pytest.mark.parametrize("residual", ["log", "identity"])
def test_noise_from_a_fit_is_one_of_its_residuals(residual):
    runs = sf.simulate(LAW, sf.Sobol(40), sf.LogNormal(0.01), 5)
    fit = sf.fit(runs, "chinchilla", residual=residual, loss=sf.Squared())
    again = sf.simulate(fit, POINTS, sf.Residuals(fit), 1)
    clean = fit.law.predict(POINTS)["L"].to_numpy()
    made = np.log(clean / again["L"].to_numpy()) if residual == "log" else clean - again["L"].to_numpy()
    known = np.sort(fit.residuals["residual"].to_numpy())
    assert np.unique(np.round(made, 12)).tolist() == pytest.approx(known.tolist(), abs=1e-11)


def test_the_same_seed_gives_the_same_bytes_with_any_instruction_set():
    code = (
        "import hashlib, scalefast as sf;"
        "runs = sf.simulate('hoffmann-2022', sf.IsoFLOP('1e19..1e21:3', sizes=5), sf.StudentT(0.01, 4), seed=12345);"
        "print(hashlib.sha256(runs.select('N', 'D', 'L').to_numpy().tobytes()).hexdigest())"
    )
    printed = {
        subprocess.run([sys.executable, "-c", code], env=os.environ | extra, capture_output=True, check=True).stdout
        for extra in ({}, {"SCALEFAST_KERNEL": "scalar"}, {"SCALEFAST_NUM_THREADS": "1"})
    }
    assert len(printed) == 1


def test_noise_depends_on_the_seed_and_the_place_alone():
    first = relative(sf.LogNormal(0.01), seed=1)
    assert relative(sf.LogNormal(0.01), seed=2).tolist() != first.tolist()
    few = {name: values[:7] for name, values in POINTS.items()}
    assert relative(sf.LogNormal(0.01), seed=1, points=few).tolist() == first[:7].tolist()
    assert abs(np.corrcoef(first, relative(sf.LogNormal(0.01), seed=2))[0, 1]) < 5 / math.sqrt(20_000)


@pytest.mark.parametrize(
    "value",
    [sf.IsoFLOP("1e18..1e20:3"), sf.FixedRatio(20, 1e9), sf.Sobol(4, ranges={"N": (1, 2)}), sf.RunLevel(0.1, 0.2)],
)
def test_settings_pickle_and_compare(value):
    assert pickle.loads(pickle.dumps(value)) == value
    assert hash(pickle.loads(pickle.dumps(value))) == hash(value)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: sf.LogNormal(-1), "bad-noise"),
        (lambda: sf.Additive(math.nan), "bad-noise"),
        (lambda: sf.StudentT(0.1, degrees=0), "bad-noise"),
        (lambda: sf.StudentT(0.1, degrees=2.5), "bad-noise"),  # type: ignore[arg-type]
        (lambda: sf.RunLevel(0.1, 0.1, evaluations=0), "bad-noise"),
        (lambda: sf.IsoFLOP([]), "bad-design"),
        (lambda: sf.IsoFLOP("x"), "bad-number"),
        (lambda: sf.IsoFLOP(1e20, sizes=1), "bad-design"),
        (lambda: sf.IsoFLOP(1e20, decades=0), "bad-design"),
        (lambda: sf.FixedRatio(-2, 1e9), "bad-design"),
        (lambda: sf.FixedRatio(20, [1e9, -1]), "bad-design"),
        (lambda: sf.Sobol(4, ranges={"N": (2, 1)}), "bad-starts"),
        (lambda: sf.simulate("chinchilla", sf.Sobol(4)), "no-values"),
        (lambda: sf.simulate(LAW, sf.Sobol(4), seed=-1), "bad-seed"),
        (lambda: sf.simulate(LAW, sf.Sobol(4), noise=0.01), "bad-noise"),  # type: ignore[arg-type]
        (lambda: sf.simulate(LAW, {"N": [1e9], "D": [math.nan]}), "invalid-rows"),
        (lambda: sf.simulate(LAW, pl.DataFrame({"N": [], "D": []})), "no-rows"),
        (lambda: sf.simulate(LAW, {"N": [1e9]}), "unbound-variable"),
        (lambda: sf.simulate("kaplan-2020/n", sf.IsoFLOP(1e20)), None),
        (lambda: sf.simulate(sf.law("1 + a/N", parameters={"a": 1.0}), sf.Sobol(4)), "bad-design"),
        (
            lambda: sf.simulate(LAW, {"run": [1], "N": [1e9], "D": [1e9]}, sf.RunLevel(0.1, 0.1, evaluations=2)),
            "bad-noise",
        ),
    ],
)
def test_what_cannot_be_simulated_is_an_error_with_a_code(call, code):
    with pytest.raises(sf.ScalefastError) as caught:
        call()
    assert code is None or caught.value.code == code
