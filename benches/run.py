"""Times scalefast against its peers and prints one table: `make bench`, or `make bench BENCH="P3 P13"` for some.

A task that cannot run is named with its reason and the exit code is 1; the other tasks still run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import traceback
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import scalefast as sf
from measure import THREADS, Row, cpu_count, cpu_name
from scalefast import _core

TASKS = {
    "P1": "kernel_cost",
    "P2": "all_starts",
    "P3": "global_fit",
    "P4": "bootstrap",
    "P5": "million_rows",
    "P6": "many_groups",
    "P7": "closed_form_sweep",
    "P8": "numeric_allocation",
    "P9": "prediction",
    "P10": "start_up",
    "P11": "memory",
    "P12": "scaling",
    "P13": "unseen_laws",
    "P14": "study",
    "P16": "shell_pipeline",
}
PEERS = ("numpy", "scipy", "polars", "click")


def machine() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "cpu": cpu_name(),
        "processors": str(cpu_count()),
        "threads": str(THREADS),
        "BLAS threads of the peers": os.environ.get("OPENBLAS_NUM_THREADS", "all"),
        "kernel": _core.kernel(),
        "python": platform.python_version(),
        "scalefast": sf.__version__,
    } | {name: metadata.version(name) for name in PEERS}


def table(rows: list[Row]) -> Table:
    """The printed form; notes stand below it."""
    result = Table(show_lines=True)
    for heading in ("task", "what", "ours", "peer", "figure", "target", "objective: ours, peer", "success", "verdict"):
        result.add_column(heading)
    for row in rows:
        objective = "" if row.objective is None else f"{row.objective:.13g}"
        if row.peer_objective is not None:
            objective += f"\n{row.peer_objective:.13g}"
        peer = f"{row.peer}\n{row.peer_name}"
        cells = (row.task, row.title, row.ours, peer, row.figure, row.target, objective, row.success, row.verdict)
        result.add_row(*cells)
    return result


def page(rows: list[Row], failed: list[str]) -> str:
    """The table as Markdown."""
    text = '# Speed\n\nWritten by `make bench BENCH="--markdown docs/speed.md"`. Every figure is against a peer timed in the '
    text += "same run;\na fit that does not reach its peer's objective is void.\n\n"
    text += "\n".join(f"- {key}: {value}" for key, value in machine().items()) + "\n\n"
    text += "| task | what | ours | peer | figure | target | objective: ours, peer | success | verdict |\n"
    text += "|---|---|---|---|---|---|---|---|---|\n"
    for row in rows:
        objectives = [f"{value:.13g}" for value in (row.objective, row.peer_objective) if value is not None]
        peer = f"{row.peer}: {row.peer_name}"
        cells = [row.task, f"`{row.title}`" if "**" in row.title else row.title, row.ours, peer, row.figure, row.target]
        cells += [", ".join(objectives), row.success, row.verdict]
        text += "| " + " | ".join(cells) + " |\n"
    notes = [f"- {row.task}, {row.title}: {note}." for row in rows for note in row.notes]
    return text + "\n" + "\n".join([*notes, *(f"- {line}." for line in failed)]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"some of {', '.join(TASKS)}; default: all")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--markdown", type=Path, help="also write the table as a page to this file")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.tasks) - set(TASKS))
    if unknown:
        parser.error(f"no such task: {', '.join(unknown)}; there are {', '.join(TASKS)}")
    rows, failed = [], []
    for task, module in TASKS.items():
        if arguments.tasks and task not in arguments.tasks:
            continue
        print(f"{task} …", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"tasks.{module}").run()
        except Exception as error:  # noqa: BLE001 - one task must not end the others; it is reported below
            traceback.print_exc()
            failed.append(f"{task} did not run: {type(error).__name__}: {error}")
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print("  ".join(f"{key}: {value}" for key, value in machine().items()), highlight=False)
    console.print(table(rows))
    for row in rows:
        for note in row.notes:
            console.print(f"{row.task} {row.title}: {note}", highlight=False)
    for line in failed:
        console.print(line, highlight=False)
    if arguments.json:
        record = {"machine": machine(), "rows": [asdict(row) | {"verdict": row.verdict} for row in rows]}
        arguments.json.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.write_text(page(rows, failed), encoding="utf-8")
    return 1 if failed or any(row.void for row in rows) else 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main())
