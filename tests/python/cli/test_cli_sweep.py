"""`scalefast sweep`: published optima, notes, formats."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from cli_runs import invoke


def rows_of(*arguments: str) -> list[dict[str, str]]:
    result = invoke("sweep", *arguments)
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.parametrize(
    ("law", "budget", "size", "tokens", "loss"),
    [
        ("hoffmann-2022", "5.76e23", 40.36e9, 2.379e12, 1.91841),
        ("epoch-2024", "1e24", 95.86e9, 1.739e12, 1.95971),
    ],
)
def test_published_optima(law: str, budget: str, size: float, tokens: float, loss: float) -> None:
    (row,) = rows_of("--budget", budget, "--law", law)
    assert float(row["N"]) == pytest.approx(size, rel=3e-4)
    assert float(row["D"]) == pytest.approx(tokens, rel=3e-4)
    assert float(row["L"]) == pytest.approx(loss, abs=6e-6)
    assert 6 * float(row["N"]) * float(row["D"]) == pytest.approx(float(budget), rel=1e-12)


def test_the_first_answer_needs_no_data_and_names_law_range_and_extrapolation() -> None:
    result = invoke("sweep", "--budget", "1e24")
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert rows[0]["law"] == "epoch-2024-huber"
    assert float(rows[0]["N_q05"]) < float(rows[0]["N"]) < float(rows[0]["N_q95"])
    assert len({row["law"] for row in rows}) > 1
    assert "E + A/N**alpha + B/D**beta" in result.stderr
    assert "outside the data, 1e24 FLOPs by 1.9 decades" in result.stderr
    assert "laws put N between" in result.stderr


def test_a_law_without_uncertainty_has_no_interval() -> None:
    (row,) = rows_of("--budget", "1e24", "--law", "hoffmann-2022")
    assert row["N_q05"] == row["L_q95"] == ""
    assert row["uncertainty"] == "none"


def test_rounded_constants_are_flagged() -> None:
    assert "rounded" in invoke("sweep", "--budget", "1e24", "--law", "hoffmann-2022-rounded").stderr


def test_budgets_are_grids_and_repeat() -> None:
    rows = rows_of("--budget", "1e20..1e22:3", "--budget", "5e23", "--law", "hoffmann-2022")
    assert [float(row["C"]) for row in rows] == [1e20, 1e21, 1e22, 5e23]


def test_quantiles_name_their_columns() -> None:
    (row,) = rows_of("--budget", "1e24", "--law", "epoch-2024-huber", "--quantiles", "0.25,0.75")
    assert float(row["N_q25"]) < float(row["N_q75"])
    assert "N_q05" not in row


def test_json_has_rows_and_a_schema_version() -> None:
    fields: dict[str, Any] = json.loads(invoke("sweep", "--budget", "1e24", "--format", "json", "--quiet").stdout)
    assert fields["schema_version"] == 1
    assert fields["rows"][0]["law"] == "epoch-2024-huber"


def test_quiet_leaves_stderr_empty() -> None:
    assert invoke("sweep", "--budget", "1e21", "--law", "hoffmann-2022", "--quiet").stderr == ""


def test_the_table_shows_intervals_under_the_values() -> None:
    table = invoke("sweep", "--budget", "1e24", "--format", "table").stdout
    assert "1e24" in table
    assert "e+" not in table


def test_the_same_command_gives_the_same_bytes() -> None:
    arguments = ("sweep", "--budget", "1e24", "--draws", "100", "--format", "csv")
    assert invoke(*arguments, "--threads", "1").stdout == invoke(*arguments, "--threads", "2").stdout


def test_bounds_and_given_settle_what_is_not_chosen() -> None:
    (row,) = rows_of("--budget", "1e24", "--law", "hoffmann-2022", "--bounds", "N=..8B")
    assert (row["status"], row["at_bound"]) == ("at-bound", "N_max")
    assert float(row["N"]) == pytest.approx(8e9, rel=1e-12)
    (row,) = rows_of("--budget", "1e22", "--law", "muennighoff-2023", "--given", "U=25B")
    assert float(row["D"]) / 25e9 == pytest.approx(9.49, abs=0.01)
    (row,) = rows_of("--budget", "1e22", "--law", "hoffmann-2022", "--given", "D=20*N")
    assert float(row["D_per_N"]) == pytest.approx(20, rel=1e-12)
    refused = invoke("sweep", "--budget", "1e22", "--law", "muennighoff-2023")
    assert refused.exit_code == 2 and "--given U=" in refused.stderr
