"""`scalefast plan` and `scalefast accelerators`: answers, units, formats, errors."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cli_runs import invoke

MONTH = ("plan", "--accelerators", "100xA100", "--days", "30", "--mfu", "0.4", "--law", "hoffmann-2022")


def row_of(*arguments: str) -> dict[str, str]:
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    return row


def fields_of(*arguments: str) -> dict[str, Any]:
    result = invoke(*arguments, "--format", "json", "--quiet")
    assert result.exit_code == 0, result.stderr
    fields: dict[str, Any] = json.loads(result.stdout)
    return fields


def test_a_hundred_accelerators_for_a_month() -> None:
    row = row_of(*MONTH)
    assert f"{float(row['C']):.3g}" == "3.23e+22"
    assert f"{float(row['N']):.3g}" == "1.08e+10"
    assert f"{float(row['D']):.3g}" == "4.97e+11"


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        (("--days", "30"), ("--days", "30d")),
        (("--days", "4w"), ("--days", "28")),
        (("--days", "36h"), ("--days", "1.5")),
    ],
)
def test_days_are_days_whatever_their_unit(typed: tuple[str, ...], same: tuple[str, ...]) -> None:
    base = ("plan", "--accelerators", "8xH200", "--law", "hoffmann-2022")
    assert row_of(*base, *typed)["C"] == row_of(*base, *same)["C"]


def test_money_energy_and_compute_are_read_with_their_units() -> None:
    base = ("plan", "--law", "hoffmann-2022")
    hours = row_of(*base, "--accelerators", "H100-SXM", "--accelerator-hours", "1M", "--price", "2")
    for limit in (("--dollars", "$2M", "--price", "$2"), ("--energy", "700MWh"), ("--energy", "0.7GWh")):
        found = row_of(*base, "--accelerators", "H100-SXM", *limit)
        assert float(found["C"]) == pytest.approx(float(hours["C"]), rel=1e-12)
    days = row_of(*base, "--budget", f"{float(hours['pf_days'])!r}PF-days")
    assert float(days["C"]) == pytest.approx(float(hours["C"]), rel=1e-12)


def test_ranges_and_distributions_are_quantities() -> None:
    for text in ("0.35..0.45", "uniform(0.35,0.45)", "normal(0.4,0.03)", "lognormal(0.4,0.1)"):
        fields = fields_of("plan", "--accelerators", "100xA100", "--days", "30", "--mfu", text, "--draws", "100")
        decision = fields["decision"]
        assert decision["C_q05"] < decision["C"] < decision["C_q95"]
        assert fields["assumptions"][0]["value"] == pytest.approx(0.4)


def test_the_answer_is_words_and_a_table() -> None:
    result = invoke(*MONTH, "--format", "table")
    assert result.stdout.startswith("Train 10.8B parameters on 497B tokens")
    for part in ("Limits that bind: the time", "Predicted loss", "within 1 % of the best", "20 tokens per parameter"):
        assert part in result.stdout
    for part in ("fitted on N 70M to 16B", "A100-SXM: 312 TFLOP/s dense BF16", "goodput and final_run_share 1"):
        assert part in result.stderr


def test_a_default_utilisation_is_echoed_with_its_range() -> None:
    result = invoke("plan", "--accelerators", "100xA100", "--days", "30", "--law", "hoffmann-2022", "--format", "table")
    assert "mfu 0.4 is assumed; reported runs reach 0.3 to 0.55" in result.stderr
    assert "utilisation (MFU) 0.4 (assumed): between 0.3 and 0.55 moves the size" in result.stdout


def test_json_is_one_object_of_every_frame() -> None:
    fields = fields_of(*MONTH)
    assert fields["schema_version"] == 1
    assert set(fields) >= {
        "decision",
        "constraints",
        "assumptions",
        "alternatives",
        "sources",
        "words",
        "notes",
        "laws",
    }
    assert fields["decision"]["regret"] is None
    assert [entry["constraint"] for entry in fields["constraints"]] == ["time"]
    assert fields["cost"] == "6*N*D"


def test_known_sizes_are_typed_as_for_solve() -> None:
    row = row_of("plan", "N=70B", "D=1.4T", "--accelerators", "1024xA100", "--mfu", "0.55")
    assert round(float(row["days"]), 1) == 38.7
    refused = invoke("plan", "C=1e24")
    assert refused.exit_code == 2 and "give N, D or L" in refused.stderr


def test_several_laws_are_compared_and_weights_pool_them() -> None:
    laws = ("--law", "epoch-2024", "--law", "hoffmann-2022", "--law", "rule-20-to-1")
    alone = fields_of("plan", "--budget", "1e24", *laws)
    both = fields_of("plan", "--budget", "1e24", *laws, "--weights", "1,1,0")
    names = [entry["choice"] for entry in alone["alternatives"]]
    assert names[:4] == ["this plan", "epoch-2024", "hoffmann-2022", "rule-20-to-1"]
    assert both["decision"]["N"] < alone["decision"]["N"]


def test_a_manifest_repeats_a_plan(tmp_path: Path) -> None:
    manifest = tmp_path / "plan.json"
    first = invoke(
        "plan", "N=70B", "--accelerators", "100xA100", "--days", "90", "--mfu", "0.3..0.5", "--manifest", str(manifest)
    )
    again = invoke("plan", "--repeat", str(manifest))
    assert first.exit_code == again.exit_code == 0
    assert first.stdout == again.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("--accelerators", "100xH100", "--days", "30"), "ambiguous-accelerator", "H100-PCIe"),
        (("--accelerators", "100xH10O", "--days", "30"), "unknown-accelerator", "H100"),
        (("--accelerators", "100xA100", "--days", "30", "--mfu", "1.4"), "bad-quantity", None),
        (("--accelerators", "A100", "--dollars", "1M", "--price=-2"), "bad-quantity", None),
        (("--accelerators", "A100", "--days", "30"), "missing-count", "--accelerators 100xA100-SXM"),
        (("--dollars", "1M"), "missing-accelerator", "--accelerators H100-SXM"),
        (("--energy", "500"), "bad-number", "MWh"),
        (("--budget", "3640"), "looks-scaled", "PF-days"),
        ((), "bad-question", "--budget"),
        (("L=1.5",), "infeasible-loss", None),
        (("--budget", "1e24", "--weights", "1,2"), "bad-weights", None),
    ],
)
def test_errors_name_the_remedy(arguments: tuple[str, ...], code: str, hint: str | None) -> None:
    result = invoke("plan", *arguments, "--format", "json")
    assert result.exit_code == 2
    error = json.loads(result.stderr)["error"]
    assert error["code"] == code
    assert hint is None or hint in error["hint"]


def test_the_table_of_accelerators() -> None:
    rows = list(csv.DictReader(io.StringIO(invoke("accelerators").stdout)))
    (found,) = [row for row in rows if row["id"] == "H100-SXM"]
    assert float(found["peak_flops"]) == 989.4e12
    assert "table of 2026" in invoke("accelerators").stderr
