"""Runs the command line in tests: in this process (quick), or as a process of its own (signals, pipes, exit codes)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner, Result

from scalefast.cli.program import program

SCRIPT = Path(sys.executable).with_name("scalefast")


def invoke(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """One command in this process; stdout is not a terminal. Any exception that the program lets through is raised."""
    result = CliRunner().invoke(program, list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def process(*arguments: str, environment: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
    """The installed script as a process with pipes."""
    return subprocess.Popen(
        [str(SCRIPT), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        **options,
    )


def read_until(stream: IO[str], beginning: str) -> str:
    """The lines of a stream up to the first that begins so; fails where the stream ends before."""
    text = ""
    for line in stream:
        text += line
        if line.startswith(beginning):
            return text
    raise AssertionError(f"no line begins with {beginning!r} in:\n{text}")


def cpu_seconds(run: subprocess.Popen[str]) -> float:
    """Processor time that a running process has used, all of its threads together."""
    # The name of the program, in brackets, may hold blanks.
    fields = Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ended_after(run: subprocess.Popen[str], number: signal.Signals) -> tuple[float, str, str]:
    """Sends a signal: the processor time that the process still uses, and the rest of its stdout and stderr.

    Processor time is that of the process whatever else the machine does, which the time on the clock is not.
    """
    waited, used = children_seconds(), cpu_seconds(run)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    return children_seconds() - waited - used, out, err


def children_seconds() -> float:
    """Processor time of the ended children of this process."""
    times = os.times()
    return times.children_user + times.children_system
