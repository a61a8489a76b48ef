"""`scalefast explain`: what a code means."""

import json

import scalefast as sf
from cli_runs import invoke


def test_a_code_is_explained_for_people():
    result = invoke("explain", "invalid-rows", "--format", "table")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split() == ["code", "invalid-rows"]
    assert "--drop-invalid" in result.stdout or "drop_invalid" in result.stdout


def test_a_code_of_an_error_and_a_warning_has_both_rows():
    rows = json.loads(invoke("explain", "looks-scaled", "--format", "json").stdout)["rows"]
    assert [row["kind"] for row in rows] == ["error", "warning"]


def test_without_a_code_all_are_listed():
    lines = invoke("explain").stdout.splitlines()
    assert len(lines) == sf.codes().height + 1


def test_a_misspelt_code_gets_the_nearest():
    result = invoke("explain", "invalid-row", "--format", "json")
    assert result.exit_code == 2
    error = json.loads(result.stderr)["error"]
    assert (error["code"], "`invalid-rows`" in error["hint"]) == ("unknown-code", True)


def test_the_code_of_every_warning_of_a_fit_is_known():
    points = sf.law("hoffmann-2022").predict({"N": [1e2, 1e3, 1e4] * 3, "D": [1e3] * 3 + [1e4] * 3 + [1e5] * 3})
    findings = sf.fit(points, "chinchilla").diagnostics
    assert findings.height > 3
    assert set(findings["code"]) <= set(sf.codes()["code"])
