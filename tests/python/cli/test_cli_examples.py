"""The examples at the end of every help text run as they stand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cli_page import commands
from cli_runs import SCRIPT, invoke
from documents import words_of

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
def test_the_example_runs(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process where the line is a single command; a shell runs pipes of several."""
    monkeypatch.chdir(tmp_path)
    if words := words_of(line):
        result = invoke(*words)
        code, out, err = result.exit_code, result.stdout, result.stderr
    else:
        path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
        shell = ["bash", "-o", "pipefail", "-c", line]
        done = subprocess.run(shell, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
        code, out, err = done.returncode, done.stdout, done.stderr
    assert code == 0, err
    assert out
    assert "Traceback" not in err
