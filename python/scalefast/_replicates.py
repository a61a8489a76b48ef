"""Replicates of a fit: draws of its parameters, intervals from them, and what each row or run does to it.

Stage: after a fit, where it asks for resampling. In: the fit's rows, problem and result, a `Bootstrap` or `Jackknife`.
Out: `Replicates`, whose frame has one row a replicate. All arithmetic is the core's.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast import _core
from scalefast._errors import SettingsError
from scalefast._longcall import LongCall
from scalefast._resampling import Bootstrap, Jackknife
from scalefast._rows import Rows
from scalefast._runs import codes

if TYPE_CHECKING:
    from scalefast._frames import FloatArray
    from scalefast._spec import FitSpec

__all__ = ["Replicates", "run_replicates"]

_LOG = logging.getLogger("scalefast")

#: Statuses of a replicate whose parameters count.
USABLE = ("converged", "at-bound")


@dataclass(frozen=True, eq=False)
class Replicates:
    """The replicates of one fit.

    Attributes
    ----------
    draws: one row a replicate: replicate, parameters, objective, status, moved.
    left_out: the same with each unit left out, where the interval needs it.
    labels: the value of each unit, in the order of the numbers; None for rows.
    units: how many units there are. clustered: whether they are more than single rows.
    wanted: how many replicates were asked for; fewer draws mean that an interruption kept what was finished.
    """

    settings: Bootstrap | Jackknife
    parameters: tuple[str, ...]
    draws: pl.DataFrame
    left_out: pl.DataFrame | None
    labels: pl.Series | None
    units: int
    clustered: bool
    wanted: int = 0

    @property
    def method(self) -> str:
        """What `interval_method` says, such as `pairs-percentile`."""
        if isinstance(self.settings, Jackknife):
            return "jackknife-normal"
        return f"{self.settings.scheme}-{self.settings.interval}"

    @property
    def first_missing(self) -> int:
        """The first number without a draw: an interruption may have caught a few that later ones have overtaken."""
        first = (self.settings.numbers or (0, 0))[0] if isinstance(self.settings, Bootstrap) else 0
        numbers = self.draws["replicate"].to_numpy()
        gaps = np.flatnonzero(numbers != np.arange(first, first + len(numbers)))
        return first + int(gaps[0] if len(gaps) else len(numbers))

    @property
    def usable(self) -> pl.DataFrame:
        """The parameters of the replicates that converged, also at a bound."""
        return _usable(self.draws).select(self.parameters)

    @property
    def for_law(self) -> pl.DataFrame | None:
        """Draws that describe the uncertainty of the law as they stand; a jackknife's and a fraction's lie too close."""
        return self.usable if isinstance(self.settings, Bootstrap) and self.settings.fraction is None else None

    def of_parameters(self, values: Mapping[str, float], level: float) -> dict[str, Any]:
        """Standard errors and intervals of all parameters."""
        return self._spread(values, list(self.parameters), None, level)

    def of_formula(self, system: _core.System, values: Mapping[str, float], level: float) -> dict[str, Any]:
        """The same for the first output of a system of formulas of the parameters."""
        return self._spread(values, [system.outputs()[0]], system, level)

    def _spread(
        self, values: Mapping[str, float], names: list[str], system: _core.System | None, level: float
    ) -> dict[str, Any]:
        def columns(frame: pl.DataFrame) -> list[FloatArray]:
            arrays = {name: np.ascontiguousarray(frame[name].to_numpy()) for name in self.parameters}
            if system is None:
                return [arrays[name] for name in names]
            used = {name: arrays[name] for name in system.symbols()}
            return [_filled(system.evaluate(used, {})[names[0]], frame.height)]

        point = (
            [values[name] for name in names]
            if system is None
            else [float(system.evaluate({}, {name: values[name] for name in system.symbols()})[names[0]][0])]
        )
        found = self.usable
        if isinstance(self.settings, Bootstrap) and self.settings.interval == "bca" and self.left_out is not None:
            left = columns(_usable(self.left_out))
            return dict(_core.intervals("bca", level, point, columns(found), left, self._scale(found.height)))
        kind = "normal" if isinstance(self.settings, Jackknife) else self.settings.interval
        return dict(_core.intervals(kind, level, point, columns(found), None, self._scale(found.height)))

    @property
    def scale(self) -> float:
        """What the distance of a draw from the estimate is multiplied by."""
        return self._scale(self.usable.height)

    def _scale(self, n: int) -> float:
        """What the spread of the draws is multiplied by to be that of the estimate."""
        if isinstance(self.settings, Jackknife):
            # The variance of the jackknife is (n - 1)/n times the sum of squares.
            return (n - 1) / math.sqrt(n) if n else 1.0
        share = self.settings.fraction
        return 1.0 if share is None else math.sqrt(share / (1 - share))


def run_replicates(
    spec: FitSpec,
    rows: Rows,
    problem: _core.Problem,
    result: _core.FitResult,
    parameters: Sequence[str],
    call: LongCall,
) -> Replicates:
    """Fits the replicates that `spec.resample` asks for.

    Raises SettingsError (`bad-resample`, `weights-shape`, `index-out-of-range`, `cluster-spans-strata`, `too-few-units`,
    `replicate-range`), DataError (`unknown-column`, `null-run`).
    """
    settings = spec.resample
    assert settings is not None
    if isinstance(settings, Bootstrap):
        column, argument = settings.cluster or (None if settings.scheme in _ROWWISE else spec.run), "cluster"
    else:
        column, argument = settings.by or spec.run, "by"
    units = None if column is None else codes(rows.frame, column, argument)
    labels = None if column is None else rows.frame[column].unique().sort()
    strata = None
    if isinstance(settings, Bootstrap) and settings.strata is not None:
        strata = codes(rows.frame, settings.strata, "strata")

    count = rows.frame.height if units is None else int(units.max()) + 1

    def run(kind: str, numbers: tuple[int, int] | None, search: str, units: Any = units, **given: Any) -> pl.DataFrame:
        found = _core.resample(
            problem,
            result,
            kind,
            given.get("fraction"),
            given.get("weights"),
            given.get("indices"),
            units,
            strata if kind != "jackknife" else None,
            spec.seed,
            numbers,
            (search == "global", spec.starts is None),
            call.stage("left out" if kind == "jackknife" else "replicates"),
        )
        if call.keeps(found["stopped"], len(found["replicate"])):
            _LOG.info("interrupted, %d replicates kept", len(found["replicate"]))
        return _frame(found, parameters)

    left_out = None
    if isinstance(settings, Jackknife):
        draws, wanted = run("jackknife", None, "global"), count
    else:
        weights = _matrix(settings.weights, "weights", np.float64)
        indices = _matrix(settings.indices, "indices", np.int64)
        given = next((matrix for matrix in (weights, indices) if matrix is not None), ())
        first, last = settings.numbers or (0, len(given))
        wanted = last - first
        draws = run(
            settings.scheme,
            settings.numbers,
            settings.search,
            fraction=settings.fraction,
            weights=weights,
            indices=indices,
        )
        if settings.interval == "bca" and draws.height == wanted:
            left_out = run("jackknife", None, settings.search, _blocks(units, count))
    return Replicates(settings, tuple(parameters), draws, left_out, labels, count, units is not None, wanted)


#: Schemes in which rows are taken one by one even where runs are known.
_ROWWISE = ("residual", "weights", "indices")


#: Units beyond which the jackknife of BCa leaves out blocks of them: the acceleration is the same, to first order.
_MOST_UNITS = 1000


def _blocks(units: Any, count: int) -> Any:
    """The unit of each row, units put together where there are very many."""
    if count <= _MOST_UNITS:
        return units
    numbers = np.arange(count, dtype=np.uint32) if units is None else units
    return np.ascontiguousarray(numbers % _MOST_UNITS, dtype=np.uint32)


def _frame(found: Mapping[str, Any], parameters: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            pl.Series("replicate", found["replicate"], dtype=pl.Int64),
            *(
                pl.Series(name, column, nan_to_null=True)
                for name, column in zip(parameters, found["parameters"], strict=True)
            ),
            pl.Series("objective", found["objective"], nan_to_null=True),
            pl.Series("status", found["status"], dtype=pl.String),
            pl.Series("moved", found["moved"], dtype=pl.Boolean),
        ]
    )


def _usable(draws: pl.DataFrame) -> pl.DataFrame:
    return draws.filter(pl.col("status").is_in(USABLE))


def _filled(values: FloatArray, rows: int) -> FloatArray:
    """One value a row, also where a formula is a constant."""
    return values if len(values) == rows else np.full(rows, values[0])


def _matrix(values: Any, name: str, dtype: type) -> Any:
    if values is None:
        return None
    matrix = np.asarray(values)
    if matrix.ndim != 2:
        raise SettingsError(
            f"resample: {name} need two dimensions, replicates by {'rows' if name == 'weights' else 'draws'}",
            code="bad-resample",
            value=float(matrix.ndim),
            limit=2.0,
        )
    if not (np.issubdtype(matrix.dtype, np.integer) or (dtype is np.float64 and matrix.dtype.kind == "f")):
        raise SettingsError(f"resample: {name} hold {matrix.dtype}, not numbers of the right kind", code="bad-resample")
    return np.ascontiguousarray(matrix, dtype=dtype)
