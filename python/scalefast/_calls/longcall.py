"""A call that may take long: its time limit, its progress, and what ends it early.

Stage: around the core's work, in every function that fits, resamples or allocates. In: a `Running`. Out:
`LongCall`, whose stages the core looks at every 50 ms from the thread that waits. Ends early for Ctrl-C, SIGTERM, the time
limit, a `CancelToken` or a progress function that raises. Loads neither NumPy nor Polars.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from scalefast._calls.cancel import check_cancelled
from scalefast._calls.progress import display
from scalefast._calls.running import Running

if TYPE_CHECKING:
    from scalefast._core import Call

__all__ = ["LongCall"]

#: Errors that end a call early and leave what is finished as it is.
_ENDINGS = ("timeout", "cancelled")


class _Terminated(BaseException):
    """SIGTERM reached a call that has something to put away first."""


class LongCall:
    """The surroundings of one call, as a `with` block; `stage` gives what the core's functions take as `call`.

    `tidy` says that there is something to put away (a temporary file), so that SIGTERM unwinds the call before it ends the
    process; signals then wait for the next look.

    >>> with LongCall(Running(progress=False)) as call:
    ...     watched = call.stage("replicates")
    """

    def __init__(self, running: Running, *, tidy: bool = False) -> None:
        self._display = display(running.progress)
        self._timeout_s = running.timeout_s
        self._partial, self._tidy = running.keeps_parts, tidy
        self._before, self._total = 0, 0
        self._signalled: BaseException | None = None
        self._replaced: dict[signal.Signals, Any] = {}
        self._call: Call | None = None

    def __enter__(self) -> Self:
        from scalefast._core import Call

        check_cancelled()
        self._call = Call(self._timeout_s, self._watch)
        if (self._partial or self._tidy) and threading.current_thread() is threading.main_thread():
            self._catch(signal.SIGTERM, signal.SIG_DFL, _Terminated)
            self._catch(signal.SIGINT, signal.default_int_handler, KeyboardInterrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.close()
        for number, handler in self._replaced.items():
            signal.signal(number, handler)
        if kind is _Terminated:
            # Everything is put away, and the process ends as it would have without us.
            signal.raise_signal(signal.SIGTERM)

    def stage(self, label: str, *, before: int = 0, total: int = 0) -> Call:
        """What the core takes for its next piece of work.

        Where one stage is several calls of the core, `before` is what the earlier ones have done and `total` their sum.
        """
        assert self._call is not None
        self._before, self._total = before, total
        if before == 0:
            self._display.begin(label)
        return self._call

    def keeps(self, stopped: BaseException | None, finished: int) -> bool:
        """Whether the work was stopped and its `finished` steps are kept; raises what stopped it where they are not."""
        if stopped is None:
            return False
        # SystemExit is what a handler of the caller's own makes of SIGTERM, as that of the command line does.
        ending = (
            isinstance(stopped, KeyboardInterrupt | SystemExit | _Terminated)
            or getattr(stopped, "code", None) in _ENDINGS
        )
        if not (self._partial and finished and ending):
            raise stopped
        return True

    def _watch(self, done: int, total: int) -> None:
        """Called by the core; what it raises ends the work."""
        if self._signalled is not None:
            raise self._signalled
        check_cancelled()
        self._display.update(self._before + done, self._total or total)

    def _catch(self, number: signal.Signals, usual: Any, kind: type[BaseException]) -> None:
        """Takes note of a signal that nobody else handles, so that it is noticed between two steps and never in one."""
        if signal.getsignal(number) is not usual:
            return

        def note(received: int, frame: FrameType | None) -> None:
            if self._signalled is not None:
                # Asked twice: do not wait for the next look.
                raise kind
            self._signalled = kind()

        self._replaced[number] = signal.signal(number, note)
