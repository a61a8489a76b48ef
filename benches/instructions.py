"""Counts instructions a row for P1: the objective with gradient and normal matrix, and its transcendental calls alone.

Callgrind counts a whole process, so each program runs with two numbers of repeats and the difference is divided by
the rows between. Valgrind knows AVX2 but not AVX-512.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = 16_384
REPEATS = (2, 12)
KERNEL = "avx2"


def bench_program() -> str:
    """Path of the compiled bench."""
    command = ["cargo", "bench", "--locked", "--package", "scalefast-core", "--bench", "objective_cost", "--no-run"]
    messages = subprocess.run([*command, "--message-format=json"], check=True, capture_output=True, text=True).stdout
    programs = [json.loads(line).get("executable") for line in messages.splitlines()]
    return str(next(p for p in reversed(programs) if p))


def instructions(program: str, only: str, repeats: int) -> int:
    """Instructions of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        output = f"--callgrind-out-file={Path(folder) / 'callgrind.out'}"
        command = ["valgrind", "--tool=callgrind", output, program, "--only", only, "--repeats", str(repeats)]
        environment = os.environ | {"SCALEFAST_KERNEL": KERNEL, "SCALEFAST_NUM_THREADS": "1"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if counted is None:
        raise RuntimeError(f"callgrind printed no count:\n{done.stderr}")
    return int(counted.group(1))


def main() -> int:
    if shutil.which("valgrind") is None:
        print("valgrind is not installed", file=sys.stderr)
        return 1
    program, a_row = bench_program(), {}
    for only in ("objective", "calls"):
        few, many = (instructions(program, only, repeats) for repeats in REPEATS)
        a_row[only] = (many - few) / ((REPEATS[1] - REPEATS[0]) * ROWS)
        print(f"{only}: {a_row[only]:.2f} instructions a row ({KERNEL})")
    print(f"ratio: {a_row['objective'] / a_row['calls']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
