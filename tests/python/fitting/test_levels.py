"""`per=`: parameters that differ by the levels of a column, beside shared ones, in one fit."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import scalefast as sf
from cli_runs import invoke
from reference import close, folder

LAW = "E + A/N**alpha + B/D**beta"
LINE = "E + A/N**alpha"
LEVELS = ("c4", "rpj", "web")
#: The over-training law of Gadre et al. 2024 with one exponent, and twice its residual sums as printed.
OVERTRAIN = "E + a*N**b + c*6**(b/2)*D**b"
PRINTED = {"rpj": 4.256476704e-4, "c4_original": 4.141189390e-4, "rw_original": 8.244413176e-5}


def truths(rng: np.random.Generator, own: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Parameters of each level, those in `own` apart by up to a factor of 2.7."""
    shared = {
        "E": rng.uniform(1.2, 2.2),
        "A": 10 ** rng.uniform(1.5, 3.5),
        "alpha": rng.uniform(0.2, 0.6),
        "B": 10 ** rng.uniform(2, 4),
        "beta": rng.uniform(0.2, 0.6),
    }
    return {
        level: {name: value * (rng.uniform(0.6, 1.6) if name in own else 1) for name, value in shared.items()}
        for level in LEVELS
    }


def runs_of(rng: np.random.Generator, truth: dict[str, dict[str, float]], noise: float, m: int = 14) -> pl.DataFrame:
    frames = []
    for level, values in truth.items():
        points = {"N": 10 ** rng.uniform(7, 10, m), "D": 10 ** rng.uniform(9, 12, m)}
        rows = sf.law(LAW, parameters=values).predict(points)
        noisy = pl.col("L") * pl.Series(np.exp(noise * rng.standard_normal(m)))
        frames.append(rows.with_columns(noisy, corpus=pl.lit(level)))
    return pl.concat(frames)


def line_runs(rng: np.random.Generator, counts: dict[str, int]) -> pl.DataFrame:
    """Runs of the law of N alone, the same for every level, with 0.5 % noise."""
    corpus = pl.Series("corpus", [level for level, count in counts.items() for _ in range(count)])
    points = corpus.to_frame().with_columns(N=pl.Series(10 ** rng.uniform(7, 10, len(corpus))))
    runs = sf.law(LINE, parameters={"E": 2.0, "A": 300.0, "alpha": 0.3}).predict(points)
    return runs.with_columns(pl.col("L") * pl.Series(np.exp(rng.normal(0, 0.005, runs.height))))


def overtrain_rows() -> pl.DataFrame:
    """The 15 rows that the source fits, five a training set."""
    rows = pl.read_csv(folder() / "mlfoundations_overtrain.csv", infer_schema_length=None)
    sizes = ["d=96_l=8_h=4", "d=512_l=8_h=4", "d=576_l=24_h=8", "d=1024_l=24_h=8"]
    m = pl.col("tokens_per_param").round(6)
    chosen = (pl.col("model_name").is_in(sizes) & (m == 20)) | ((pl.col("model_name") == sizes[0]) & (m == 320))
    return rows.filter(chosen)


def fit_overtrain(rows: pl.DataFrame, own: str, **settings: Any) -> sf.Fit:
    per = dict.fromkeys(own, "dataset_name")
    return sf.fit(rows, OVERTRAIN, y="loss_c4_val", residual="identity", per=per, **settings)


def test_full_levels_reproduce_the_printed_residual_sums() -> None:
    rows = overtrain_rows()
    assert rows.height == 15
    whole = fit_overtrain(rows, "Eabc").raise_for_status()
    assert close(2 * whole.objective, sum(PRINTED.values()), 1e-9)
    for level, printed in PRINTED.items():
        alone = sf.fit(rows.filter(dataset_name=level), OVERTRAIN, y="loss_c4_val", residual="identity")
        assert close(2 * alone.objective, printed, 1e-9)
        for name, value in whole.law.at_level(dataset_name=level).parameters.items():
            assert close(float(value or 0), float(alone.law.parameters[name] or 0), 1e-7)


