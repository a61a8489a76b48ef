"""`scalefast laws`: listing, showing, checking."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from cli_runs import invoke


def listed(*arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(invoke("laws", *arguments).stdout)))


def test_the_list_has_forms_and_sets() -> None:
    ids = [row["id"] for row in listed()]
    assert {"chinchilla", "hoffmann-2022", "hoffmann-2022-rounded", "epoch-2024", "epoch-2024-huber"} <= set(ids)
    assert {"power-offset", "kaplan-n", "kaplan-d", "kaplan-c", "kaplan-nd", "kaplan-frontier"} <= set(ids)


def test_filters_search_every_column_or_one_and_all_must_hold() -> None:
    assert {row["form"] for row in listed("--filter", "form=chinchilla")} == {"chinchilla"}
    assert {row["year"] for row in listed("--filter", "BESIROGLU")} == {"2024"}
    assert [row["id"] for row in listed("--filter", "form=chinchilla", "--filter", "id=rounded")] == [
        "hoffmann-2022-rounded"
    ]


def test_a_filter_that_matches_nothing_says_so() -> None:
    result = invoke("laws", "--filter", "nonsense")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1
    assert "no law matches" in result.stderr


def test_show_gives_all_digits_and_the_source() -> None:
    law = json.loads(invoke("laws", "show", "hoffmann-2022", "--format", "json").stdout)
    assert law["parameters"]["alpha"] == 0.33917084
    assert law["parameters"]["A"] == 406.4010175194737
    assert law["formula"] == "E + A/N**alpha + B/D**beta"
    assert "2203.15556" in law["source"]
    assert law["fitted_range"]["C"] == [6e18, 3e21]


def test_show_tells_what_symbols_mean() -> None:
    law = json.loads(invoke("laws", "show", "steplaw-2025", "--format", "json").stdout)
    assert law["outputs"] == {"lr": "peak learning rate", "batch": "batch size, in tokens"}
    assert law["variables"]["N"] == "size of the model (without the vocabulary's), in parameters"
    shown = json.loads(invoke("laws", "show", "power-offset", "--format", "json").stdout)
    assert shown["variables"]["x"].endswith("whatever is bound to x")


def test_show_of_a_form_names_its_sets() -> None:
    law = json.loads(invoke("laws", "show", "chinchilla", "--format", "json").stdout)
    assert "epoch-2024-huber" in law["sets"]
    assert law["parameters"] == ["E", "A", "B", "alpha", "beta"]


def test_show_says_that_rounded_constants_are_rounded() -> None:
    table = invoke("laws", "show", "hoffmann-2022-rounded", "--format", "table").stdout
    assert "rounded" in table
    assert "32B instead of the paper's own 40B" in table


@pytest.mark.parametrize("form", ["chinchilla", "kaplan-n", "kaplan-d", "kaplan-c", "kaplan-nd", "kaplan-frontier"])
def test_the_shipped_laws_meet_their_check_values(form: str) -> None:
    result = invoke("laws", "check", form)
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert rows
    assert {row["ok"] for row in rows} == {"true"}


def test_a_law_file_that_misses_its_check_value_is_1(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = """\
schema = 1
id = "mine"
title = "Mine"
formula = "A/N**a"
[variables.N]
unit = "parameters"
[parameters.A]
[parameters.a]
[[published]]
id = "first"
n_definition = "total"
confidence = "own"
values = { A = 4.0, a = 0.5 }
checks = [{ at = { N = 16.0 }, gives = { L = 1.0 }, tolerance = 1e-9 }]
"""
    path.write_text(text)
    assert invoke("laws", "check", str(path)).exit_code == 0
    path.write_text(text.replace("L = 1.0", "L = 1.1"))
    result = invoke("laws", "check", str(path))
    assert result.exit_code == 1
    assert "1 of 1 check values" in result.stderr
    assert "false" in result.stdout


def test_check_says_what_a_file_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = """\
schema = 1
id = "mine"
title = "Mine"
formula = "A/N**a + B/D**a"
[variables.N]
unit = "parameters"
[variables.D]
unit = "tokens"
[parameters.A]
[parameters.B]
[parameters.a]
"""
    path.write_text(text)
    result = invoke("laws", "check", str(path))
    assert result.exit_code == 0
    for said in ("no [source]", "no cost", "no [fit]", "no meaning of N, D, A, B, a", "no [[published]]"):
        assert said in result.stderr
    numbers = (
        '[[published]]\nid = "first"\nn_definition = "total"\nconfidence = "own"\nvalues = { A = 4, B = 4, a = 0.5 }\n'
    )
    path.write_text(text + numbers)
    said = invoke("laws", "check", str(path)).stderr
    assert "first: no checks" in said and "first: no fitted_range" in said and "[[published]]" not in said
    assert "note: no " not in invoke("laws", "check", "chinchilla").stderr


def test_a_table_groups_sets_below_their_form() -> None:
    lines = invoke("laws", "--format", "table", "--filter", "form=over-training").stdout.splitlines()
    assert lines[2].startswith("over-training ") and "E + (a*ratio" in lines[2]
    assert all(line.startswith("  gadre-2024-") and "computed" in line for line in lines[3:]) and len(lines) == 6
    alone = invoke("laws", "--format", "table", "--filter", "id=gadre-2024-c4-error").stdout
    assert "error = epsilon" in alone and "Gadre et al. 2024" in alone


def test_templates_say_that_their_constants_are_unpublished() -> None:
    rows = {row["id"]: row for row in listed("--filter", "form=power-offset")}
    assert rows["gpt4-2023"]["uncertainty"] == "" and rows["gpt4-2023"]["confidence"] == "verified"
    shown = json.loads(invoke("laws", "show", "power-offset", "--format", "json").stdout)
    assert {"gpt4-2023", "baichuan2-2023", "mindllm-2023"} <= set(shown["used_without_values_by"])
    assert "constants unpublished" in invoke("laws", "--format", "table", "--filter", "gpt4").stdout
