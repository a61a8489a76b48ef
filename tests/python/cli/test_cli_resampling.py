"""`scalefast fit --resample`, `--run` and `--checkpoints`: what they print, save and refuse."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke
from reference import grid


@pytest.fixture
def runs(tmp_path: Path) -> str:
    """Thirty noisy runs, each with a checkpoint half way."""
    finals = grid().with_columns(name=pl.int_range(pl.len()).cast(pl.String))
    halves = sf.law("hoffmann-2022").predict(finals.select("N", pl.col("D") / 2, "name"))
    rows = pl.concat([halves.select(finals.columns), finals])
    rows = rows.with_columns(L=pl.col("L") * np.exp(np.random.default_rng(0).normal(0, 0.003, rows.height)))
    path = tmp_path / "runs.csv"
    rows.write_csv(path)
    return str(path)


FIT = ("--law", "chinchilla", "--run", "name", "--checkpoints", "final")


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["parameter"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("kind", ["", "bayesian:", "wild:", "wild-webb:", "fraction:0.8:"])
def test_resampling_is_that_of_the_library(runs: str, kind: str) -> None:
    result = invoke("fit", runs, *FIT, "--resample", f"{kind}40", "--seed", "3", "--level", "0.8")
    assert result.exit_code == 0, result.stderr
    name = kind.partition(":")[0] or None
    settings = sf.Bootstrap(40, fraction=0.8) if name == "fraction" else sf.Bootstrap(40, kind=name)  # type: ignore[arg-type]
    fit = sf.fit(runs, "chinchilla", run="name", checkpoints="final", resample=settings, seed=3, level=0.8)
    found = rows(result.stdout)
    for row in fit.parameters.iter_rows(named=True):
        assert float(found[row["parameter"]]["lower"]) == row["lower"]
        assert found[row["parameter"]]["interval_method"] == row["interval_method"]
    assert "40 replicates" in result.stderr
    assert "30 runs" in result.stderr


def test_residuals_are_drawn_by_rows(runs: str) -> None:
    result = invoke("fit", runs, "--law", "chinchilla", "--resample", "residual:20", "--interval", "basic")
    assert result.exit_code == 0, result.stderr
    assert rows(result.stdout)["alpha"]["interval_method"] == "residual-basic"


def test_a_jackknife_by_size(runs: str) -> None:
    result = invoke("fit", runs, *FIT, "--resample", "jackknife", "--cluster", "N")
    assert result.exit_code == 0, result.stderr
    assert rows(result.stdout)["alpha"]["interval_method"] == "jackknife-normal"
    assert "few-clusters" in result.stderr


def test_the_table_of_influence_is_that_of_the_library(runs: str, tmp_path: Path) -> None:
    to = tmp_path / "influence.csv"
    arguments = ("--resample", "jackknife:1e22", "--cluster", "N", "--influence", str(to))
    result = invoke("fit", runs, *FIT, *arguments)
    assert result.exit_code == 0, result.stderr
    found = list(csv.DictReader(io.StringIO(to.read_text(encoding="utf-8"))))
    left_out = sf.Jackknife(by="N", budget=1e22)
    expected = sf.fit(runs, "chinchilla", run="name", checkpoints="final", resample=left_out).influence
    assert list(found[0]) == expected.columns
    for name in ("change.alpha", "change.N"):
        assert [float(row[name]) for row in found] == expected[name].to_list()


def test_the_draws_travel_with_the_saved_law(runs: str, tmp_path: Path) -> None:
    law = tmp_path / "law.parquet"
    assert invoke("fit", runs, *FIT, "--resample", "50", "-o", str(law)).exit_code == 0
    sweep = invoke("sweep", "--law", str(law), "--budget", "1e22")
    row = next(csv.DictReader(io.StringIO(sweep.stdout)))
    assert row["uncertainty"] == "draws"
    assert float(row["N_q05"]) < float(row["N"]) < float(row["N_q95"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--run", "name"), "--checkpoints"),
        (("--checkpoints", "final"), "--run"),
        (("--resample", "0"), "--resample"),
        (("--resample", "pears:10"), "pairs"),
        (("--resample", "ten"), "KIND:COUNT"),
        (("--resample", "fraction:10"), "KIND:COUNT"),
        (("--cluster", "name"), "--resample"),
        (("--resample", "jackknife", "--interval", "bca"), "jackknife"),
        (("--resample", "jackknife:soon"), "jackknife:1e24"),
        (("--influence", "influence.csv"), "--resample jackknife"),
        (("--resample", "10", "--cluster", "nam"), "nam"),
    ],
)
def test_misuse_ends_with_2_and_a_remedy(runs: str, arguments: tuple[str, ...], words: str) -> None:
    result = invoke("fit", runs, "--law", "chinchilla", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
