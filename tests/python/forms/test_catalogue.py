"""Every shipped law holds its own check values, and every fault of a law file is named."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import close
from scalefast._forms.catalogue import _index, entries, find, folder
from scalefast._forms.read import parse_law_file

SETS = [entry.id for entry in entries() if entry.published is not None and entry.published.values]
TEMPLATES = [entry.id for entry in entries() if entry.published is not None and not entry.published.values]
FORMS = [entry.id for entry in entries() if entry.published is None]


@pytest.mark.parametrize("name", SETS)
def test_the_sets_own_checks_hold(name: str) -> None:
    checks = sf.check_law(sf.law(name))
    assert checks.height > 0
    assert checks["ok"].all(), checks.filter(~pl.col("ok"))


#: Ranges of variables to draw points from.
RANGES = {
    "N": (5e7, 5e9),
    "N_total": (1e8, 1e11),
    "D": (1e9, 1e12),
    "U": (1e9, 1e11),
    "C": (1e17, 1e22),
    "L": (1.8, 4.5),
    "S": (1e3, 1e6),
    "D_F": (1e6, 1e10),
    "c": (64.0, 32768.0),
    "experts": (1.0, 64.0),
    "sparsity": (0.01, 0.98),
    "block": (16.0, 512.0),
    "exponent_bits": (1.0, 8.0),
    "mantissa_bits": (1.0, 10.0),
}


@pytest.mark.parametrize("name", [name for name in SETS if len(sf.law(name).outputs) == 1])
def test_a_set_is_recovered_from_points_of_its_own(name: str) -> None:
    law, random = sf.law(name), np.random.default_rng(1)
    assert law.values is not None
    points = {
        symbol: np.exp(random.uniform(low, high, 120))
        for symbol in law.variables
        for low, high in [np.log(RANGES[symbol])]
    }
    [output] = law.outputs
    runs = law.predict(points).rename({output: "response"})
    fit = sf.fit(runs, law.form.id, y="response", residual="log")
    assert np.allclose(fit.predict(points)["L_fit"], runs["response"], rtol=1e-10, atol=0)
    if fit.status == "converged":
        for parameter, value in law.values.items():
            assert close(fit.law.parameters[parameter], value, 1e-3), parameter


#: Forms that ship without numbers: some, and where to draw points.
TRUTHS: dict[str, tuple[dict[str, float], dict[str, tuple[float, float]]]] = {
    "accuracy-of-loss": ({"a": 0.6, "b": 0.25, "k": 6.0, "L_0": 1.1}, {"L": (0.5, 2.0)}),
    "bnsl": ({"a": 0.8, "b": 30.0, "c_0": 0.15, "c_1": 0.4, "d_1": 3e5, "f_1": 0.5}, {"x": (1e3, 1e8)}),
    "m4": ({"error_0": 0.99, "error_inf": 0.05, "alpha": 0.7, "beta": 40.0, "c": 0.4}, {"error": (0.08, 0.95)}),
    "skaling": (
        {"E": 1.2, "A": 900.0, "B": 4000.0, "alpha": 0.45, "beta": 0.5, "k": 0.6},
        {"N": (5e7, 5e9), "D": (1e9, 1e12)},
    ),
}


def test_every_form_without_numbers_has_a_truth_to_recover() -> None:
    assert {name for name in FORMS if not sf.law(name).form.published} == set(TRUTHS)


@pytest.mark.parametrize("name", TRUTHS)
def test_a_form_without_numbers_is_recovered_from_points(name: str) -> None:
    (truth, ranges), random = TRUTHS[name], np.random.default_rng(1)
    law = sf.law(name).with_values(truth)
    points = {
        symbol: np.exp(random.uniform(low, high, 150))
        for symbol, ends in ranges.items()
        for low, high in [np.log(ends)]
    }
    [output] = law.outputs
    fit = sf.fit(law.predict(points).rename({output: "response"}), name, y="response")
    assert fit.status == "converged"
    for parameter, value in truth.items():
        assert close(fit.law.parameters[parameter], value, 1e-6), parameter


@pytest.mark.parametrize("name", SETS)
def test_every_set_says_what_it_holds_for(name: str) -> None:
    law = sf.law(name)
    published, source = law.published, law.source
    assert published is not None and source is not None
    assert source.arxiv and source.title and source.year
    assert published.n_definition and published.method
    assert all(variable.unit and variable.meaning for variable in law.variables.values())
    assert set(law.form.meanings) == set(law.outputs) - ({"L"} if law.outputs == ("L",) else set())
    assert published.confidence != "illustrative" or published.caution


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_form_used_with_unpublished_constants_is_to_be_fitted(name: str) -> None:
    law = sf.law(name)
    assert law.values is None and law.published is not None and name not in law.sets
    x = np.geomspace(1e19, 1e22, 9)
    fit = sf.fit({"x": x, "L": 1.7 + 5e3 / x**0.2}, law)
    assert close(fit.law.parameters["E"], 1.7, 1e-6)
    with pytest.raises(sf.LawError) as caught:
        sf.sweep(name, budget=1e24)
    assert caught.value.code == "no-values"


def test_the_joint_law_of_experts_reduces_to_the_printed_ones() -> None:
    joint = sf.law("joint-moe-2025")
    points = {"N": np.geomspace(1e8, 1e10, 5), "D": np.geomspace(1e9, 1e11, 5)}
    for experts in (1, 2, 4, 8, 16, 32):
        reduced = sf.law(f"joint-moe-2025-e{experts}").predict(points)["L"]
        full = joint.predict({**points, "experts": np.full(5, float(experts))})["L"]
        assert np.allclose(reduced, full, rtol=2e-3, atol=0)


def test_the_constants_of_frontiers_are_those_of_the_printed_tables() -> None:
    # Hoffmann et al. 2022, tables 3 and A3 without the rows of 67B: size against FLOPs.
    sizes = np.array([400e6, 1e9, 10e9, 175e9, 280e9, 520e9, 1e12, 10e12])
    tables = {
        "hoffmann-2022-approach-1": [1.92e19, 1.21e20, 1.23e22, 3.85e24, 9.90e24, 3.43e25, 1.27e26, 1.30e28],
        "hoffmann-2022-approach-2": [1.84e19, 1.20e20, 1.32e22, 4.54e24, 1.18e25, 4.19e25, 1.59e26, 1.75e28],
    }
    for name, budgets in tables.items():
        slope, intercept = np.polyfit(np.log(budgets), np.log(sizes), 1)
        values = sf.law(name).values
        assert values is not None
        assert close(values["a"], slope, 1e-9) and close(values["N_1"], np.exp(intercept), 1e-8)


@pytest.mark.parametrize("name", FORMS)
def test_forms_declare_exactly_the_symbols_of_their_formulas(name: str) -> None:
    law = sf.law(name)
    assert set(law.system.symbols()) == {*law.variables, *law.parameters}
    assert all(value is None for value in law.parameters.values())
    assert law.latex


def test_the_rounded_set_says_so_and_the_exact_one_does_not() -> None:
    rounded, exact = sf.law("hoffmann-2022-rounded").published, sf.law("hoffmann-2022").published
    assert rounded is not None and exact is not None
    assert rounded.rounded and not exact.rounded
    for name, logarithm in (("A", 6.0073404), ("B", 6.0179186), ("E", 0.5267228)):
        assert exact.values[name] == math.exp(logarithm)


def test_stored_draws_describe_the_published_intervals() -> None:
    law = sf.law("epoch-2024-huber")
    draws = law.draws
    assert law.uncertainty == "draws" and draws is not None
    assert draws.columns == list(law.parameters) and draws.height == 4000
    # Printed by Besiroglu et al. (2024), whose single BFGS runs end slightly above each minimum.
    for name, low, high in (
        ("A", 285.214, 743.626),
        ("B", 1042.357, 5810.344),
        ("alpha", 0.317, 0.373),
        ("beta", 0.331, 0.415),
    ):
        found = np.quantile(draws[name].to_numpy(), (0.025, 0.975))
        assert close(found[0], low, 4e-3) and close(found[1], high, 4e-3)
    metadata = pl.read_parquet_metadata(folder() / "epoch-2024-huber.parquet")
    assert "seed(42)" in metadata["description"]


def test_the_index_read_off_the_lines_is_that_of_the_files() -> None:
    parsed = {
        path.name: parse_law_file(path.read_text(encoding="utf-8"), path.name) for path in folder().glob("*.toml")
    }
    assert _index() == {name: [form.id, *(entry.id for entry in form.published)] for name, form in parsed.items()}
    # What is found through the index is what stands among all entries.
    for entry in entries():
        assert find(entry.id) is entry
        if entry.published is not None:
            assert find(f"{entry.form.id}/{entry.published.id}") is entry
    assert find("chinchilla/kaplan-2020") is None and find("kaplan-n/") is None and find("") is None


def test_laws_lists_every_entry_once() -> None:
    listed = sf.laws()
    assert listed["id"].to_list() == [entry.id for entry in entries()]
    assert listed["id"].n_unique() == listed.height
    assert listed.filter(pl.col("id") == "epoch-2024-huber")["uncertainty"].item() == "draws"


LAW = """
schema = 1
id = "mine"
title = "A law of mine"
formula = "E + A/N**alpha"

