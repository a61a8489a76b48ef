"""Runs the examples of the documents and writes what they print under them: part of `make docs`.

In: Markdown pages whose `python` blocks may be followed by a `text` block and whose `console` blocks hold `$ ` commands.
Out: the same pages with present output. The tests compare, this writes; look at the difference before committing it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from itertools import zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))

from documents import FENCE, agrees, examples, normal, run_console, run_python

REFERENCE_FILES = ("epoch_chinchilla.csv", "mlfoundations_overtrain.csv", "nist_strd.json")


def console(body: str, folder: Path) -> str:
    """A console block with present output; a command without any on the page stays without."""
    written = ""
    for command in re.split(r"^(?=\$ )", body, flags=re.MULTILINE)[1:]:
        [example] = examples(f"```console\n{command}```\n")
        printed = run_console(example, folder)
        if example.output is None or agrees(example.output, printed):
            written += command
        else:
            written += command.removesuffix(example.output) + f"{normal(printed)}\n"
    return written


def refreshed(path: Path, folder: Path) -> str:
    """A page with present output; its examples run in `folder`."""
    text = path.read_text(encoding="utf-8")
    blocks = list(FENCE.finditer(text))
    namespace: dict[str, object] = {"__name__": "__main__"}
    changes = {}
    for block, follower in zip_longest(blocks, blocks[1:]):
        language, body = block.groups()
        if language == "console":
            changes[block.span(2)] = console(body, folder)
        elif language == "python":
            [example] = examples(f"```python\n{body}```\n")
            printed = run_python(example, path, namespace)
            stated = follower and follower.start() == block.end() and follower.group(1) == "text"
            if stated and not agrees(follower.group(2), printed):
                changes[follower.span(2)] = f"{normal(printed)}\n"
    for (begin, end), new in sorted(changes.items(), reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def refresh(pages: list[Path], reference: Path) -> None:
    """Rewrites the pages."""
    for path in pages:
        with tempfile.TemporaryDirectory() as name:
            tables = (Path(__file__).parents[1] / "docs").glob("*.csv")
            for file in (*tables, *(reference / file for file in REFERENCE_FILES)):
                shutil.copy(file, name)
            with contextlib.chdir(name):
                text = refreshed(path, Path(name))
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    refresh([Path(page).resolve() for page in sys.argv[1:]], Path(os.environ["SCALEFAST_REFERENCE_DATA"]))
