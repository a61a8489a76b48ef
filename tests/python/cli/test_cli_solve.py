"""`scalefast solve`: the library's answers, on stdout, and what they rest on, on stderr."""

from __future__ import annotations

import csv
import io
import json

import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke


def test_the_rows_are_those_of_the_library() -> None:
    result = invoke("solve", "N=10B", "--law", "hoffmann-2022", "--law", "rule-20-to-1", "--format", "json")
    assert result.exit_code == 0
    rows = json.loads(result.stdout)["rows"]
    assert rows == sf.solve(["hoffmann-2022", "rule-20-to-1"], N=10e9).to_dicts()
    assert "hoffmann-2022: outside the data, 2.711e22 FLOPs by 1.0 decades" in result.stderr
    assert "A rule of thumb, not a fit" in result.stderr


def test_numbers_are_read_as_people_write_them() -> None:
    result = invoke("solve", "L=2.0", "N=7B", "--law", "hoffmann-2022", "--given", "T=1T", "--cost", "6*N*D + 2*N*T")
    [row] = csv.DictReader(io.StringIO(result.stdout))
    expected = sf.solve("hoffmann-2022", L=2.0, N=7e9, given={"T": 1e12}, cost="6*N*D + 2*N*T")
    assert float(row["D"]) == expected["D"][0] and float(row["C"]) == expected["C"][0]


def test_the_table_shows_what_is_asked_for_and_what_it_costs() -> None:
    shown = invoke("solve", "C=1e22", "--law", "muennighoff-2023", "--given", "U=25B", "--format", "table").stdout
    assert shown.splitlines()[0].split() == ["law", "C", "N", "D", "D/N", "epochs", "L"]
    assert "9.49" in shown
    # Ten times the data of the best split: the same loss is to be had for less.
    wasteful = invoke("solve", "N=1B", "D=1T", "--law", "epoch-2024", "--format", "table").stdout
    assert wasteful.splitlines()[0].endswith("least C")
    scaled = invoke("solve", "M=4e11", "--law", "deepseek-llm-2024", "--optimise", "M,D", "--format", "table").stdout
    assert scaled.splitlines()[0].split()[:5] == ["law", "C", "M", "D", "D/M"]


def test_sweeps_take_other_symbols_and_warn_of_misuse() -> None:
    result = invoke("sweep", "--budget", "1e24", "--law", "deepseek-llm-2024", "--optimise", "M,D")
    assert (
        pl.read_csv(io.StringIO(result.stdout))["M"][0]
        == sf.sweep("deepseek-llm-2024", 1e24, optimise=("M", "D")).summary["M"][0]
    )
    result = invoke("sweep", "--budget", "1e21", "--law", "gadre-2024-c4")
    assert "warning: gadre-2024-c4: Its best ratio of 3.36 tokens per parameter" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["L=1.5"], "below the irreducible loss"),
        (["N=7B", "D=2T", "L=2"], "not a question with one answer"),
        (["N=7B", "N=8B"], "gives `N` twice"),
        (["M=7B"], "`M` is not asked about"),
        (["N=7B", "--optimise", "N"], "not two symbols"),
        (["7B"], "not of the form NAME=VALUE"),
        (["L=2", "--law", "rule-20-to-1"], "no loss"),
        ([], "SYMBOL=NUMBER"),
    ],
)
def test_questions_without_an_answer_say_why(arguments: list[str], said: str) -> None:
    result = invoke("solve", *arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert said in result.stderr


def test_predictions_warn_of_what_a_law_is_not_good_for() -> None:
    result = invoke("predict", "clark-2022-hash", "--at", "N=1B", "--at", "experts=8")
    assert result.exit_code == 0 and "warning: clark-2022-hash: Every run saw 130B tokens" in result.stderr


def test_laws_that_do_not_compare_are_told_apart() -> None:
    laws = ["--law", "hoffmann-2022", "--law", "kaplan-frontier/kaplan-2020"]
    for command in (["sweep", "--budget", "1e23"], ["solve", "C=1e23"]):
        told = invoke(*command, *laws).stderr
        assert "N is not the same in all laws: hoffmann-2022: total, with embeddings; kaplan-frontier/" in told
        assert "losses of different corpora do not compare: hoffmann-2022: MassiveText; " in told
        assert "do not compare" not in invoke(*command).stderr
