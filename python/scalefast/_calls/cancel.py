"""`CancelToken`: ends long calls from another thread, where Ctrl-C does not reach.

Stage: around every long call. In: nothing. Out: a token that one thread enters and any thread cancels. Tokens are found
through the context (`contextvars`), so no call takes one as an argument. Loads neither NumPy nor Polars.
"""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Self

from scalefast._base.errors import ScalefastError

__all__ = ["CancelToken", "check_cancelled"]

#: The tokens that hold where a call is made, outermost first.
_HELD: ContextVar[tuple[CancelToken, ...]] = ContextVar("scalefast_cancel_tokens", default=())


class CancelToken:
    """Ends the calls made inside its `with` block when any thread cancels it.

    A call that is ended raises ScalefastError (`cancelled`), or keeps what is finished where `on_interrupt="partial"` says
    so. One token may be entered by several threads; tasks started by `asyncio.to_thread` inside the block are in it too.

    >>> import scalefast as sf
    >>> token = sf.CancelToken()
    >>> token.cancel()
    >>> with token:
    ...     sf.sweep("hoffmann-2022", budget=1e24)
    Traceback (most recent call last):
    scalefast._base.errors.ScalefastError: cancelled
    """

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        """Ends the calls in work within about 50 ms, and every later one at its start."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def __enter__(self) -> Self:
        _HELD.set((*_HELD.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _HELD.set(_HELD.get()[:-1])

    def __repr__(self) -> str:
        return f"CancelToken({'cancelled' if self._cancelled else 'not cancelled'})"


def check_cancelled() -> None:
    """Raises ScalefastError (`cancelled`) where a token that holds here was cancelled."""
    if any(token.cancelled for token in _HELD.get()):
        raise ScalefastError("cancelled", code="cancelled")