[variables.N]
unit = "parameters"

[parameters.E]
[parameters.A]
bounds = [0.0, inf]
[parameters.alpha]
start = [0.1, 1.0]

[fit]
residual = "log"
loss = "huber"
delta = 1e-3

[[published]]
id = "mine-2026"
n_definition = "total"
confidence = "own"
values = { E = 1.5, A = "1K", alpha = 0.5 }
checks = [{ at = { N = "1M" }, gives = { L = 2.5 }, tolerance = 1e-12 }]
"""


def write(folder: Path, text: str) -> str:
    path = folder / "law.toml"
    path.write_text(text)
    return str(path)


def test_a_law_file_of_ones_own(tmp_path: Path) -> None:
    law = sf.law(write(tmp_path, LAW))
    assert law.parameters == {"E": 1.5, "A": 1000.0, "alpha": 0.5}
    assert sf.check_law(law)["ok"].all()
    recipe = law.recipe
    assert recipe is not None and recipe.loss == sf.Huber(1e-3) and recipe.residual == "log"
    assert sf.law(tmp_path / "law.toml") == law
    assert sf.law(f"{tmp_path / 'law.toml'}#mine-2026") == law


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('title = "A law of mine"\n', "", "missing-field", "`title`"),
        ("title =", "titel =", "missing-field", "did you mean `titel`"),
        ("schema = 1", "schema = 2", "unknown-schema", "schema = 1"),
        ('unit = "parameters"', 'unit = "parameters"\nsize = 1', "unknown-field", "`variables.N.size`"),
        ("bounds =", "bound =", "unknown-field", "did you mean `bounds`"),
        ("[0.0, inf]", "[1.0, 0.0]", "bad-field", "`parameters.A.bounds`"),
        ("[0.1, 1.0]", "[0.1, inf]", "bad-field", "finite"),
        ('residual = "log"', 'residual = "ln"', "bad-field", "`log` or `identity`"),
        ('loss = "huber"', 'loss = "hubert"', "bad-field", "unknown loss"),
        ("delta = 1e-3\n", "", "bad-field", "takes delta"),
        (", alpha = 0.5 }", " }", "missing-field", "`alpha`"),
        ("alpha = 0.5 }", "alpha = 0.5, alhpa = 1 }", "unknown-field", "did you mean `alpha`"),
        ('A = "1K"', 'A = "1k2"', "bad-field", "must be a number"),
        ('A = "1K"', "A = nan", "bad-field", "`published[0].values.A`"),
        (", tolerance = 1e-12 }", " }", "missing-field", "`published[0].checks[0].tolerance`"),
        ('confidence = "own"', 'confidence = "sure"', "bad-field", "confidence"),
        ("E + A/N**alpha", "E + A/N**alfa", "missing-field", "`alfa`"),
        ("E + A/N**alpha", "A/N**alpha", "unknown-field", "`E`"),
        ("E + A/N**alpha", "E + A/N^alpha", "caret-power", "**"),
        ('formula = "E + A/N**alpha"\n', "", "missing-field", "[outputs]"),
        ("[variables.N]", "[variables.N", "bad-law-file", "TOML"),
        ("[parameters.E]", "[parameters.N]\n[parameters.E]", "duplicate-name", "`N`"),
        (
            'formula = "E + A/N**alpha"',
            '[outputs]\nL = { formula = "E + A/N**alpha" }',
            "missing-field",
            "outputs.L.unit",
        ),
        ('formula = "E + A/N**alpha"', "[outputs]\nL = 3", "bad-field", "`outputs.L`"),
        ('title = "A law', 'cost = "6*N*D"\ntitle = "A law', "missing-field", "`D` of the cost"),
        ('title = "A law', 'cost = "6*N*"\ntitle = "A law', "dangling-operator", "cost: "),
        ("at = { N", "at = { M", "unknown-field", "unknown variable `M`"),
        ("gives = { L", "gives = { K", "unknown-field", "unknown symbol `K`"),
        ("at = {", "given = { N = 1.0 }, at = { D = 3.0,", "unknown-field", "unknown variable `D`"),
        ('confidence = "own"', 'confidence = "own"\nfitted_range = { D = [1, 2] }', "unknown-field", "fitted_range"),
    ],
)
def test_faults_of_a_law_file_are_named(tmp_path: Path, old: str, new: str, code: str, said: str) -> None:
    assert old in LAW
    with pytest.raises(sf.ScalefastError) as caught:
        sf.law(write(tmp_path, LAW.replace(old, new, 1)))
    assert caught.value.code == code
    assert said in str(caught.value)
