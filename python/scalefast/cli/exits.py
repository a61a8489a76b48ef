"""Exit codes of the program, for whoever ends a run: nothing else is in here, so that every module may read it."""

from __future__ import annotations

__all__ = ["BAD_INPUT", "CHECK_FAILED", "DONE", "INTERRUPTED", "TERMINATED"]

#: Exit codes. The last two are 128 + SIGINT and 128 + SIGTERM, as shells count.
DONE, CHECK_FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
