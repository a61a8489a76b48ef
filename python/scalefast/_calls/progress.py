"""How far a long call is, on stderr or handed to a function of the caller's.

Stage: while a long call runs, on the thread that waits for it. In: steps done and steps in all, a few times per second. Out:
nothing within the first second; then a bar with count, rate and remaining time on a terminal, else a line now and then.
Stdout is never written to. rich is loaded when the bar is first shown.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from scalefast._base.errors import SettingsError

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["Display", "Pace", "Progress", "check_progress", "display"]

#: None: shown where stderr is a terminal. True, False. A function of (steps done, steps in all; 0 while unknown).
Progress = bool | Callable[[int, int], object] | None

#: Seconds within which nothing is shown: who waits no longer needs no bar.
_QUIET_S = 1.0
#: Seconds between two pictures of the bar, and between two lines where there is no terminal.
_BAR_S, _LINE_S = 0.1, 10.0
#: Seconds over which the rate is taken: steps may become slower or faster as the work goes on.
_WINDOW_S = 30.0
#: Terminals that cannot move the cursor.
_DUMB = ("dumb", "unknown")
#: Held by the one bar of the process: two bars on one terminal would overwrite each other.
_ON_TERMINAL = threading.Lock()


def check_progress(progress: Any) -> None:
    """Raises SettingsError (`bad-progress`) for what is neither None, True, False nor a function."""
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        hint = "None shows it where stderr is a terminal; a function takes (done, total)"
        message = f"progress must be True, False, None or a function; got {progress!r:.60}"
        raise SettingsError(message, code="bad-progress", argument="progress", hint=hint)


class Pace:
    """Rate and remaining time, from the counts of the last half minute.

    >>> pace = Pace(0.0)
    >>> pace.add(2.0, 100)
    >>> pace.rate, pace.remaining(400)
    (50.0, 6.0)
    """

    def __init__(self, begin_s: float) -> None:
        self._seen: deque[tuple[float, int]] = deque([(begin_s, 0)])

    def add(self, now_s: float, done: int) -> None:
        """Counts `done` steps at a moment."""
        self._seen.append((now_s, done))
        while len(self._seen) > 2 and now_s - self._seen[1][0] > _WINDOW_S:
            self._seen.popleft()

    @property
    def rate(self) -> float:
        """Steps per second; 0 while unknown."""
        (begin, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - begin) if end > begin else 0.0

    def remaining(self, total: int) -> float | None:
        """Seconds until `total` steps are done; None while unknown."""
        left = total - self._seen[-1][1]
        return left / self.rate if self.rate > 0 and left >= 0 else None


def in_words(done: int, total: int, pace: Pace) -> str:
    """Count, rate and remaining time: `1,200 of 4,000, 310 per second, 0:00:09 left`."""
    parts = [f"{done:,} of {total:,}" if total else f"{done:,}"]
    if pace.rate > 0:
        parts.append(f"{pace.rate:,.0f} per second" if pace.rate >= 10 else f"{pace.rate:.2g} per second")
    left = pace.remaining(total) if total else None
    if left is not None:
        parts.append(f"{_clock(left)} left")
    return ", ".join(parts)


class Display:
    """Shows nothing; the displays that do show something extend it."""

    def begin(self, label: str) -> None:
        """A stage begins: its steps are counted from 0."""

    def update(self, done: int, total: int) -> None:
        """So many steps are done."""

    def close(self) -> None:
        """The call has ended, well or not."""


class _Told(Display):
    """Hands the counts to a function of the caller's."""

    def __init__(self, report: Callable[[int, int], object]) -> None:
        self._report = report

    def update(self, done: int, total: int) -> None:
        self._report(done, total)


class _Shown(Display):
    """What bar and lines share: the quiet first second, the pace, and how often something is drawn."""

    every_s: float

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = clock()
        self._next = self._begun + _QUIET_S
        self._label, self._pace = "", Pace(self._begun)

    def begin(self, label: str) -> None:
        self._label, self._pace = label, Pace(self._clock())

    def update(self, done: int, total: int) -> None:
        now = self._clock()
        self._pace.add(now, done)
        if now >= self._next:
            self._next = now + self.every_s
            self.draw(done, total)

    def draw(self, done: int, total: int) -> None:
        """Shows the counts."""
        raise NotImplementedError


class _Lines(_Shown):
    """A line now and then, for files and terminals that cannot move the cursor."""

    every_s = _LINE_S

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._stream = stream

    def draw(self, done: int, total: int) -> None:
        self._stream.write(f"{self._label}: {in_words(done, total, self._pace)}\n")
        self._stream.flush()


class _Bar(_Shown):
    """A bar that vanishes at the end."""

    every_s = _BAR_S

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._stream = stream
        self._drawn: tuple[RichProgress, TaskID] | None = None

    def draw(self, done: int, total: int) -> None:
        if self._drawn is None and not self._open():
            return
        assert self._drawn is not None
        bar, task = self._drawn
        words = in_words(done, total, self._pace)
        bar.update(task, description=self._label, completed=done, total=total or None, words=words, refresh=True)

    def _open(self) -> bool:
        if not _ON_TERMINAL.acquire(blocking=False):
            return False
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[words]}"),
            console=Console(file=self._stream, highlight=False, markup=False, emoji=False),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.start()
        self._drawn = (bar, bar.add_task(self._label, total=None, words=""))
        return True

    def close(self) -> None:
        if self._drawn is not None:
            self._drawn[0].stop()
            self._drawn = None
            _ON_TERMINAL.release()


def display(progress: Progress, clock: Callable[[], float] = time.monotonic) -> Display:
    """What shows the progress that `progress` asks for."""
    if callable(progress):
        return _Told(progress)
    stream = sys.stderr
    if progress is False or stream is None:
        return Display()
    if stream.isatty() and os.environ.get("TERM", "").lower() not in _DUMB:
        return _Bar(stream, clock)
    return _Lines(stream, clock) if progress else Display()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