def test_a_shared_exponent_lies_between_those_of_the_levels_and_costs_residuals() -> None:
    rows = overtrain_rows()
    shared = fit_overtrain(rows, "Eac").raise_for_status()
    assert list(shared.law.parameters)[-4:] == ["b", "c[c4_original]", "c[rpj]", "c[rw_original]"]
    assert -0.2728507 < float(shared.law.parameters["b"] or 0) < -0.2424722
    assert 2 * shared.objective > sum(PRINTED.values())
    # The exponent is the best one: no other gives fits of the levels, which are linear then, with less in total.
    for factor in (0.99, 1.01):
        b = float(shared.law.parameters["b"] or 0) * factor
        costs = [
            sf.fit(rows.filter(dataset_name=level), OVERTRAIN, y="loss_c4_val", residual="identity", fixed={"b": b})
            for level in PRINTED
        ]
        assert sum(fit.objective for fit in costs) > shared.objective


@pytest.mark.parametrize("own", [("E",), ("E", "A", "B"), ("alpha", "beta"), ("E", "A", "alpha", "B", "beta")])
def test_random_truths_are_recovered(own: tuple[str, ...]) -> None:
    for seed in range(25):
        rng = np.random.default_rng(seed)
        truth = truths(rng, own)
        fit = sf.fit(runs_of(rng, truth, 0.0), LAW, per=dict.fromkeys(own, "corpus"), residual="log")
        for level, values in truth.items():
            found = fit.law.at_level(corpus=level).parameters
            assert all(close(float(found[name] or 0), value, 1e-6) for name, value in values.items()), (seed, level)


def test_one_level_is_the_plain_fit() -> None:
    rng = np.random.default_rng(1)
    runs = runs_of(rng, {"c4": truths(rng, ())["c4"]}, 0.005, m=40)
    plain = sf.fit(runs, LAW, residual="log")
    single = sf.fit(runs, LAW, residual="log", per={"E": "corpus", "alpha": "corpus"})
    assert close(single.objective, plain.objective, 1e-10)
    assert_frame_equal(
        single.parameters.with_columns(pl.col("parameter").str.replace(r"\[c4\]", "")), plain.parameters, rel_tol=1e-5
    )


@pytest.mark.parametrize("loss", [sf.Squared(), sf.Huber(1e-3)])
def test_the_names_and_the_order_of_levels_do_not_matter(loss: sf.Loss) -> None:
    rng = np.random.default_rng(2)
    runs = runs_of(rng, truths(rng, ("E", "A")), 0.005, m=30)
    per = {"E": "corpus", "A": "corpus"}
    first = sf.fit(runs, LAW, residual="log", loss=loss, per=per)
    renamed = runs.with_columns(pl.col("corpus").replace({"c4": "z", "web": "a"}))
    second = sf.fit(renamed[::-1], LAW, residual="log", loss=loss, per=per)
    assert close(second.objective, first.objective, 1e-9)
    for old, new in (("c4", "z"), ("rpj", "rpj"), ("web", "a")):
        ours, theirs = first.law.at_level(corpus=old).parameters, second.law.at_level(corpus=new).parameters
        assert all(close(float(theirs[name] or 0), float(ours[name] or 0), 1e-6) for name in ours)


def test_derivatives_covariance_and_draws_know_the_levels() -> None:
    rng = np.random.default_rng(3)
    runs = line_runs(rng, {"c4": 30, "rpj": 30, "web": 30})
    resample = sf.Bootstrap(200, strata="corpus")
    fit = sf.fit(runs, LINE, residual="log", per={"E": "corpus"}, resample=resample)
    assert fit.draws.columns[1:-3] == list(fit.law.parameters)
    assert fit.covariance()["parameter"].to_list() == list(fit.law.parameters)
    assert fit.starts.columns[0] == "start.E[c4]"
    difference = fit.derive("`E[rpj]` - `E[c4]`").row(0, named=True)
    assert fit.law.draws is not None
    spread = fit.law.draws.select(pl.col("E[rpj]") - pl.col("E[c4]")).to_series().std()
    assert close(difference["std_error"], float(spread or 0), 1e-9)  # type: ignore[arg-type]
    plain = sf.fit(runs, LINE, residual="log", per={"E": "corpus"})
    by_formula = plain.derive("`E[rpj]` - `E[c4]`")["std_error"].item()
    assert 0.7 < difference["std_error"] / by_formula < 1.4
    one = fit.law.at_level(corpus="rpj")
    assert one.draws is not None and one.draws.columns == list(one.parameters)
    assert one.draws["E"].to_list() == fit.law.draws["E[rpj]"].to_list()


