"""Whether two checkouts write the same bytes: tables, JSON, Parquet files and manifests of a dozen commands, and frames.

In: two folders that hold the package `scalefast` with its extension. Out: what differs; exit code 1 where anything does.
`python tools/compare_outputs.py OLD/python NEW/python`
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = "predict hoffmann-2022 --at N=1e8..1e10:6 --at D=1e9..1e12:6 --format csv -o runs.csv"
#: Commands in order, each in the same folder: later ones read what earlier ones wrote.
COMMANDS = (
    RUNS,
    "simulate hoffmann-2022 --isoflop 1e19..1e21:5 --sizes 7 --noise log-normal:0.01 --seed 3 --format csv -o noisy.csv",
    "fit noisy.csv --law chinchilla --resample 200 --seed 1 -o law.parquet --residuals rows.parquet "
    "--manifest fit.json --format json",
    "fit noisy.csv --law chinchilla --loss squared --resample jackknife --influence out.parquet -o law.toml --format csv",
    "fit runs.csv --law power-offset --by D --col x=N --errors independent --format ndjson",
    "fit noisy.csv --repeat fit.json --format json",
    "sweep --budget 1e20..1e26:7 --format json --manifest sweep.json",
    "sweep --law law.parquet --budget 1e22 --format csv",
    "sweep --repeat sweep.json --format parquet -o sweep.parquet",
    "plan --dollars 10M --accelerators 100xH100-SXM --days 30 --served-tokens 1T --format json --manifest plan.json",
    "solve L=2.0 N=7B --law hoffmann-2022 --law epoch-2024 --format json",
    "compare C=1e23 C=1e24 --law hoffmann-2022 --law epoch-2024 --format csv",
    "costs --layers 32 --width 4096 --heads 32 --vocabulary 32000 --budget 1e23 --format csv",
    "shapes --size 7B --vocabulary 32000 --format json",
    "overtraining --law hoffmann-2022 --budget 1e22 --format csv",
    "laws --format json",
    "laws check chinchilla --format csv",
    "accelerators --format csv",
    "explain bad-grid",
)


def outputs(package: Path, folder: Path) -> dict[str, str]:
    """What every command wrote under one checkout, by a digest: stdout, stderr, exit code, then the files."""
    environment = {**os.environ, "PYTHONPATH": str(package.resolve())}
    found = {}
    start = "import sys; from scalefast.cli.app import main; sys.argv[0] = 'scalefast'; main()"
    for command in COMMANDS:
        call = [sys.executable, "-c", start, *command.split()]
        done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, check=False)
        shown = done.stderr.decode() if done.returncode else ""
        print(f"{done.returncode} {command[:100]} {shown[:200]}", file=sys.stderr)
        for name, content in (("stdout", done.stdout), ("stderr", done.stderr), ("exit", bytes([done.returncode]))):
            found[f"{name} of {command}"] = hashlib.sha256(content).hexdigest()
    for path in sorted(folder.iterdir()):
        found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def main(packages: list[Path]) -> int:
    """Compare, name what differs, and give the exit code."""
    results = []
    for package in packages:
        with tempfile.TemporaryDirectory() as folder:
            results.append(outputs(package, Path(folder)))
    old, new = results
    different = [name for name in old.keys() | new.keys() if old.get(name) != new.get(name)]
    print("\n".join(sorted(different)) or f"{len(old)} outputs are the same, byte for byte")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:3]]))
