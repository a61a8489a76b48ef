"""`scalefast fit`: what it prints, saves and insists on."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest

from cli_runs import invoke

TRUTH = {
    "E": 1.6933736809989528,
    "A": 406.4010175194737,
    "B": 410.7228269450398,
    "alpha": 0.33917084,
    "beta": 0.2849083,
}


@pytest.fixture
def runs(tmp_path: Path) -> str:
    """Noise-free runs of hoffmann-2022, with the columns that a tracker exports."""
    grid = invoke("predict", "hoffmann-2022", "--at", "N=1e8..1e10:6", "--at", "D=1e9..1e12:6").stdout
    frame = pl.read_csv(io.StringIO(grid)).select(
        (pl.col("N") / 1e6).alias("config.params_m"),
        (pl.col("D") / 1e9).alias("tokens_b"),
        pl.col("L").alias("eval/loss"),
    )
    path = tmp_path / "runs.csv"
    frame.write_csv(path)
    return str(path)


BOUND = ("--col", "N=config.params_m*1e6", "--col", "D=tokens_b*1e9", "--y", "eval/loss")


def estimates(text: str) -> dict[str, float]:
    return {row["parameter"]: float(row["estimate"]) for row in csv.DictReader(io.StringIO(text))}


def test_the_truth_is_recovered_and_echoed(runs: str) -> None:
    result = invoke("fit", runs, "--law", "chinchilla", *BOUND)
    assert result.exit_code == 0, result.stderr
    found = estimates(result.stdout)
    assert found == pytest.approx(TRUTH, rel=1e-5)
    assert "config.params_m*1e6" in result.stderr
    assert "converged" in result.stderr


def test_a_formula_of_the_users_own(runs: str) -> None:
    result = invoke("fit", runs, "--law", "c + p/N**q + r/D**s", *BOUND, "--residual", "log")
    assert result.exit_code == 0, result.stderr
    found = estimates(result.stdout)
    assert [found[name] for name in "cpqrs"] == pytest.approx(
        [TRUTH[name] for name in ("E", "A", "alpha", "B", "beta")], rel=1e-5
    )


def test_fixed_tied_and_bounded_parameters(runs: str) -> None:
    options = ("--fix", "E=1.7", "--tie", "beta=alpha", "--bound", "alpha=0.1..0.5", "--loss", "squared")
    result = invoke("fit", runs, "--law", "chinchilla", *BOUND, *options, "--format", "json")
    assert result.exit_code == 0, result.stderr
    fields = json.loads(result.stdout)
    found = {row["parameter"]: row["estimate"] for row in fields["rows"]}
    assert found["E"] == 1.7
    assert found["beta"] == found["alpha"]
    assert 0.1 <= found["alpha"] <= 0.5
    assert fields["objective"] > 0


def test_rows_left_out_are_counted(runs: str) -> None:
    result = invoke("fit", runs, "--law", "chinchilla", *BOUND, "--where", "tokens_b < 900")
    assert result.exit_code == 0, result.stderr
    assert "30 of 36 rows" in result.stderr


@pytest.mark.parametrize("suffix", ["parquet", "toml"])
def test_the_saved_law_predicts_and_sweeps(runs: str, tmp_path: Path, suffix: str) -> None:
    law = str(tmp_path / f"law.{suffix}")
    assert invoke("fit", runs, "--law", "chinchilla", *BOUND, "-o", law).exit_code == 0
    predicted = invoke("predict", law, "--at", "N=70B", "--at", "D=1.4T")
    (row,) = csv.DictReader(io.StringIO(predicted.stdout))
    assert float(row["L"]) == pytest.approx(1.92085, abs=2e-5)
    swept = invoke("sweep", "--budget", "5.76e23", "--law", law)
    (row,) = csv.DictReader(io.StringIO(swept.stdout))
    assert float(row["N"]) == pytest.approx(40.36e9, rel=1e-3)
    again = invoke("fit", runs, "--law", "chinchilla", *BOUND, "-o", law)
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_a_law_is_saved_as_parquet_or_toml_only(runs: str, tmp_path: Path) -> None:
    result = invoke("fit", runs, "--law", "chinchilla", *BOUND, "-o", str(tmp_path / "law.csv"))
    assert result.exit_code == 2
    assert ".parquet" in result.stderr


def test_strict_is_1_when_a_parameter_stops_at_its_bound(runs: str) -> None:
    arguments = ("fit", runs, "--law", "chinchilla", *BOUND)
    assert invoke(*arguments, "--strict").exit_code == 0
    loose = invoke(*arguments, "--bound", "alpha=0..0.2")
    assert loose.exit_code == 0
    strict = invoke(*arguments, "--bound", "alpha=0..0.2", "--strict")
    assert strict.exit_code == 1
    assert strict.stdout == loose.stdout
    assert "at-bound" in strict.stderr


def test_numbers_that_look_scaled_are_flagged(tmp_path: Path) -> None:
    path = tmp_path / "scaled.csv"
    grid = invoke("predict", "hoffmann-2022", "--at", "N=1e8..1e10:6", "--at", "D=1e9..1e12:6").stdout
    pl.read_csv(io.StringIO(grid)).with_columns(pl.col("N", "D") / 1e9).write_csv(path)
    arguments = ("fit", str(path), "--law", "chinchilla")
    assert "looks-scaled" in invoke(*arguments).stderr
    assert "looks-scaled" not in invoke(*arguments, "--unit", "N=billions", "--unit", "D=billions").stderr


def test_given_starts_are_the_only_ones(runs: str) -> None:
    arguments = ("fit", runs, "--law", "chinchilla", *BOUND, "--format", "json")
    starts = (
        "--start",
        "E=1,2",
        "--start",
        "A=100",
        "--start",
        "B=100",
        "--start",
        "alpha=0.3,0.4",
        "--start",
        "beta=0.3",
    )
    result = invoke(*arguments, *starts)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["certificate"]["starts"] == 4
