"""P1: the cost of an evaluation of the two-term law, against its three transcendental calls alone. Measured in Rust."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from measure import Row

ROOT = Path(__file__).parents[2]


def run() -> list[Row]:
    command = ["cargo", "bench", "--quiet", "--locked", "--package", "scalefast-core", "--bench", "objective_cost"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    measured = json.loads(output.strip().splitlines()[-1])
    ratio = measured["objective_ns"] / measured["calls_ns"]
    return [
        Row(
            task="P1",
            title=f"log-Huber objective, gradient and normal matrix, {measured['rows']} rows, 1 thread",
            ours=f"{measured['objective_ns']:.2f} ns a row",
            peer=f"{measured['calls_ns']:.2f} ns a row",
            peer_name="its two exp and one log alone, same kernel",
            figure=f"{ratio:.2f}×",
            target="≤ 2.5× (moonshot 1.8×)",
            met=ratio <= 2.5,
            notes=(f"kernel {measured['kernel']}, blocks of {measured['block']} rows; `make instructions` counts",),
        )
    ]
