"""Definitions in a typed formula: the same law as with the definitions written out, wherever a formula is taken."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalefast as sf
from cli_runs import invoke

TYPED = "r = D/U; s = 1 + r; E + A*s**a"
WRITTEN = "E + A*(1 + D/U)**a"


def runs() -> pl.DataFrame:
    d, u = np.meshgrid([1.0, 2.0, 5.0, 9.0, 20.0], [1.0, 3.0, 7.0])
    return pl.DataFrame({"D": d.ravel(), "U": u.ravel()}).with_columns(
        L=1.7 + 2.0 * (1 + pl.col("D") / pl.col("U")) ** -0.6
    )


@settings(max_examples=40)
@given(
    values=st.fixed_dictionaries({name: st.floats(0.1, 3.0) for name in ("E", "A", "a")}),
    points=st.lists(st.tuples(st.floats(0.1, 1e9), st.floats(0.1, 1e9)), min_size=1, max_size=5),
)
def test_values_are_those_of_the_substituted_formula(values, points):
    frame = {"D": [d for d, _ in points], "U": [u for _, u in points]}
    typed, written = (sf.law(text, parameters=values).predict(frame)["L"].to_list() for text in (TYPED, WRITTEN))
    assert typed == written
    lazy = pl.DataFrame(frame).select(sf.law(TYPED, parameters=values).expr())["L"].to_list()
    assert lazy == pytest.approx(written)


def test_the_law_shows_its_definitions_and_reads_itself_again():
    law = sf.law("r = D/U\ns = 1 + r\n\nE + A*s**a\n")
    assert law.formula == TYPED
    assert law.definitions == {"r": "D/U", "s": "1 + r"}
    assert (list(law.variables), list(law.parameters)) == (["D", "U"], ["E", "A", "a"])
    assert sf.law(law.formula) == law
    assert law.latex == r"L = E + A\,s^{a} \\ r = \frac{D}{U} \\ s = 1 + r"


def test_fits_are_those_of_the_substituted_formula(tmp_path: Path):
    typed, written = sf.fit(runs(), TYPED), sf.fit(runs(), WRITTEN)
    assert typed.law.parameters == written.law.parameters
    assert typed.objective == written.objective
    typed.save(tmp_path / "law.parquet")
    again = sf.law(tmp_path / "law.parquet")
    assert (again.formula, again.parameters) == (TYPED, typed.law.parameters)


def test_a_bound_name_is_a_variable_of_the_definitions_too():
    frame = runs().rename({"D": "tokens_seen", "U": "unique"})
    fit = sf.fit(frame, "ratio = d/u; E + A*(1 + ratio)**a", columns={"d": "tokens_seen", "u": "unique"})
    assert list(fit.law.variables) == ["d", "u"]
    assert fit.law.parameters["a"] == pytest.approx(-0.6, rel=1e-5)


def test_groups_take_definitions():
    frame = pl.concat([runs().with_columns(task=pl.lit(task)) for task in ("one", "two")])
    typed, written = (sf.fit_groups(frame, law, by="task") for law in (TYPED, WRITTEN))
    assert typed.equals(written, null_equal=True)


def test_definitions_go_with_levels():
    frame = pl.concat(
        [runs().with_columns(corpus=pl.lit(name), L=pl.col("L") + add) for name, add in (("a", 0), ("b", 1))]
    )
    fit = sf.fit(frame, TYPED, per={"E": "corpus"})
    assert fit.law.formula == TYPED
    assert fit.law.at_level(corpus="b").parameters["E"] == pytest.approx(2.7, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("r = D/U; E + A*s**a", "unused-definition", "  r = D/U; E + A*s**a\n  ^"),
        ("r = D^U; E + A*r**a", "caret-power", "  r = D^U; E + A*r**a\n       ^"),
        ("r = D/U\nE + A*r**", "dangling-operator", "  E + A*r**\n         ^^"),
        ("E + A; r = D/U; r", "unnamed-part", "  E + A; r = D/U; r\n  ^^^^^"),
    ],
)
def test_errors_point_into_the_text(text, code, shown):
    with pytest.raises(sf.FormulaError) as caught:
        sf.law(text)
    assert caught.value.code == code
    assert shown in str(caught.value)


def test_the_name_of_a_definition_is_nothing_else():
    for wrong in ({"variables": ["r"]}, {"parameters": ["r"]}, {"bounds": {"r": (0, 1)}}):
        with pytest.raises(sf.FormulaError) as caught:
            sf.law("r = D/U; E + A*r**a", **wrong)
        assert (caught.value.code, caught.value.span) == ("duplicate-definition", (0, 1))
    with pytest.raises(sf.FormulaError, match="is defined in the formula"):
        sf.fit(runs(), "r = D/U; E + A*(1 + r)**a", columns={"r": "D"})
    with pytest.raises(sf.DataError) as clash:
        sf.fit(runs().with_columns(r=1.0), "r = D/U; E + A*(1 + r)**a")
    assert (clash.value.code, clash.value.column) == ("ambiguous-symbol", "r")


def test_the_command_line_takes_definitions(tmp_path: Path):
    path = tmp_path / "runs.csv"
    runs().write_csv(path)
    done = invoke("fit", str(path), "--law", TYPED)
    assert done.exit_code == 0, done.stderr
    assert "r = D/U; s = 1 + r; L = E + A*s**a," in done.stderr
    done = invoke("fit", str(path), "--law", TYPED, "-o", str(tmp_path / "law.parquet"))
    assert done.exit_code == 0, done.stderr
    shown = invoke("laws", "show", str(tmp_path / "law.parquet"), "--format", "json")
    assert shown.exit_code == 0, shown.stderr
    assert json.loads(shown.stdout)["definitions"] == {"r": "D/U", "s": "1 + r"}
    assert "r = D/U; s = 1 + r; E + A*s**a" in shown.stdout


def test_a_checked_file_may_hold_definitions(tmp_path: Path):
    path = tmp_path / "own.toml"
    path.write_text(
        """
schema = 1
id = "own"
title = "By the ratio"
formula = "E + A*r**a"
[definitions]
r = "D/U"
[variables]
D = { unit = "tokens" }
U = { unit = "tokens" }
[parameters]
E = {}
A = {}
a = {}
"""
    )
    done = invoke("laws", "check", str(path))
    assert done.exit_code == 0, done.stderr
    assert sf.law(path).definitions == {"r": "D/U"}
