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
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from scalefast.cli.program import program

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$\n*", re.MULTILINE | re.DOTALL)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WIDTH = 110
#: LINES is emptied because pytest-xdist sets it for its workers, and with it a dumb terminal would be as wide as COLUMNS.
ENVIRONMENT = {"COLUMNS": str(WIDTH), "LINES": "", "NO_COLOR": "1", "TERM": "dumb"}


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
            stated = None
            if follower and follower.start() == block.end() and follower.group(1) == "text":
                stated = follower.group(2)
            found.append(Example(line, language, body, stated))
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
    """What a command prints on a terminal of `WIDTH` columns, without colours.

    A `scalefast` command without anything for a shell runs in this process, which spares it the imports.
    """
    words = words_of(example.source)
    ours, theirs = pty.openpty()
    # A terminal holds a few kilobytes: what is printed is read while the command runs.
    with ThreadPoolExecutor(1) as reader:
        shown = reader.submit(read_all, ours)
        try:
            code = run_here(words, folder, theirs) if words else run_shell(example.source, folder, theirs)
        finally:
            os.close(theirs)
            printed = shown.result().decode()
            os.close(ours)
    if code != 0:
        raise AssertionError(f"`{example.source}` ended with {code}:\n{printed}")
    return ESCAPE.sub("", printed).replace("\r\n", "\n")


def words_of(source: str) -> list[str]:
    """The arguments of a single `scalefast` command; none where the line needs a shell."""
    lexer = shlex.shlex(source, posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "", True
    name, *words = list(lexer) or [""]
    for_a_shell = any(word and set(word) <= set("();<>|&") for word in words) or set(source) & set("$`")
    return [] if name != "scalefast" or for_a_shell else words


def run_here(words: list[str], folder: Path, terminal: int) -> int:
    """The exit code of a command of scalefast that runs in this process, its streams on the terminal."""
    with (
        open(os.dup(terminal), encoding="utf-8") as stdin,
        open(os.dup(terminal), "w", encoding="utf-8", buffering=1) as stdout,
        mock.patch.multiple(sys, stdin=stdin, stdout=stdout, stderr=stdout),
        mock.patch.dict(os.environ, ENVIRONMENT),
        contextlib.chdir(folder),
    ):
        try:
            program(words, prog_name="scalefast")
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def run_shell(source: str, folder: Path, terminal: int) -> int:
    """The exit code of a line that a shell runs on the terminal."""
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, **ENVIRONMENT, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run(
        source, shell=True, cwd=folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, check=False
    ).returncode


def read_all(terminal: int) -> bytes:
    """What is written to a terminal until its last writer closes it."""
    text = b""
    # Linux reports the end of a pseudo-terminal as an input/output error.
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            text += part
    return text


def normal(text: str) -> str:
    """Text without what a page cannot show: spaces at line ends, empty lines around."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).strip("\n")


def agrees(stated: str, printed: str) -> bool:
    """Whether a command printed what a page says, where `...` on the page stands for anything."""
    pattern = re.escape(normal(stated)).replace(r"\.\.\.", ".*")
    return re.fullmatch(pattern, normal(printed), re.DOTALL) is not None
