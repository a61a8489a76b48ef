"""Reads the examples out of a Markdown page and runs them as a reader would.

Stage: test support. In: the text of a page. Out: its fenced blocks with what the page says they print. A `python` block
may be followed at once by a `text` block, its output; a `console` block holds `$ ` commands, each with its output below
it; `...` in an output stands for anything. Blocks of other kinds are not run.
"""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$\n*", re.MULTILINE | re.DOTALL)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WIDTH = 110


@dataclass(frozen=True)
class Example:
    """Something to run and what the page says it prints; None where it says nothing."""

    line: int
    language: str
    source: str
    output: str | None


def examples(page: str) -> list[Example]:
    """The examples of a page in order."""
    found: list[Example] = []
    blocks = list(FENCE.finditer(page))
    for i, block in enumerate(blocks):
        language, body = block.groups()
        line = page.count("\n", 0, block.start()) + 1
        if language == "python":
            follower = blocks[i + 1] if i + 1 < len(blocks) else None
            stated = follower and follower.start() == block.end() and follower.group(1) == "text"
            found.append(Example(line, language, body, follower.group(2) if stated else None))
        elif language == "console":
            for command in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                source, _, output = re.sub(r"\s*\\\n>?\s*", " ", command).partition("\n")
                found.append(Example(line, language, source, output or None))
    return found


def run_python(example: Example, page: Path, namespace: dict[str, object]) -> str:
    """What a block prints; the blocks of a page share their names."""
    # Leading newlines make a traceback point at the page's own line.
    code = compile("\n" * example.line + example.source, str(page), "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


def run_console(example: Example, folder: Path) -> str:
    """What a command prints on a terminal of `WIDTH` columns, without colours."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "COLUMNS": str(WIDTH),
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        example.source, shell=True, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        printed = b""
        # Linux reports the end of a pseudo-terminal as an input/output error.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 65536):
                printed += part
        os.close(ours)
    if process.returncode != 0:
        raise AssertionError(f"`{example.source}` ended with {process.returncode}:\n{printed.decode()}")
    return ESCAPE.sub("", printed.decode()).replace("\r\n", "\n")


def normal(text: str) -> str:
    """Text without what a page cannot show: spaces at line ends, empty lines around."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).strip("\n")


def agrees(stated: str, printed: str) -> bool:
    """Whether a command printed what a page says, where `...` on the page stands for anything."""
    pattern = re.escape(normal(stated)).replace(r"\.\.\.", ".*")
    return re.fullmatch(pattern, normal(printed), re.DOTALL) is not None
