"""Entry point of the `scalefast` script: signals first, then the program.

Importing the program takes a tenth of a second, in which Ctrl-C would show a traceback of the import; so until the
program has taken over, an interrupt just ends the process with 130.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from .exits import INTERRUPTED, TERMINATED

#: Streams of the process, in the order of their numbers, and how each is used.
STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}


def main() -> None:
    """Run the command line of this process."""
    for name, mode in STREAMS.items():
        if getattr(sys, name) is None:
            # Started with the stream closed (`>&-`): there is nothing to read, or nobody to write to.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (for the whole process)
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, terminate)
    from .program import program

    # A column's name that the terminal's encoding lacks is not a reason to fail.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        program()
    finally:
        # Everything is written: while the interpreter shuts down, a signal would only hide the exit code.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Around what writes several files: an interrupt waits until all of them are there; asked twice, it does not."""
    if threading.current_thread() is not threading.main_thread():
        # Signals belong to the main thread.
        yield
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def wait(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, usual[signal.Signals(number)])

    for number in usual:
        signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def leave(_signal: int, _frame: FrameType | None) -> None:
    """End at once: nothing has been opened yet."""
    os._exit(INTERRUPTED)


def terminate(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the run as an exception does, so that temporary files are removed."""
    raise SystemExit(TERMINATED)
