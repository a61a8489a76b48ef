"""Every shipped law holds its own check values, and every fault of a law file is named."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from reference import close
from scalefast._catalogue import entries, folder

SETS = [entry.id for entry in entries() if entry.published is not None]
FORMS = [entry.id for entry in entries() if entry.published is None]

#: Catalogue 1.9: budget, then N*, D*, L* under each set, to their last printed digit.
OPTIMA = {
    "hoffmann-2022": [
        (1e19, 270.8e6, 6.154e9, 2.92184),
        (1e23, 18.15e9, 918.4e9, 1.98850),
        (3.8e25, 273.2e9, 23.18e12, 1.81101),
    ],
    "hoffmann-2022-rounded": [(1e20, 644.9e6, 25.85e9, 2.59985), (1e25, 116.8e9, 14.27e12, 1.84532)],
    "epoch-2024": [
        (1e19, 262.2e6, 6.357e9, 2.92710),
        (1e22, 9.045e9, 184.3e9, 2.14111),
        (3.8e25, 618.7e9, 10.24e12, 1.89171),
    ],
}


@pytest.mark.parametrize("name", SETS)
def test_the_sets_own_checks_hold(name: str) -> None:
    checks = sf.law(name).check()
    assert checks.height > 0
    assert checks["ok"].all(), checks.filter(~pl.col("ok"))


@pytest.mark.parametrize("name", OPTIMA)
def test_the_reference_table_of_optima(name: str) -> None:
    for budget, n, d, loss in OPTIMA[name]:
        row = sf.sweep(name, budget=budget).summary.row(0, named=True)
        assert close(row["N"], n, 5e-4) and close(row["D"], d, 5e-4)
        assert abs(row["L"] - loss) < 6e-6


@pytest.mark.parametrize("name", FORMS)
def test_forms_declare_exactly_the_symbols_of_their_formulas(name: str) -> None:
    law = sf.law(name)
    assert set(law._system.symbols()) == {*law.variables, *law.parameters}
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
    assert law.check()["ok"].all()
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
        ('A = "1K"', 'A = "1k2"', "bad-field", "not a number"),
        ('A = "1K"', "A = nan", "bad-field", "`published[0].values.A`"),
        (", tolerance = 1e-12 }", " }", "missing-field", "`published[0].checks[0].tolerance`"),
        ('confidence = "own"', 'confidence = "sure"', "bad-field", "confidence"),
        ("E + A/N**alpha", "E + A/N**alfa", "missing-field", "`alfa`"),
        ("E + A/N**alpha", "A/N**alpha", "unknown-field", "`E`"),
        ("E + A/N**alpha", "E + A/N^alpha", "caret-power", "**"),
        ('formula = "E + A/N**alpha"\n', "", "missing-field", "[outputs]"),
        ("[variables.N]", "[variables.N", "bad-law-file", "TOML"),
        ("[parameters.E]", "[parameters.N]\n[parameters.E]", "duplicate-name", "`N`"),
    ],
)
def test_faults_of_a_law_file_are_named(tmp_path: Path, old: str, new: str, code: str, said: str) -> None:
    assert old in LAW
    with pytest.raises(sf.ScalefastError) as caught:
        sf.law(write(tmp_path, LAW.replace(old, new, 1)))
    assert caught.value.code == code
    assert said in str(caught.value)
