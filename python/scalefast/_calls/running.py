"""How a call runs, as one value: it changes nothing in what the call finds.

Stage: from the arguments of every public function that may take long to the core. In: threads, progress, time limit, what an
interruption keeps. Out: `Running`, checked. Loads neither NumPy nor Polars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from scalefast._base.errors import SettingsError
from scalefast._base.wording import Advice, Argument
from scalefast._calls.progress import Progress, check_progress

__all__ = ["OnInterrupt", "Running"]

OnInterrupt = Literal["raise", "partial"]


@dataclass(frozen=True)
class Running:
    """How a call runs.

    Attributes
    ----------
    threads: at most so many; None takes the processors at hand.
    progress: see `Progress`.
    timeout_s: seconds after which the call ends early, or None.
    on_interrupt: `raise`, or `partial` to keep what is finished when the call is ended early.

    Raises SettingsError: `bad-threads`, `bad-progress`, `bad-timeout`, `bad-interrupt`.

    >>> Running(threads=2).keeps_parts
    False
    """

    threads: int | None = None
    progress: Progress = None
    timeout_s: float | None = None
    on_interrupt: OnInterrupt = "raise"

    def __post_init__(self) -> None:
        _check_threads(self.threads)
        check_progress(self.progress)
        _check_timeout(self.timeout_s)
        if self.on_interrupt not in ("raise", "partial"):
            message = f"on_interrupt must be `raise` or `partial`; got {self.on_interrupt!r:.60}"
            hint = "`partial` keeps what is finished"
            raise SettingsError(message, code="bad-interrupt", argument="on_interrupt", hint=hint)

    @property
    def keeps_parts(self) -> bool:
        """Whether what is finished is kept when the call is ended early."""
        return self.on_interrupt == "partial"


def _check_threads(threads: Any) -> None:
    whole = isinstance(threads, int) and not isinstance(threads, bool)
    if threads is not None and not (whole and threads >= 1):
        message = f"threads must be a whole number from 1; got {threads!r:.40}"
        hint = Advice(Argument("threads", 2), "; without it, the processors at hand")
        raise SettingsError(message, code="bad-threads", argument="threads", limit=1.0, hint=hint)


def _check_timeout(timeout_s: Any) -> None:
    if timeout_s is not None and not (isinstance(timeout_s, int | float) and timeout_s > 0):
        message = f"timeout_s must be above zero; got {timeout_s!r:.40}"
        value = float(timeout_s) if isinstance(timeout_s, int | float) else None
        raise SettingsError(message, code="bad-timeout", argument="timeout_s", value=value, limit=0.0)
