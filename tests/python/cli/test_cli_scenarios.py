"""`scalefast sweep --scenarios`, `--draws-to`, `--draws-out`: tables in, allocations out, and what is refused."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke

TABLE = "product,T\nsearch,0\nchat,5e12\n"
COST = ("--cost", "6*N*D + 2*N*T")


def test_scenarios_come_from_a_file_or_a_pipe_and_their_columns_come_back(tmp_path: Path) -> None:
    path = tmp_path / "scenarios.csv"
    path.write_text(TABLE)
    arguments = ("sweep", "--budget", "1e24", "--law", "hoffmann-2022", *COST, "--format", "csv")
    from_file = invoke(*arguments, "--scenarios", str(path))
    assert from_file.exit_code == 0 and from_file.stdout == invoke(*arguments, "--scenarios", "-", stdin=TABLE).stdout
    rows = list(csv.DictReader(io.StringIO(from_file.stdout)))
    assert [(row["scenario"], row["product"], float(row["T"])) for row in rows] == [
        ("0", "search", 0.0),
        ("1", "chat", 5e12),
    ]
    expected = sf.sweep("hoffmann-2022", 1e24, scenarios={"T": [0.0, 5e12]}, cost=COST[1]).summary
    assert [float(row["N"]) for row in rows] == expected["N"].to_list()
    table = invoke(*arguments[:-1], "table", "--scenarios", str(path), "--quiet").stdout
    assert "chat" in table and "5T" in table


def test_a_row_may_have_its_own_budget() -> None:
    found = invoke(
        "sweep", "--law", "hoffmann-2022", "--scenarios", "-", "--format", "ndjson", stdin="C,team\n1e22,a\n1e23,b\n"
    )
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(row["team"], row["C"]) for row in rows] == [("a", 1e22), ("b", 1e23)]


def test_every_allocation_goes_to_a_file_or_a_data_set(tmp_path: Path) -> None:
    file, folder = tmp_path / "draws.parquet", tmp_path / "draws"
    arguments = ("sweep", "--budget", "1e24", "--law", "epoch-2024-huber", "--draws", "50", "--quiet")
    one = invoke(*arguments, "--draws-out", str(file))
    other = invoke(*arguments, "--draws-to", str(folder))
    assert one.exit_code == other.exit_code == 0 and one.stdout == other.stdout
    assert pl.read_parquet(file).equals(pl.scan_parquet(folder).collect())
    again = invoke(*arguments, "--draws-to", str(folder))
    assert again.exit_code == 2 and "--force" in again.stderr
    assert invoke(*arguments, "--draws-to", str(folder), "--force").exit_code == 0
    assert invoke(*arguments, "--draws-out", "-").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "table", "words"),
    [
        ((), TABLE, ["no budget is given", "--budget"]),
        (("--budget", "1e24"), "product,t\nchat,5e12\n", ["nothing reads the column `t`", "`T`"]),
        (("--budget", "1e24"), "product,served\nchat,5e12\n", ["`T`", "scenarios have no such column", "`served`"]),
        (("--budget", "1e24"), "product,T\nchat,\n", ["`T` of row 0 is null"]),
        (("--budget", "1e24"), "product,T\nchat,nan\n", ["`T` of row 0 is nan"]),
        (("--budget", "1e24"), "product,T\nchat,5\n", ["largest T is 5 tokens", "5e"]),
        (("--budget", "1e24"), "T,N_min,N_max\n0,2e9,1e9\n", ["2e+09 to 1e+09 in row 0"]),
        (("--budget", "1e24"), "T,C\n0,1e22\n", ["budgets stand in"]),
        (("--budget", "1e24", "--given", "T=1e12"), TABLE, ["`T` stands in given and in the scenarios"]),
        (("--budget", "1e26..1e20:7"), TABLE, ["must be a rising grid"]),
        (("--budget", "-1e24"), TABLE, ["-1e24"]),
        (("--budget", "24"), TABLE.replace("5e12", "0"), ["--budget"]),
        (("--budget", "1e24", "--bound", "N=2e9..1e9"), TABLE, ["not a range"]),
        (("--budget", "1e24", "--given", "N=1e9", "--given", "D=1e10"), TABLE, ["N and D are both given"]),
        (("--budget", "1e24"), "", ["empty"]),
    ],
)
def test_bad_input_is_one_clear_error(arguments: tuple[str, ...], table: str, words: list[str]) -> None:
    cost = () if arguments == ("--budget", "24") else COST
    found = invoke("sweep", "--law", "epoch-2024-huber", *cost, *arguments, "--scenarios", "-", stdin=table)
    if not cost:
        found = invoke("sweep", "--law", "epoch-2024-huber", *arguments)
    assert found.exit_code == 2 and found.stdout == ""
    assert sum(line.startswith("error:") for line in found.stderr.splitlines()) == 1
    assert all(word in found.stderr for word in words)


def test_a_law_without_a_minimum_along_the_budget_says_so_in_its_row() -> None:
    law = "E + A/N**alpha"
    with pytest.raises(sf.LawError):
        sf.sweep(sf.law(law, parameters={"E": 1.0, "A": 400.0, "alpha": 0.3}), 1e22, cost="6*N*D")
    growing = sf.law(
        "E + A/N**alpha + B*D**beta", parameters={"E": 1.0, "A": 400.0, "alpha": 0.3, "B": 1e-3, "beta": 0.1}
    )
    row = sf.sweep(growing, 1e22, cost="6*N*D").summary.row(0, named=True)
    assert row["status"] == "no-finite-optimum" and row["N"] is None and row["L"] is None
    bounded = sf.sweep(growing, 1e22, cost="6*N*D", bounds={"N": (None, 1e12)}).summary.row(0, named=True)
    assert (bounded["status"], bounded["at_bound"]) == ("at-bound", "N_max")


def test_what_an_early_end_keeps_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (
        "sweep",
        "--budget",
        "1e20..1e24:5",
        "--law",
        "epoch-2024-huber",
        "--draws",
        "10",
        "--on-interrupt",
        "partial",
    )
    whole = invoke(*arguments)
    assert whole.exit_code == 0 and "not reached" not in whole.stderr
    found = sf.sweep("epoch-2024-huber", "1e20..1e24:5", draws=10)
    cut = found.summary.with_columns(status=pl.when(pl.col("C") > 1e22).then(pl.lit("not-reached")).otherwise("status"))
    monkeypatch.setattr(sf, "sweep", lambda *_, **settings: dataclasses.replace(found, summary=cut))
    early = invoke(*arguments)
    assert early.exit_code == 130 and "ended early: 2 of 5 rows are not reached" in early.stderr
