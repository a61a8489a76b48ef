"""The bar of a long call on a terminal of its own."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
from pathlib import Path

from cli_runs import SCRIPT
from long_work import ENDLESS, noisy

ERASED, CURSOR_SHOWN = "\x1b[2K", "\x1b[?25h"
BAR = re.compile(r"replicates .*[0-9,]+ of 50,000,000, [0-9,.]+ per second, \d+:\d\d:\d\d left")


def test_a_terminal_shows_the_bar_while_stdout_is_piped(tmp_path: Path) -> None:
    """The bar comes, and goes when the call is ended, and the data are whole."""
    runs = tmp_path / "runs.csv"
    noisy().write_csv(runs)
    leader, follower = pty.openpty()
    arguments = (
        "fit",
        str(runs),
        "--law",
        "chinchilla",
        "--resample",
        f"{ENDLESS}",
        "--on-interrupt",
        "partial",
        "--timeout",
        "120",
    )
    with subprocess.Popen(
        [str(SCRIPT), *arguments],
        stdout=subprocess.PIPE,
        stderr=follower,
        text=True,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "110"},
    ) as running:
        os.close(follower)
        shown, told = b"", False
        # Linux reports the end of a pseudo-terminal as an input/output error.
        with contextlib.suppress(OSError):
            while piece := os.read(leader, 65536):
                shown += piece
                if not told and BAR.search(shown.decode(errors="ignore")):
                    told = True
                    running.send_signal(signal.SIGINT)
        assert running.stdout is not None
        assert running.stdout.read().startswith("parameter,estimate")
    os.close(leader)
    assert told
    assert running.returncode == 130
    text = shown.decode()
    assert CURSOR_SHOWN in text
    assert " per second" not in text.rsplit(ERASED, 1)[1]
