"""P16: a CSV of 1,000 runs to a fit, 1,000 replicates, a sweep and tables, as one line of a shell, against bare imports."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import scalefast as sf
from measure import Row, median_time_s, seconds

SCRIPT = str(Path(sys.executable).with_name("scalefast"))
LIMIT_S = 1.0


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs.csv"
        sf.simulate("hoffmann-2022", sf.Sobol(1000), sf.LogNormal(0.005)).write_csv(runs)
        fit = (
            f"{SCRIPT} fit {runs} --law chinchilla --loss squared --resample 1000 -o law.parquet --force --format table"
        )
        line = f"{fit} && {SCRIPT} sweep --law law.parquet --budget 1e22..1e26:9 --format table"

        def pipeline() -> None:
            subprocess.run(line, shell=True, check=True, cwd=folder, capture_output=True)

        def imports() -> None:
            subprocess.run([sys.executable, "-c", "import polars, numpy"], check=True)

        ours_s, peer_s = median_time_s(pipeline, repeats=7, warm=1), median_time_s(imports, repeats=7, warm=1)
    # Two processes, and so two imports.
    added = ours_s - 2 * peer_s
    return [
        Row(
            task="P16",
            title="CSV of 1,000 runs: fit, 1,000 replicates, sweep, tables",
            ours=seconds(ours_s),
            peer=seconds(2 * peer_s),
            peer_name='python -c "import polars, numpy", twice',
            figure=f"{added:+.3f} s",
            target=f"≤ +{LIMIT_S:.2f} s",
            met=added <= LIMIT_S,
        )
    ]