def test_a_replicate_without_enough_rows_of_a_level_says_so() -> None:
    rng = np.random.default_rng(4)
    runs = line_runs(rng, {"c4": 20, "rpj": 1})
    draws = sf.fit(runs, LINE, residual="log", per={"E": "corpus"}, resample=sf.Bootstrap(100)).draws
    lost = draws["status"] == "too-few-points"
    # A single row is left out of (1 - 1/21)**21 = 36 % of the replicates.
    assert 20 <= lost.sum() <= 52
    assert draws.filter(lost)["E[rpj]"].null_count() == lost.sum()


def test_predictions_go_by_the_column() -> None:
    rng = np.random.default_rng(5)
    truth = truths(rng, ("E", "alpha"))
    fit = sf.fit(runs_of(rng, truth, 0.0), LAW, residual="log", per={"E": "corpus", "alpha": "corpus"})
    points = pl.DataFrame({"N": [1e9] * 4, "D": [1e11] * 4, "corpus": ["web", "c4", "rpj", None]})
    expected = [
        sf.law(LAW, parameters=truth[level]).predict({"N": 1e9, "D": 1e11})["L"][0] for level in points["corpus"][:3]
    ]
    for found in (fit.predict(points)["L_fit"], points.select(fit.law.expr())["L"]):
        assert found[:3].to_list() == pytest.approx(expected, rel=1e-6)
        assert found[3] is None
    noisy = sf.fit(runs_of(rng, truth, 0.01, m=30), LAW, residual="log", per={"E": "corpus"})
    band = noisy.predict(points.drop_nulls(), interval="confidence")
    assert (band["L_lower"] < band["L_fit"]).all() and (band["L_fit"] < band["L_upper"]).all()
    for bad, code in (
        (points.drop("corpus"), "unknown-column"),
        (points.with_columns(corpus=pl.lit("C4")), "unknown-level"),
    ):
        with pytest.raises(sf.DataError) as caught:
            fit.predict(bad)
        assert caught.value.code == code


def test_such_a_fit_is_kept_like_any_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    runs = runs_of(rng, truths(rng, ("E",)), 0.005, m=25).with_columns(
        corpus=pl.col("corpus").replace({"c4": 'web, `2` = "new"'})
    )
    fit = sf.fit(runs, "chinchilla", per={"E": "corpus"}, bounds={"E": (0.5, 5)})
    assert [fit.law.bounds[name] for name in list(fit.law.parameters)[:3]] == [(0.5, 5)] * 3
    assert pickle.loads(pickle.dumps(fit)) == fit
    assert sf.repeat(fit.manifest, runs) == fit
    fit.save(tmp_path / "law.parquet")
    fit.save(tmp_path / "law.toml")
    saved = sf.load(tmp_path / "law.parquet")
    assert saved.law == fit.law and saved.spec == fit.spec
    points = runs.drop("L")[::7]
    for law in (saved.law, sf.law(tmp_path / "law.parquet"), sf.law(tmp_path / "law.toml")):
        assert law.predict(points)["L"].to_list() == fit.law.predict(points)["L"].to_list()
    one = sf.law(f"{tmp_path / 'law.toml'}#corpus=rpj")
    assert one.parameters == fit.law.at_level(corpus="rpj").parameters
    assert one.id == "law[rpj]" and one.uncertainty == "covariance"
    expected = fit.covariance().filter(pl.col("parameter") == "E[rpj]").select("E[rpj]", "A").row(0)
    assert one.published is not None and one.published.covariance is not None
    assert one.published.covariance[0][:2] == expected
    laws = [fit.law.at_level(corpus=level) for level in ("rpj", "web")]
    assert sf.sweep(laws, budget=1e21).summary["law"].to_list() == ["chinchilla[rpj]", "chinchilla[web]"]
    assert sf.sweep(one, budget=1e21).summary["N"].item() > 0
    with pytest.raises(sf.LawError) as caught:
        sf.sweep(fit, budget=1e21)
    assert caught.value.code == "level-unsaid"


