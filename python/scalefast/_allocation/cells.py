"""The cells of a sweep: scenarios times budgets, asked of the core a piece at a time.

Stage: between a sweep and its questions. In: `S` scenarios, `B` budgets, and for each group of scenarios a question. Out:
columns of one entry per cell, in the order of scenarios, then budgets; allocations go to a sink as they are found. A cell's
bytes do not depend on the pieces: they bound the memory, and what an early end loses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scalefast._allocation.scenarios import Scenarios
from scalefast._allocation.sinks import ROWS_A_PART, Sink, allocations_of
from scalefast._base.statuses import NOT_REACHED
from scalefast._calls.longcall import LongCall
from scalefast._core import Call
from scalefast._data.frames import FloatArray

__all__ = ["Ask", "CellRun", "Cells"]

#: Asks the core at some targets, with the columns of what is pinned: (targets, columns, call) to what it found.
Ask = Callable[[FloatArray, Mapping[str, FloatArray], Call], Mapping[str, Any]]
#: Allocations of the first piece where an early end must keep what is finished, and seconds that a piece should take.
_FIRST_PIECE, _PIECE_S = 1 << 20, 1.0
_QUANTITIES = ("first", "second", "ratio", "loss")


@dataclass(frozen=True, eq=False)
class Cells:
    """Scenarios times budgets: the budget in FLOPs and the row of the scenario of each cell, `B·S` entries."""

    budgets: FloatArray
    scenario: NDArray[np.intp]
    scenarios: Scenarios | None

    @classmethod
    def of(cls, budgets: FloatArray | None, scenarios: Scenarios | None) -> Cells:
        """Each budget in each scenario; scenarios with budgets of their own have one cell each."""
        rows = 1 if scenarios is None else scenarios.frame.height
        if budgets is None:
            assert scenarios is not None and scenarios.budgets is not None
            return cls(scenarios.budgets, np.arange(rows), scenarios)
        return cls(np.tile(budgets, rows), np.repeat(np.arange(rows), len(budgets)), scenarios)

    def keys(self, at: NDArray[np.intp]) -> pl.DataFrame:
        """What tells some cells apart: `scenario`, where there are scenarios, and C."""
        number = [] if self.scenarios is None else [pl.Series("scenario", self.scenario[at], dtype=pl.Int64)]
        return pl.DataFrame([*number, pl.Series("C", self.budgets[at])])

    def described(self, left_out: Iterable[str]) -> pl.DataFrame:
        """The same for all cells, with the scenarios' own columns between both."""
        keys = self.keys(np.arange(len(self.budgets)))
        if self.scenarios is None:
            return keys
        own = self.scenarios.frame.drop(left_out, strict=False)[self.scenario]
        return pl.DataFrame([keys["scenario"], *own, keys["C"]])


class CellRun:
    """Asks for all cells, law by law."""

    def __init__(
        self,
        cells: Cells,
        call: LongCall,
        quantiles: Sequence[float],
        optimise: tuple[str, str],
        *,
        partial: bool,
        sink: Sink | None,
    ) -> None:
        self._cells, self._call, self._sink = cells, call, sink
        self._quantiles, self._optimise = quantiles, optimise
        self._partial = partial
        self._finished, self._stopped = 0, False

    @property
    def keeps(self) -> bool:
        """Whether every allocation is wanted."""
        return self._sink is not None

    def ask(
        self, name: str, questions: Iterable[tuple[NDArray[np.intp], Mapping[str, FloatArray], Ask]], draws: int
    ) -> dict[str, Any]:
        """Columns of one law. A question comes with the scenarios that it is asked for, and their pinned numbers."""
        count = len(self._cells.budgets)
        found = self._nothing(count)
        done = 0
        for rows, pinned, ask in questions:
            where = np.flatnonzero(np.isin(self._cells.scenario, rows))
            place = np.searchsorted(rows, self._cells.scenario[where])
            begin, size = 0, self._first_piece(len(where), draws)
            while begin < len(where) and not self._stopped:
                at, of = where[begin : begin + size], place[begin : begin + size]
                started = time.monotonic()
                stage = self._call.stage(name, before=done, total=count)
                try:
                    columns = ask(self._cells.budgets[at], {key: values[of] for key, values in pinned.items()}, stage)
                except BaseException as stopped:
                    if not self._call.keeps(stopped, self._finished):
                        raise
                    self._stopped = True
                    break
                self._take(found, at, columns, name, draws)
                begin += len(at)
                done += len(at)
                self._finished += len(at)
                size = self._next_piece(size, time.monotonic() - started)
        return found

    def _nothing(self, count: int) -> dict[str, Any]:
        empty = {name: np.full(count, np.nan) for name in _QUANTITIES}
        quantiles = {
            f"{name}_quantiles": [np.full(count, np.nan) for _ in self._quantiles] for name in (*_QUANTITIES, "plan")
        }
        status = np.full(count, NOT_REACHED, dtype=object)
        return {**empty, **quantiles, "status": status, "solved_draws": np.zeros(count, dtype=np.int64)}

    def _take(
        self, found: dict[str, Any], at: NDArray[np.intp], columns: Mapping[str, Any], name: str, draws: int
    ) -> None:
        for key, values in found.items():
            if key.endswith("_quantiles"):
                for column, part in zip(values, columns.get(key, ()), strict=False):
                    column[at] = part
            elif key in columns:
                values[at] = columns[key]
        if self._sink is not None:
            frame = allocations_of(name, self._cells.keys(at), columns, self._optimise, draws)
            for piece in frame.iter_slices(ROWS_A_PART):
                self._sink.add(piece)

    def _first_piece(self, cells: int, draws: int) -> int:
        """Cells of the first piece."""
        if self._sink is not None:
            return max(1, ROWS_A_PART // max(draws, 1))
        return max(1, _FIRST_PIECE // max(draws, 1)) if self._partial else max(cells, 1)

    def _next_piece(self, size: int, took: float) -> int:
        """Cells of the next piece: memory sets those that are kept, time the others."""
        if self._sink is not None or not self._partial:
            return size
        return max(1, min(4 * size, round(size * _PIECE_S / max(took, 1e-6))))
