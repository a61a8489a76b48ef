"""Ctrl-C and SIGTERM end a long call at once, which is measured in processor time."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from cli_runs import ended_after, process, read_until

#: Processor seconds within which a call ends: the core looks for signals every 50 ms.
PROMPT_S = 1.0


def test_ctrl_c_ends_a_long_fit_promptly() -> None:
    code = """
import numpy as np, scalefast as sf
random = np.random.default_rng(0)
rows = {"N": random.uniform(1e8, 1e10, 3_000_000), "D": random.uniform(1e9, 1e12, 3_000_000)}
rows["L"] = random.uniform(2.0, 3.0, 3_000_000)
formula, begun = "E + A/N**a + B/D**b + F/(N**c*D**d) + G*exp(-N/h)*exp(-D/k)", []
def told(done, total):
    if not begun:
        print("begun", flush=True)
        begun.append(True)
try:
    sf.fit(rows, formula, loss=sf.Huber(1e-3), residual="log", progress=told)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert read_until(run.stdout, "begun") == "begun\n"
        seconds, rest, _ = ended_after(run, signal.SIGINT)
    assert rest == "interrupted\n" and run.returncode == 0
    assert seconds < PROMPT_S


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_long_fit_ends_promptly_when_interrupted(tmp_path: Path, signal_number: signal.Signals) -> None:
    frame = pl.DataFrame({"N": [1e8 * 1.01**i for i in range(1000)]})
    frame = frame.join(pl.DataFrame({"D": [1e9 * 1.01**i for i in range(1000)]}), how="cross")
    frame = frame.with_columns(
        loss=1.7 + 400 / pl.col("N") ** 0.34 + 400 / pl.col("D") ** 0.28 + pl.col("N").sin() / 50
    )
    path, law = tmp_path / "many.parquet", tmp_path / "law.parquet"
    frame.write_parquet(path)
    formula = "E + (A/N**a + B/D**b)**g + F/(N**c*D**d)"
    arguments = ("fit", str(path), "--law", formula, "--loss", "huber:1e-3", "-o", str(law), "--progress")
    with process(*arguments) as run:
        assert run.stderr is not None
        read_until(run.stderr, "starts: ")
        seconds, stdout, stderr = ended_after(run, signal_number)
    assert run.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[signal_number]
    assert seconds < PROMPT_S
    assert stdout == ""
    assert "Traceback" not in stderr
    assert list(tmp_path.iterdir()) == [path]