def test_two_columns_of_levels() -> None:
    rng = np.random.default_rng(7)
    runs = runs_of(rng, truths(rng, ("E",)), 0.0, m=30).with_columns(seen=pl.int_range(pl.len()) % 2)
    scaled = runs.with_columns(L=pl.col("L") + 0.1 * pl.col("seen"))
    fit = sf.fit(scaled, f"F + {LAW}", residual="log", per={"E": "corpus", "F": "seen"}, bounds={"F": (0, 9)})
    assert [name for name in fit.law.parameters if name[0] in "EF"] == ["F[0]", "F[1]", "E[c4]", "E[rpj]", "E[web]"]
    # Only the sum of both offsets can be told, so one of the first column lies on its bound.
    assert fit.law.parameters["F[1]"] - fit.law.parameters["F[0]"] == pytest.approx(0.1, rel=1e-6)  # type: ignore[operator]
    one = fit.law.at_level(corpus="rpj", seen=1)
    assert one.predict(scaled.filter(corpus="rpj", seen=1).drop("L"))["L"].to_list() == pytest.approx(
        scaled.filter(corpus="rpj", seen=1)["L"].to_list(), rel=1e-6
    )


@pytest.mark.parametrize(
    ("per", "settings", "error", "code"),
    [
        ({"F": "corpus"}, {}, sf.SettingsError, "unknown-parameter"),
        ({"E": 3}, {}, sf.SettingsError, "bad-per"),
        ({"E": "corpora"}, {}, sf.DataError, "unknown-column"),
        ({"E": "L"}, {}, sf.DataError, "bad-level-column"),
        ({"E": "holes"}, {}, sf.DataError, "null-level"),
        ({"E": "row", "A": "row"}, {}, sf.SettingsError, "too-many-levels"),
        ({"E": "corpus"}, {"fixed": {"E": 1.0}}, sf.SettingsError, "per-not-free"),
        ({"alpha": "corpus"}, {"tied": {"beta": "alpha"}}, sf.SettingsError, "tied-per-level"),
        (dict.fromkeys(("E", "A", "alpha"), "corpus"), {"where": "row < 16"}, sf.DataError, "too-few-points"),
    ],
)
def test_misuse_raises(
    per: dict[str, Any], settings: dict[str, Any], error: type[sf.ScalefastError], code: str
) -> None:
    rng = np.random.default_rng(8)
    runs = runs_of(rng, truths(rng, ()), 0.01).with_columns(
        row=pl.int_range(pl.len()), holes=pl.when(pl.int_range(pl.len()) > 3).then(pl.col("corpus"))
    )
    with pytest.raises(error) as caught:
        sf.fit(runs, LAW, per=per, **settings)
    assert caught.value.code == code


def test_levels_are_asked_for_by_name() -> None:
    rng = np.random.default_rng(9)
    fit = sf.fit(runs_of(rng, truths(rng, ()), 0.01), LAW, per={"E": "corpus"})
    for chosen, code in (({}, "level-unsaid"), ({"corpus": "c5"}, "unknown-level"), ({"set": "c4"}, "unknown-column")):
        with pytest.raises(sf.LawError) as caught:
            fit.law.at_level(**chosen)
        assert caught.value.code == code
    with pytest.raises(sf.LawError) as caught:
        sf.law("chinchilla").at_level(corpus="c4")
    assert caught.value.code == "no-levels"


def test_the_command_line_fits_levels() -> None:
    rng = np.random.default_rng(10)
    runs = runs_of(rng, truths(rng, ("E",)), 0.01, m=30)
    result = invoke("fit", "-", "--law", "chinchilla", "--per", "E=corpus", stdin=runs.write_csv())
    assert result.exit_code == 0
    rows = pl.read_csv(result.stdout_bytes)
    assert rows["parameter"].to_list() == ["E[c4]", "E[rpj]", "E[web]", "A", "B", "alpha", "beta"]
    assert "one E for each corpus: c4, rpj, web" in result.stderr
