"""Runs the command line in tests: in this process (quick), or as a process of its own (signals, pipes, exit codes)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
