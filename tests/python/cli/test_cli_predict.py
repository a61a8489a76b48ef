"""`scalefast predict`: points from options, files and pipes."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke


def test_one_point() -> None:
    result = invoke("predict", "hoffmann-2022", "--at", "N=70B", "--at", "D=1.4T")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert float(row["L"]) == pytest.approx(1.92085, abs=5e-6)


def test_grids_are_crossed_with_the_last_variable_fastest() -> None:
    result = invoke("predict", "hoffmann-2022", "--at", "N=1e8..1e9:2", "--at", "D=1e9..1e11:3")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(float(row["N"]), float(row["D"])) for row in rows] == [
        (n, d) for n in (1e8, 1e9) for d in (1e9, 1e10, 1e11)
    ]


def test_units_of_columns_are_converted() -> None:
    typed = ("predict", "hoffmann-2022", "-", "--col", "N=params_b", "--unit", "N=billions", "--unit", "D=trillions")
    result = invoke(*typed, stdin="params_b,tokens\n70,1.4\n")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert float(row["L"]) == pytest.approx(1.92085, abs=5e-6)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".ndjson", ".arrow"])
def test_every_input_format_gives_the_same_numbers(tmp_path: Path, suffix: str) -> None:
    points = pl.DataFrame({"n_params": [70e9, 1e9], "tokens": [1.4e12, 2e10]})
    path = tmp_path / f"points{suffix}"
    write: dict[str, Any] = {
        ".csv": points.write_csv,
        ".tsv": lambda name: points.write_csv(name, separator="\t"),
        ".parquet": points.write_parquet,
        ".ndjson": points.write_ndjson,
        ".arrow": points.write_ipc,
    }
    write[suffix](path)
    result = invoke("predict", "hoffmann-2022", str(path))
    assert result.exit_code == 0, result.stderr
    losses = [float(row["L"]) for row in csv.DictReader(io.StringIO(result.stdout))]
    assert losses == pytest.approx([1.92085, 2.53067], abs=5e-6)
    piped = invoke("predict", "hoffmann-2022", "-", "--input-format", format_name(suffix), stdin=path.read_bytes())
    assert piped.stdout == result.stdout


def format_name(suffix: str) -> str:
    return suffix.removeprefix(".")


def test_columns_may_be_formulas_of_columns_with_dots() -> None:
    stdin = "config.params_m,eval/tokens\n70000,1400\n"
    result = invoke(
        "predict", "hoffmann-2022", "-", "--col", "N=config.params_m*1e6", "--col", "D=`eval/tokens`*1e9", stdin=stdin
    )
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert float(row["L"]) == pytest.approx(1.92085, abs=5e-6)
    assert row["config.params_m"] == "70000"


def test_numbers_survive_the_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "points.parquet"
    arguments = ("predict", "epoch-2024", "--at", "N=1e8..1e10:40", "--at", "D=1e9..1e12:25")
    assert invoke(*arguments, "-o", str(path)).exit_code == 0
    text = pl.read_csv(io.StringIO(invoke(*arguments).stdout))
    assert text.equals(pl.read_parquet(path))


def runs(path: Path) -> Path:
    """Thirty runs of a law with 1 % noise, each of them twice."""
    rows = sf.law("hoffmann-2022").predict(
        {"N": np.repeat(np.geomspace(1e8, 1e10, 6), 10), "D": np.tile(np.geomspace(1e9, 1e12, 5), 12)}
    )
    noise = np.random.default_rng(3).normal(0, 0.01, rows.height)
    rows.with_columns(L=pl.col("L") * np.exp(noise), s=pl.lit(0.01)).write_csv(path)
    return path


def test_intervals_of_a_saved_fit(tmp_path: Path) -> None:
    law = tmp_path / "law.parquet"
    settings = ["--law", "chinchilla", "--loss", "squared", "-o", str(law)]
    assert invoke("fit", str(runs(tmp_path / "runs.csv")), *settings).exit_code == 0
    widths = {}
    for kind in ("confidence", "prediction", "new_run"):
        result = invoke("predict", str(law), "--at", "N=1e9", "--at", "D=1e11", "--interval", kind)
        (row,) = csv.DictReader(io.StringIO(result.stdout))
        assert float(row["L_lower"]) < float(row["L_fit"]) < float(row["L_upper"])
        widths[kind] = float(row["L_upper"]) - float(row["L_lower"])
    assert widths["confidence"] < widths["prediction"]


def test_an_interval_that_is_not_known_is_refused() -> None:
    result = invoke("predict", "hoffmann-2022", "--at", "N=1e9", "--at", "D=1e11", "--interval", "confidence")
    assert result.exit_code == 2
    assert "without draws" in result.stderr


def test_fit_takes_known_noise(tmp_path: Path) -> None:
    settings = ["--law", "chinchilla", "--loss", "squared", "--sigma", "s"]
    result = invoke("fit", str(runs(tmp_path / "runs.csv")), *settings)
    assert {row["interval_method"] for row in csv.DictReader(io.StringIO(result.stdout))} == {
        "gauss-newton-known-noise",
        "gauss-newton-known-noise-log",
    }
