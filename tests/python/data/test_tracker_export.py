"""A raw tracker export of 40 columns goes to a plan as docs/from-tracker-to-plan.md says, which runs as a test too."""

import json

import polars as pl
import pytest

import scalefast as sf
import tracker_export
from cli_runs import invoke

BINDING: tuple[str, ...] = ("--y", "eval/loss", "--col", "N=config.n_params", "--unit", "N=millions")
BINDING += ("--col", "D=train/tokens_b", "--unit", "D=billions")
FIT = ("fit", str(tracker_export.PATH), "--law", "chinchilla", *BINDING)


def test_the_export_is_what_the_tool_writes():
    frame = pl.read_csv(tracker_export.PATH)
    assert frame.width == 40
    assert tracker_export.frame().write_csv() == tracker_export.PATH.read_text(encoding="utf-8")
    assert frame["eval/loss"].null_count() == 1


def test_final_checkpoints_recover_the_law_and_all_of_them_do_not(tmp_path):
    law, biased = str(tmp_path / "law.parquet"), str(tmp_path / "biased.parquet")
    done = ("--where", "State = 'finished'", "--loss", "huber:auto")
    assert invoke(*FIT, *done, "--run", "ID", "--checkpoints", "final", "-o", law).exit_code == 0
    assert invoke(*FIT, *done, "--run", "ID", "--checkpoints", "all", "-o", biased).exit_code == 0
    truth = sf.sweep("hoffmann-2022", 1e23).summary
    found, off = (sf.sweep(path, 1e23).summary for path in (law, biased))
    assert abs(found["N"][0] / truth["N"][0] - 1) < 0.1
    # Three rows of four lie 1.5 % above the law.
    assert abs(found["L"][0] / truth["L"][0] - 1) < 0.004
    assert off["L"][0] / truth["L"][0] - 1 > 0.008
    saved = sf.load(law).law.parameters
    assert saved["alpha"] == pytest.approx(0.339, abs=0.03)
    assert saved["beta"] == pytest.approx(0.285, abs=0.03)


def test_checkpoints_are_noticed_unasked():
    result = invoke(*FIT, "--where", "State = 'finished'")
    assert result.exit_code == 0
    assert "(checkpoints-mixed)" in result.stderr


def test_the_row_without_a_loss_is_counted_and_shown():
    result = invoke(*FIT, "--run", "ID", "--checkpoints", "final", "--format", "json")
    assert result.exit_code == 2
    error = json.loads(result.stderr)["error"]
    assert (error["code"], error["column"]) == ("invalid-rows", "eval/loss")
    assert "1 of 140 rows" in error["message"]


def test_units_left_out_are_noticed():
    scaled = ("--y", "eval/loss", "--col", "N=config.n_params", "--col", "D=train/tokens_b")
    result = invoke(*FIT[:4], *scaled, "--where", "State = 'finished'", "--run", "ID", "--checkpoints", "final")
    assert "(looks-scaled)" in result.stderr


def test_the_export_goes_to_a_plan_by_one_fit_and_one_plan_command(tmp_path):
    law = str(tmp_path / "law.parquet")
    settings = ("--where", "State = 'finished'", "--loss", "huber:auto", "--run", "ID", "--checkpoints", "final")
    assert invoke(*FIT, *settings, "--resample", "100", "-o", law).exit_code == 0
    means = ("--accelerators", "64xH100-SXM", "--days", "90", "--mfu", "0.4")
    planned = invoke("plan", "--law", law, *means, "--format", "json")
    assert planned.exit_code == 0, planned.stderr
    row = json.loads(planned.stdout)["decision"]
    # 64 machines of 989.4 TFLOP/s for 90 days at 40 %.
    compute = 64 * 989.4e12 * 0.4 * 90 * 86400
    assert row["C"] == pytest.approx(compute, rel=1e-9)
    assert 6 * row["N"] * row["D"] == pytest.approx(compute, rel=1e-9)
    truth = sf.sweep("hoffmann-2022", compute).summary.row(0, named=True)
    assert row["N"] == pytest.approx(truth["N"], rel=0.1)
    assert row["L"] == pytest.approx(truth["L"], rel=0.005)
    assert 0 < row["regret_compute"] < 0.02
