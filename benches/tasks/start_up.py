"""P10: the time until the command line answers, against what Python needs for its libraries alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from measure import Row, median_time_s, seconds

SCRIPT = str(Path(sys.executable).with_name("scalefast"))


def _time_s(*command: str) -> float:
    return median_time_s(
        lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        repeats=11,
        warm=2,
    )


def _row(title: str, ours: list[str], imports: str, limit_s: float) -> Row:
    ours_s, peer_s = _time_s(SCRIPT, *ours), _time_s(sys.executable, "-c", f"import {imports}")
    added = ours_s - peer_s
    return Row(
        task="P10",
        title=title,
        ours=seconds(ours_s),
        peer=seconds(peer_s),
        peer_name=f'python -c "import {imports}"',
        figure=f"{added:+.3f} s",
        target=f"≤ +{limit_s:.2f} s",
        met=added <= limit_s,
    )


def run() -> list[Row]:
    return [
        _row("scalefast --help", ["--help"], "click", 0.10),
        _row("scalefast sweep --budget 1e24", ["sweep", "--budget", "1e24"], "polars, numpy", 0.25),
    ]
