"""`sf.fit_groups` and `fit --by`: truths, agreement with `sf.fit`, statuses instead of exceptions, order and threads."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import scalefast as sf
from cli_runs import invoke

LAW = "E + A*x**-alpha"
X = 10 ** np.linspace(0, 4, 8)


def curves(groups: int, noise: float, seed: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Runs of `groups` curves of 8 rows, and their true parameters."""
    rng = np.random.default_rng(seed)
    truth = pl.DataFrame(
        {
            "group": np.arange(groups),
            "E": rng.uniform(1, 3, groups),
            "A": rng.uniform(0.5, 2.5, groups),
            "alpha": rng.uniform(0.2, 0.6, groups),
        }
    )
    runs = truth.join(pl.DataFrame({"x": X}), how="cross").with_columns(
        L=(pl.col("E") + pl.col("A") * pl.col("x").pow(-pl.col("alpha")))
        * pl.Series(1 + noise * rng.standard_normal(groups * len(X)))
    )
    return runs.select("group", "x", "L"), truth


def fit(runs: pl.DataFrame, **settings: object) -> pl.DataFrame:
    return sf.fit_groups(runs, LAW, by="group", columns={"x": "x"}, **settings)  # type: ignore[arg-type]


def test_the_frame_and_the_truth() -> None:
    runs, truth = curves(500, 0.0)
    found = fit(runs)
    assert found.schema == {
        "group": pl.Int64,
        **dict.fromkeys(("E", "A", "alpha", "E_se", "A_se", "alpha_se", "objective"), pl.Float64),
        "n_rows": pl.Int64,
        "status": pl.String,
        "se_status": pl.String,
    }
    assert found["status"].unique().to_list() == ["converged"]
    assert_frame_equal(found.select(truth.columns), truth, rel_tol=1e-6)


def test_a_group_agrees_with_a_fit_of_its_rows() -> None:
    runs, _ = curves(12, 0.01)
    found = fit(runs)
    for group in range(12):
        single = sf.fit(runs.filter(group=group), LAW, columns={"x": "x"})
        row = found.row(group, named=True)
        assert row["status"] == single.status
        assert row["objective"] == pytest.approx(single.objective, rel=1e-10)
        table = {entry["parameter"]: entry for entry in single.parameters.iter_rows(named=True)}
        for name, entry in table.items():
            assert abs(row[name] - entry["estimate"]) <= 1e-5 * entry["std_error"]
            assert row[f"{name}_se"] == pytest.approx(entry["std_error"], rel=1e-5)


def test_standard_errors_are_those_of_repeated_noise() -> None:
    rng = np.random.default_rng(3)
    count = 4000
    loss = (2 + 1.5 * X**-0.4) + rng.normal(0, 0.01, (count, len(X)))
    runs = pl.DataFrame({"group": np.repeat(np.arange(count), len(X)), "x": np.tile(X, count), "L": loss.ravel()})
    found = fit(runs)
    for name in ("E", "A", "alpha"):
        spread = found[name].std()
        claimed = found[f"{name}_se"].pow(2).mean() ** 0.5  # type: ignore[operator]
        assert 0.85 <= claimed / spread <= 1.15  # type: ignore[operator]


def test_broken_groups_are_named_by_status() -> None:
    runs, _ = curves(3000, 0.01)
    kind = pl.col("group") % 10
    row = pl.int_range(pl.len()).over("group")
    broken = runs.with_columns(
        L=pl.when((kind == 1) & (row == 3))
        .then(float("nan"))
        .when((kind == 2) & (row == 5))
        .then(None)
        .when((kind == 3) & (row == 0))
        .then(float("inf"))
        .when(kind == 4)
        .then(2.0)
        .otherwise(pl.col("L")),
        x=pl.when(kind == 6).then(10.0).otherwise(pl.col("x")),
    ).filter((kind != 5) | (row < 2))
    found = fit(broken, errors="independent")
    expected = {1: "invalid-values", 2: "invalid-values", 3: "invalid-values", 4: "constant-response"}
    expected |= {5: "too-few-points", 6: "too-few-points"}
    for group, status, objective, error in found.select("group", "status", "objective", "alpha_se").iter_rows():
        assert status == expected.get(group % 10, "converged")
        assert (objective is None) == (error is None) == (group % 10 in expected)
    whole = fit(runs, errors="independent")
    sound = ~pl.col("group").mod(10).is_in(list(expected))
    assert_frame_equal(found.filter(sound), whole.filter(sound), check_exact=True)


def test_rows_in_any_order_and_any_number_of_threads() -> None:
    runs, _ = curves(700, 0.02)
    whole = fit(runs, threads=2)
    for threads in (1, 3):
        assert_frame_equal(fit(runs, threads=threads), whole, check_exact=True)
    # The order of the groups is kept, that of the rows within each as well.
    order = np.argsort(np.tile(np.arange(len(X)), 700), kind="stable")
    interleaved = runs[order]
    assert_frame_equal(fit(interleaved), whole, check_exact=True)
    halves = pl.concat([fit(runs.filter(pl.col("group") < 333)), fit(runs.filter(pl.col("group") >= 333))])
    assert_frame_equal(halves, whole, check_exact=True)


