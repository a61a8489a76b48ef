"""Which rows a law takes: only those are refused on which it has no value, and the error says why."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke

ZERO_X = {"x": [0, 1, 3, 6, 10, 15, 20, 29], "y": [10.3, 12.1, 14.4, 16.1, 17.8, 20.9, 23.2, 28.7]}
LEARNING = {"step": [0, 1, 2, 4, 8, 16, 32], "acc": [0.55, 0.62, 0.68, 0.76, 0.85, 0.90, 0.92]}
CURVE = "R - (R - R0)*exp(-k*S)"


def test_a_power_of_zero_is_fitted_with_a_finite_gradient():
    start = pl.DataFrame({"a": [10.0], "b": [-0.2], "c": [0.4]})
    fit = sf.fit(ZERO_X, "a/(1 + b*x**c)", columns={"x": "x"}, y="y", starts=start)
    assert fit.objective == pytest.approx(0.2169, abs=1e-4)
    found = fit.law.parameters
    assert [found[name] for name in "abc"] == pytest.approx([10.19, -0.187, 0.368], rel=5e-3)
    assert fit.n_rows == 8
    assert np.isfinite(fit.certificate.gradient)
    assert np.isfinite(fit.parameters["std_error"].to_numpy()).all()


def test_a_sum_with_a_power_of_zero_is_fitted():
    x = np.arange(9.0)
    fit = sf.fit({"x": x, "y": 2 + 3 * x**0.6}, "a + b*x**c", columns={"x": "x"}, y="y")
    assert [fit.law.parameters[name] for name in "abc"] == pytest.approx([2, 3, 0.6], rel=1e-6)
    assert fit.status == "converged"


def test_a_reserved_symbol_may_be_zero_where_the_law_is_defined():
    fit = sf.fit(LEARNING, CURVE, columns={"S": "step"}, y="acc")
    other = sf.fit(LEARNING, CURVE.replace("S", "t"), columns={"t": "step"}, y="acc")
    assert fit.n_rows == 7
    assert fit.law.parameters == pytest.approx(other.law.parameters)


@pytest.mark.parametrize(
    ("law", "reason"),
    [
        ("a + b*log(S)", "S must be positive because the law takes log(S)"),
        ("a + b*S**(-k)", "S must be positive because the law takes S**-k"),
        ("a + b/S**k", "S must be positive because the law divides by S**k"),
        ("a + b/S", "S must be other than zero because the law divides by S"),
    ],
)
def test_a_row_is_refused_where_the_law_has_no_value(law, reason):
    with pytest.raises(sf.DataError) as caught:
        sf.fit(LEARNING, law, columns={"S": "step"}, y="acc")
    error = caught.value
    assert (error.code, error.row, error.column, error.value) == ("invalid-rows", 0, "step", 0.0)
    assert reason in str(error)
    assert "1 of 7 rows" in str(error)
    dropped = sf.fit(LEARNING, law, columns={"S": "step"}, y="acc", drop_invalid=True)
    assert (dropped.n_rows, dropped.n_dropped) == (6, 1)


def test_a_negative_base_of_a_broken_power_is_refused_with_its_row():
    runs = {"x": [1.0, 2.0, -3.0, 4.0, 5.0], "y": [1.0, 2.0, 3.0, 4.0, 5.0]}
    with pytest.raises(sf.DataError, match="x must be zero or positive because the law takes") as caught:
        sf.fit(runs, "a + b*x**c", columns={"x": "x"}, y="y")
    assert (caught.value.row, caught.value.value) == (2, -3.0)
    assert sf.fit(runs, "a + b*x**2", columns={"x": "x"}, y="y").n_rows == 5


def test_bounds_say_whether_a_power_may_stand_at_zero():
    with pytest.raises(sf.DataError, match="x must be positive"):
        sf.fit(ZERO_X, "a + b*x**c", columns={"x": "x"}, y="y", bounds={"c": (-2, -0.1)})


def test_published_laws_ask_for_positive_sizes():
    for name, law in ((name, sf.law(name)) for name in ("chinchilla", "data-constrained", "bnsl")):
        assert all(entry.positive for entry in law.variables.values()), name
    runs = {"N": [1e8, 0.0, 1e9], "D": [1e9, 1e10, 1e10], "L": [3.0, 2.5, 2.4]}
    with pytest.raises(sf.DataError, match="zero or negative") as caught:
        sf.fit(runs, "chinchilla")
    assert (caught.value.row, caught.value.column) == (1, "N")


def test_a_law_file_says_what_must_be_positive(tmp_path: Path):
    text = """
schema = 1
id = "curve"
title = "A learning curve"
formula = "R - (R - R0)*exp(-k*S)"
[variables.S]
unit = "steps"
[parameters.R]
[parameters.R0]
[parameters.k]
"""
    plain, strict = tmp_path / "plain.toml", tmp_path / "strict.toml"
    plain.write_text(text)
    strict.write_text(text.replace('unit = "steps"', 'unit = "steps"\npositive = true'))
    assert sf.fit(LEARNING, plain, columns={"S": "step"}, y="acc").n_rows == 7
    with pytest.raises(sf.DataError, match="zero or negative"):
        sf.fit(LEARNING, strict, columns={"S": "step"}, y="acc")


def test_groups_refuse_and_keep_the_same_rows():
    runs = {
        "task": ["zero"] * 7 + ["above"] * 7,
        "S": [*LEARNING["step"], *(step + 1 for step in LEARNING["step"])],
        "L": LEARNING["acc"] * 2,
    }
    assert "invalid-values" not in sf.fit_groups(runs, CURVE, by="task")["status"].to_list()
    statuses = sf.fit_groups(runs, "a + b*log(S)", by="task")["status"].to_list()
    assert (statuses[0], statuses[1] != "invalid-values") == ("invalid-values", True)


def test_a_point_at_which_the_law_has_no_value_is_refused():
    law = sf.law("a + b*log(x)", parameters={"a": 1.0, "b": 2.0}, variables=["x"])
    with pytest.raises(sf.DataError, match="x must be positive because the law takes log") as caught:
        law.predict({"x": [1.0, 0.0]})
    assert (caught.value.row, caught.value.column) == (1, "x")
    assert law.predict({"x": [1.0, None]})["L"].to_list() == [1.0, None]


def test_a_zero_of_a_log_law_counts_under_a_log_residual_only_in_the_response():
    runs = {"x": [0.0, 1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 0.0, 3.0, 4.0]}
    with pytest.raises(sf.DataError) as caught:
        sf.fit(runs, "a + b*x", columns={"x": "x"}, y="y", residual="log")
    assert (caught.value.row, caught.value.column) == (2, "y")


def test_the_error_is_one_object_on_the_command_line(tmp_path: Path):
    path = tmp_path / "runs.csv"
    pl.DataFrame(LEARNING).write_csv(path)
    done = invoke("fit", str(path), "--law", "a + b*log(S)", "--col", "S=step", "--y", "acc", "--format", "json")
    assert done.exit_code != 0
    assert '"invalid-rows"' in done.stderr and "takes log(S)" in done.stderr
