"""The examples at the end of every help text run as they stand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cli_page import commands
from cli_runs import SCRIPT, invoke

COMMANDS = [name for name, _ in commands()]


def examples_of(command: str) -> list[str]:
    """The lines under the last heading of the help."""
    text = invoke(*command.split(), "--help").stdout
    _, heading, rest = text.rpartition("\n  Examples:\n")
    assert heading, f"the help of {command!r} ends without examples"
    return [line.strip() for line in rest.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_ends_with_two_examples(command: str) -> None:
    lines = examples_of(command)
    assert len(lines) == 2
    assert all(f"scalefast {command}".strip() in line for line in lines)


@pytest.mark.parametrize("line", [line for command in COMMANDS for line in examples_of(command)])
def test_the_example_runs(tmp_path: Path, line: str) -> None:
    path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr
