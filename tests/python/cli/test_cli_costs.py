"""`scalefast costs`, `shapes`, `overtraining`, `compare`: the library's answers, as typed."""

from __future__ import annotations

import csv
import io
import json

import pytest

import scalefast as sf
from cli_runs import invoke
from reference import close
from scalefast._costs.transformer import COUNTS, POSITIONS
from scalefast.cli import shape_options


def rows_of(*arguments: str) -> list[dict[str, str]]:
    result = invoke(*arguments, "--format", "csv", "--quiet")
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


SHAPE = ("--layers", "80", "--width", "8192", "--heads", "64", "--vocabulary", "32k")


def test_choices_are_those_of_the_library() -> None:
    assert (shape_options.POSITIONS, shape_options.COUNTS) == (POSITIONS, COUNTS)


def test_costs_of_a_shape() -> None:
    rows = rows_of("costs", *SHAPE, "--ungated", "--tied", "--positions", "relative")
    shape = sf.Transformer(
        layers=80, width=8192, heads=64, vocabulary=32000, gated=False, tied=True, positions="relative"
    )
    assert {row["accounting"]: int(row["flops_per_token"]) for row in rows} == {
        name: shape.flops_per_token(name) for name in ("6N", "kaplan", "palm", "chinchilla", "deepseek")
    }


def test_a_budget_under_every_rule() -> None:
    rows = rows_of("costs", *SHAPE, "--budget", "1e23", "--law", "hoffmann-2022")
    best = {row["accounting"]: float(row["L"]) for row in rows}
    plain = sf.sweep("hoffmann-2022", 1e23).summary.row(0, named=True)
    assert close(float(rows[0]["N"]), plain["N"], 1e-12) and close(best["6N"], plain["L"], 1e-12)
    # What counts attention too leaves less for the rest.
    assert min(best, key=lambda name: best[name]) == "6N"
    assert all(row["status"] == "interior" for row in rows)


def test_a_formula_for_other_commands() -> None:
    served = invoke("costs", "--serve", "2T", "--formula", "6N").stdout.strip()
    assert served == sf.lifetime_cost(2e12)
    formula = invoke("costs", *SHAPE, "--formula", "palm").stdout.strip()
    (row,) = rows_of("sweep", "--budget", "1e23", "--law", "hoffmann-2022", "--cost", formula)
    (same,) = (
        row
        for row in rows_of("costs", *SHAPE, "--budget", "1e23", "--law", "hoffmann-2022")
        if row["accounting"] == "palm"
    )
    assert row["N"] == same["N"] and row["D"] == same["D"]
    dollars = invoke("costs", "--serve", "2T", "--formula", "6N", "--mfu", "0.4", "--price", "2", "--peak", "H100-SXM")
    assert dollars.stdout.strip() == sf.lifetime_cost(2e12, mfu=0.4, price=2.0, peak=989.4e12)


def test_a_budget_in_dollars_is_not_called_flops() -> None:
    cost = sf.lifetime_cost(1e12, mfu=0.4, price=2.0, peak=989.4e12)
    for arguments in (("sweep", "--budget", "1e7"), ("solve", "L=1.95")):
        told = invoke(*arguments, "--cost", cost, "--law", "epoch-2024-huber", "--draws", "0").stderr
        assert "outside the data, in training compute by 2." in told


def test_shapes_are_the_library_s() -> None:
    rows = rows_of("shapes", "--size", "6.74B", "--vocabulary", "32k", "--count", "3")
    assert [int(row["parameters"]) for row in rows] == sf.buildable(6.74e9, vocabulary=32000, count=3)[
        "parameters"
    ].to_list()
    assert (rows[0]["layers"], rows[0]["width"], rows[0]["L"]) == ("32", "4096", "")
    table = invoke("shapes", "--budget", "1e23", "--vocabulary", "32001", "--format", "table")
    assert "padded to 32128" in table.stderr and "given up" in table.stdout


def test_overtraining_prints_multiples() -> None:
    rows = rows_of("overtraining", "--budget", "1e23", "--size", "0.5", "--law", "hoffmann-2022", "--law", "epoch-2024")
    assert [f"{float(row['data']):.3f}" for row in rows] == ["2.420", "2.519"]
    result = invoke("overtraining", "--budget", "1e24", "--size", "0.5", "--draws", "50", "--format", "table")
    assert "0.147 of the best size" in result.stderr and "1.260x" in result.stdout


def test_plans_are_compared() -> None:
    rows = rows_of("compare", "C=1e23", "C=1e24", "L=1.0", "--law", "hoffmann-2022")
    assert [row["plan"] for row in rows] == ["1", "2", "3"]
    assert f"{float(rows[1]['N_ratio']):.2f} {float(rows[1]['D_ratio']):.2f}" == "2.86 3.50"
    assert rows[2]["status"] == "infeasible-loss" and rows[2]["N"] == ""
    table = invoke("compare", "N=7B,D=2T", "N=70B,D=200B", "--law", "epoch-2024", "--format", "table", "--quiet")
    assert "-0.01281" in table.stdout and "37.9 %" in table.stdout
    rows = rows_of("compare", "C=1e20", "C=1e21", "--law", "deepseek-llm-2024", "--optimise", "M,D")
    assert float(rows[1]["M_ratio"]) == pytest.approx(10**0.5243)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("costs", "--layers", "80"), "usage"),
        (("costs", *SHAPE, "--formula", "7N"), "unknown-accounting"),
        (("costs", "--layers", "80", "--width", "100", "--heads", "64", "--vocabulary", "32k"), "bad-shape"),
        (("costs", "--formula", "6N", "--mfu", "1.4"), "bad-utilisation"),
        (("costs", "--formula", "6N", "--price", "2"), "missing-setting"),
        (("costs", "--formula", "6N", "--mfu", "0.4", "--price", "2", "--peak", "H100"), "ambiguous-accelerator"),
        (("costs", "--formula", "6N", "--mfu", "0.4", "--price", "2", "--peak", "H1000"), "unknown-accelerator"),
        (("costs", *SHAPE, "--budget", "1e23", "--law", "rule-20-to-1"), "bad-given"),
        (("shapes", "--vocabulary", "32k"), "bad-question"),
        (("shapes", "--vocabulary", "32k", "--budget", "1e23", "--law", "rule-20-to-1"), "no-loss"),
        (("overtraining", "--budget", "1e23", "--law", "rule-20-to-1"), "no-loss"),
        (("shapes", "--size", "7B"), "usage"),
        (("shapes", "--size", "7B", "--vocabulary", "32.5"), "bad-number"),
        (("shapes", "--size", "7B", "--vocabulary", "-3"), "not-positive"),
        (("overtraining", "--budget", "1e24", "--given", "D=20*N"), "contradictory"),
        (("compare", "N=7B,N=8B"), "repeated-name"),
        (("compare", "N=7B", "M=8B"), "unknown-symbol"),
        (("compare", "7B"), "bad-assignment"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], code: str) -> None:
    result = invoke(*arguments, "--format", "json")
    assert result.exit_code == 2
    assert json.loads(result.stderr.splitlines()[-1])["error"]["code"] == code
