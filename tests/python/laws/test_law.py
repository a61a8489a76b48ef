"""Laws: how a text becomes one, and what it predicts."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalefast as sf
from reference import close


def test_an_exact_id_beats_a_formula() -> None:
    assert sf.law("hoffmann-2022").id == "hoffmann-2022"
    assert sf.law("kaplan-n/kaplan-2020").parameters == {"N_c": 8.8e13, "alpha_N": 0.076}


def test_a_set_of_several_forms_is_an_error_that_lists_them() -> None:
    with pytest.raises(sf.LawError) as caught:
        sf.law("kaplan-2020")
    assert caught.value.code == "ambiguous-law"
    assert "`kaplan-nd/kaplan-2020`" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("epoch-2023", "epoch-2024"),
        ("chinchila", "chinchilla"),
        ("Hofmann-2022", "hoffmann-2022"),
        ("kaplan", "kaplan-n"),
        ("gadre", "gadre-2024-refinedweb"),
        ("20-to-1", "rule-20-to-1"),
        ("hash", "clark-2022-hash"),
    ],
)
def test_a_misspelt_id_gets_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(sf.LawError) as caught:
        sf.law(text)
    assert caught.value.code == "unknown-law"
    assert f"`{nearest}`" in str(caught.value)


def test_what_is_a_variable_and_what_a_parameter() -> None:
    law = sf.law("E + A/N**alpha + k*x", variables=["x"])
    assert list(law.variables) == ["N", "x"]
    assert list(law.parameters) == ["E", "A", "alpha", "k"]
    # A name listed as parameter is one, even a reserved one.
    assert list(sf.law("E + C/N**a", parameters=["C"]).parameters) == ["E", "C", "a"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"text": "a + b*x"}, "no-variable"),
        ({"text": "E + A/N**alpha", "variables": ["M"]}, "unknown-parameter"),
        ({"text": "E + A/N**alpha", "parameters": {"E": 1.0}}, "no-values"),
        (
            {"text": "E + A/N**alpha", "parameters": {"E": 1.0, "A": 1.0, "alpha": 1.0, "beta": 1.0}},
            "unknown-parameter",
        ),
        ({"text": "E + A/N**alpha", "bounds": {"gamma": (0, 1)}}, "unknown-parameter"),
        ({"text": "missing.toml"}, "unreadable-file"),
        ({"text": "missing.parquet"}, "unreadable-file"),
    ],
)
def test_misuse_is_named(arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(sf.LawError) as caught:
        sf.law(**arguments)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("E + A/N^alpha", "caret-power"),
        ("E + foo(N)", "unknown-function"),
        ("E + N*", "dangling-operator"),
        ("N+" * 50_000 + "N", "formula-too-long"),
        ("(" * 4_000 + "N" + ")" * 4_000, "formula-too-deep"),
    ],
)
def test_formula_errors_come_with_text_and_caret(text: str, code: str) -> None:
    with pytest.raises(sf.FormulaError) as caught:
        sf.law(text)
    assert caught.value.code == code
    if caught.value.span is not None:
        assert caught.value.text == text
        lines = str(caught.value).splitlines()
        assert lines[2].lstrip().startswith("^") and len(lines[1]) < 200


@given(st.text(max_size=60))
def test_any_text_is_a_law_or_a_named_error(text: str) -> None:
    try:
        sf.law(text)
    except sf.ScalefastError as error:
        assert error.code and str(error)


def test_predict_takes_frames_dicts_and_lazy_frames_alike() -> None:
    law = sf.law("hoffmann-2022")
    points = pl.DataFrame({"n_params": [70e9, 1e9], "tokens": [1.4e12, 2e10], "name": ["a", "b"]})
    expected = law.predict(points)
    assert expected.columns == ["n_params", "tokens", "name", "L"]
    assert [round(x, 5) for x in expected["L"]] == [1.92085, 2.53067]
    assert law.predict(points.lazy()).equals(expected)
    numbers = law.predict({"N": np.array([70e9, 1e9]), "D": [1.4e12, 2e10]})["L"]
    assert numbers.to_list() == expected["L"].to_list()
    bound = law.predict(points.rename({"tokens": "x"}), columns={"D": pl.col("x") * 1.0})["L"]
    assert bound.to_list() == expected["L"].to_list()


def test_parameter_columns_override_values_row_by_row() -> None:
    law = sf.law("E + A/N**alpha", parameters={"E": 1.0, "A": 100.0, "alpha": 0.5})
    found = law.predict({"N": [1e4, 1e4], "A": [100.0, 200.0]})["L"].to_list()
    assert np.allclose(found, [2.0, 3.0], rtol=1e-14)
    form = sf.law("E + A/N**alpha")
    assert form.predict({"N": 1e4, "E": 1.0, "A": 100.0, "alpha": 0.5})["L"].item() == pytest.approx(2.0, rel=1e-14)
    with pytest.raises(sf.LawError) as caught:
        form.predict({"N": 1e4, "E": 1.0})
    assert caught.value.code == "no-values" and "`A`" in str(caught.value)


def test_missing_points_give_missing_predictions() -> None:
    law = sf.law("E + A/N**alpha", parameters={"E": 1.0, "A": 100.0, "alpha": 0.5})
    found = law.predict(pl.DataFrame({"N": [1e4, None, float("nan")]}))["L"].to_list()
    assert found[0] == pytest.approx(2.0, rel=1e-14) and found[1] is None and math.isnan(found[2])
    with pytest.raises(sf.DataError) as caught:
        law.predict({"N": 1e4, "L": 2.0})
    assert caught.value.code == "column-exists"


@pytest.mark.parametrize("size", [0.0, -1.0])
def test_points_at_or_below_zero_are_counted(size: float) -> None:
    with pytest.raises(sf.DataError) as caught:
        sf.law("hoffmann-2022").predict({"N": [float("nan"), 1e9, size, size], "D": 1e10})
    error = caught.value
    assert (error.code, error.row, error.column, error.value) == ("invalid-rows", 2, "N", size)
    assert "2 of 4" in str(error)


def test_columns_of_either_sign_are_evaluated() -> None:
    law = sf.law("x**3 + abs(x)", variables=["x"], parameters={})
    assert law.predict({"x": [2.0, -2.0, 0.0]})["L"].to_list() == [10.0, -6.0, 0.0]


def test_several_outputs() -> None:
    law = sf.law("kaplan-frontier/kaplan-2020")
    row = law.predict({"C": 8.64e19}).row(0, named=True)
    assert close(row["N"], 1.3e9, 1e-12) and close(row["D"], 2e10, 1e-12)
    with pytest.raises(sf.LawError) as caught:
        law.expr()
    assert caught.value.code == "several-outputs"
    assert close(pl.DataFrame({"C": [8.64e19]}).select(law.expr(output="N")).item(), 1.3e9, 1e-12)


#: One formula for each function of the language, all defined for x > 0.
FUNCTIONS = [
    "exp(-x)", "log(x)", "ln(x)", "log2(x)", "log10(x)", "log1p(x)", "expm1(-x)", "expm1(x/1e12)", "sqrt(x)", "abs(-x)", "sin(x)",
    "cos(x)", "tan(x)", "arctan(x)", "tanh(x)", "sigmoid(x)", "min(x, 1, 2)", "max(x, 1)", "x**0.3 + x**2 - x/3", "-x**2", "pi*x",
]  # fmt: skip


@pytest.mark.parametrize("formula", FUNCTIONS)
def test_expressions_agree_with_predictions(formula: str) -> None:
    law = sf.law(f"a*({formula})", variables=["x"], parameters={"a": 1.25})
    points = pl.DataFrame({"x": np.geomspace(1e-3, 30, 60)})
    both = law.predict(points).with_columns(law.expr().alias("expr"))
    assert np.allclose(both["L"], both["expr"], rtol=1e-12, atol=1e-300)


def test_expressions_propagate_nan_as_the_core_does() -> None:
    law = sf.law("max(x, 1) + min(x, 1)", variables=["x"], parameters={})
    assert math.isnan(pl.DataFrame({"x": [float("nan")]}).select(law.expr()).item())


def test_laws_compare_pickle_and_hash() -> None:
    law = sf.law("hoffmann-2022")
    again = pickle.loads(pickle.dumps(law))
    assert again == law == sf.law("hoffmann-2022") and hash(again) == hash(law)
    assert again.latex == law.latex
    assert law != sf.law("hoffmann-2022-rounded")


def test_errors_pickle() -> None:
    error = sf.FormulaError("message", code="bad-field", text="a b", span=(0, 1), hint="hint")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code, again.span) == (str(error), "bad-field", (0, 1))


def test_import_is_light() -> None:
    import subprocess
    import sys

    code = "import sys, scalefast; scalefast.Huber(1e-3); assert not {'numpy', 'polars'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_law_of_a_path(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("")
    with pytest.raises(sf.LawError) as caught:
        sf.law(path)
    assert caught.value.code == "missing-field"