def test_several_keys_null_among_them() -> None:
    runs, truth = curves(4, 0.0)
    keyed = runs.with_columns(
        task=pl.col("group").replace_strict({0: "a", 1: "a", 2: None, 3: None}), size=pl.col("group") % 2
    )
    found = sf.fit_groups(keyed.drop("group"), LAW, by=["task", "size"], columns={"x": "x"})
    assert found.select("task", "size").rows() == [("a", 0), ("a", 1), (None, 0), (None, 1)]
    assert_frame_equal(found.select("E", "A", "alpha"), truth.drop("group"), rel_tol=1e-6)


def test_the_frame_feeds_predictions() -> None:
    runs, truth = curves(50, 0.0)
    found = fit(runs)
    law = sf.law(LAW, variables=["x"])
    predicted = law.predict(found.with_columns(x=pl.lit(1e5)), columns={"x": "x"})
    expected = truth.select(pl.col("E") + pl.col("A") * 1e5 ** -pl.col("alpha")).to_series()
    assert np.allclose(predicted["L"], expected, rtol=1e-6)


def test_settings_are_those_of_fit() -> None:
    runs, _ = curves(6, 0.01)
    found = fit(runs, fixed={"alpha": 0.4}, bounds={"E": (0, 2)}, weights=pl.col("x") * 0 + 2, errors="independent")
    assert found["alpha"].to_list() == [0.4] * 6
    assert found["alpha_se"].null_count() == 6
    assert found["E"].max() <= 2  # type: ignore[operator]
    for row in found.iter_rows(named=True):
        assert (row["status"] == "at-bound") == (row["E"] in (0, 2)) == (row["E_se"] is None)
    robust = fit(runs, loss=sf.Huber(0.01))
    single = sf.fit(runs.filter(group=0), LAW, columns={"x": "x"}, loss=sf.Huber(0.01))
    assert robust["objective"][0] == pytest.approx(single.objective, rel=1e-9)


@pytest.mark.parametrize(
    ("by", "error", "code"),
    [
        ("grop", sf.DataError, "unknown-column"),
        ([], sf.SettingsError, "bad-by"),
        (["group", "group"], sf.SettingsError, "bad-by"),
        ("status", sf.DataError, "column-exists"),
    ],
)
def test_misuse_raises(by: str | list[str], error: type[sf.ScalefastError], code: str) -> None:
    runs, _ = curves(2, 0.0)
    with pytest.raises(error) as caught:
        sf.fit_groups(runs.with_columns(status=pl.lit("x")), LAW, by=by, columns={"x": "x"})
    assert caught.value.code == code


def test_the_command_line_fits_groups() -> None:
    runs, _ = curves(3, 0.01)
    text = runs.with_columns(L=pl.when(pl.col("group") == 1).then(2.0).otherwise(pl.col("L"))).write_csv()
    result = invoke("fit", "-", "--law", LAW, "--col", "x=x", "--by", "group", stdin=text)
    assert result.exit_code == 0
    rows = pl.read_csv(result.stdout_bytes)
    assert rows["status"].to_list() == ["converged", "constant-response", "converged"]
    assert "3 groups: 2 converged, 1 constant-response" in result.stderr
    strict = invoke("fit", "-", "--law", LAW, "--col", "x=x", "--by", "group", "--strict", stdin=text)
    assert strict.exit_code == 1
    refused = invoke("fit", "-", "--law", LAW, "--col", "x=x", "--by", "group", "--start", "alpha=1", stdin=text)
    assert refused.exit_code == 2
    assert "--start cannot be used with --by" in refused.stderr


def test_options_of_groups_on_the_command_line() -> None:
    runs, _ = curves(4, 0.01)
    common = ("fit", "-", "--law", LAW, "--col", "x=x")
    spaced = invoke(*common, "--by", "group", "--spacing", "x", "--errors", "independent", stdin=runs.write_csv())
    expected = fit(runs, spacing="x", errors="independent")
    assert_frame_equal(pl.read_csv(spaced.stdout_bytes), expected)
    robust = invoke(*common, "--by", "group", "--loss", "huber:auto", stdin=runs.write_csv())
    names = ["group", "E", "objective", "status"]
    assert_frame_equal(pl.read_csv(robust.stdout_bytes).select(names), fit(runs, loss=sf.Huber("auto")).select(names))
    for option in (("--spacing", "x"), ("--errors", "block")):
        refused = invoke(*common, *option, stdin=runs.write_csv())
        assert refused.exit_code == 2 and "goes with --by" in refused.stderr
