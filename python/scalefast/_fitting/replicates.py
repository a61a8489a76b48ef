"""Replicates of a fit: draws of its parameters, intervals from them, and what each row or run does to it.

Stage: after a fit, where it asks for resampling. In: the fit's rows, problem and result, a `Bootstrap` or `Jackknife`.
Out: `Replicates`, whose frame has one row per replicate. All arithmetic is the core's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import itemgetter, or_
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._base.errors import SettingsError
from scalefast._base.statuses import USABLE
from scalefast._calls.longcall import LongCall
from scalefast._core import Call, FitResult, Problem, System, expanded_level, intervals, resample
from scalefast._data.checkpoints import codes
from scalefast._data.drawsfile import DrawsFile, read_stored, slices
from scalefast._data.rows import Rows
from scalefast._fitting.resampling import Bootstrap, Jackknife

if TYPE_CHECKING:
    from scalefast._data.frames import FloatArray
    from scalefast._fitting.spec import FitSpec

__all__ = ["Replicates", "run_replicates"]


@dataclass(frozen=True, eq=False)
class Replicates:
    """The replicates of one fit.

    Attributes
    ----------
    source: one row per replicate: replicate, parameters, objective, status, moved; lazy where they lie in a file.
    left_out: the same with each unit left out, where the interval needs it.
    labels: the value of each unit, in the order of the numbers; None for rows.
    units: how many units there are. clustered: whether they are more than single rows.
    wanted: how many replicates were asked for; fewer draws mean that an interruption kept what was finished.
    """

    settings: Bootstrap | Jackknife
    parameters: tuple[str, ...]
    source: pl.DataFrame | pl.LazyFrame
    left_out: pl.DataFrame | None
    labels: pl.Series | None
    units: int
    clustered: bool
    wanted: int = 0

    @property
    def draws(self) -> pl.DataFrame:
        """All rows and columns in memory."""
        return read_stored(self.source)

    @property
    def method(self) -> str:
        """What `interval_method` says, such as `pairs-percentile`."""
        if isinstance(self.settings, Jackknife):
            return "jackknife-normal"
        return f"{self.settings.scheme}-{self.settings.read_as}"

    @cached_property
    def counts(self) -> tuple[int, int, int]:
        """Replicates finished, those of them with a fit that counts, those in another optimum than the estimate's."""
        frame = _columns(self.source, ["status", "moved"])
        return frame.height, int(_counts(frame["status"]).sum()), int(frame["moved"].sum())

    @property
    def interval_is_missing(self) -> bool:
        """Whether an interruption left the interval without what it needs beside the draws."""
        return isinstance(self.settings, Bootstrap) and self.settings.interval == "bca" and self.left_out is None

    @property
    def first_missing(self) -> int:
        """The first number without a draw: an interruption may have caught a few that later ones have overtaken."""
        first = (self.settings.numbers or (0, 0))[0] if isinstance(self.settings, Bootstrap) else 0
        numbers = _columns(self.source, ["replicate"])["replicate"].to_numpy()
        gaps = np.flatnonzero(numbers != np.arange(first, first + len(numbers)))
        return first + int(gaps[0] if len(gaps) else len(numbers))

    @property
    def usable(self) -> pl.DataFrame:
        """The parameters of the replicates that converged, also at a bound."""
        return _usable(self.source, self.parameters)

    @property
    def for_law(self) -> pl.DataFrame | pl.LazyFrame | None:
        """Draws that describe the uncertainty of the law as they stand; a jackknife's and a fraction's lie too close."""
        if not isinstance(self.settings, Bootstrap) or self.settings.fraction is not None:
            return None
        if isinstance(self.source, pl.DataFrame):
            return self.usable
        return self.source.filter(pl.col("status").is_in(USABLE)).select(self.parameters)

    def of_parameters(self, values: Mapping[str, float], level: float) -> dict[str, Any]:
        """Standard errors and intervals of all parameters."""
        found = [self._spread(values[name], [name], itemgetter(name), level) for name in self.parameters]
        return {key: np.concatenate([entry[key] for entry in found]) for key in found[0]}

    def of_formula(self, system: System, values: Mapping[str, float], level: float) -> dict[str, Any]:
        """The same for the first output of a system of formulas of the parameters."""
        symbols, output = system.symbols(), system.outputs()[0]
        point = float(system.evaluate({}, {name: values[name] for name in symbols})[output][0])
        # A formula without any parameter still has one value per replicate.
        columns = symbols or list(self.parameters[:1])

        def of_draws(drawn: Mapping[str, FloatArray]) -> FloatArray:
            found = system.evaluate({name: drawn[name] for name in symbols}, {})[output]
            return found if symbols else np.full(len(drawn[columns[0]]), found[0])

        return self._spread(point, columns, of_draws, level)

    def _spread(
        self,
        point: float,
        columns: Sequence[str],
        of_draws: Callable[[Mapping[str, FloatArray]], FloatArray],
        level: float,
    ) -> dict[str, Any]:
        """Of one quantity, so that no more columns than it needs are in memory at once."""

        def values(source: pl.DataFrame | pl.LazyFrame) -> FloatArray:
            frame = _usable(source, columns)
            return of_draws({name: np.ascontiguousarray(frame[name].to_numpy()) for name in columns})

        kind = "normal" if isinstance(self.settings, Jackknife) else self.settings.read_as
        level = expanded_level(level, self.units) if kind == "expanded" else level
        left = [values(self.left_out)] if kind == "bca" and self.left_out is not None else None
        return dict(intervals(kind, level, [point], [values(self.source)], left, self.scale))

    @property
    def scale(self) -> float:
        """What the distance of a draw from the estimate is multiplied by, to be that of the estimate from the truth."""
        if isinstance(self.settings, Jackknife):
            # The variance of the jackknife is (n - 1)/n times the sum of squares.
            n = self.counts[1]
            return (n - 1) / math.sqrt(n) if n else 1.0
        share = self.settings.fraction
        return 1.0 if share is None else math.sqrt(share / (1 - share))


def run_replicates(
    spec: FitSpec,
    rows: Rows,
    problem: Problem,
    result: FitResult,
    parameters: Sequence[str],
    call: LongCall,
) -> Replicates:
    """Fits the replicates that `spec.resample` asks for; with `spec.draws_to` into a file.

    Raises what `DrawsFile` raises; SettingsError (`bad-resample`, `weights-shape`, `index-out-of-range`,
    `cluster-spans-strata`, `too-few-units`, `replicate-range`), DataError (`unknown-column`, `null-run`).
    """
    settings = spec.resample
    assert settings is not None
    refits = _Refits.of(spec, rows, problem, result, parameters)
    kind, search, changes = "jackknife", "global", dict[str, Any]()
    if isinstance(settings, Jackknife):
        first, last = 0, refits.count
    else:
        weights = _matrix(settings.weights, "weights", np.float64)
        indices = _matrix(settings.indices, "indices", np.int64)
        given = next((matrix for matrix in (weights, indices) if matrix is not None), ())
        first, last = settings.numbers or (0, len(given))
        settings = settings.settled(refits.count, last - first, refits.units is not None, any(result.at_bound))
        kind, search = settings.scheme, settings.search
        changes = {"fraction": settings.fraction, "weights": weights, "indices": indices}

    def part(begin: int, end: int, before: int) -> tuple[pl.DataFrame, bool]:
        """The replicates from `begin` to before `end`, and whether they were interrupted."""
        watched = call.stage("replicates", before=before, total=last - first)
        rows, stopped = refits.run(kind, (begin, end), search, watched, **changes)
        return rows, call.keeps(stopped, before + rows.height)

    source: pl.DataFrame | pl.LazyFrame
    if spec.draws_to is None:
        source, interrupted = part(first, last, 0)
    else:
        source, interrupted = _streamed(spec, part, first, last)
    left_out = None
    if isinstance(settings, Bootstrap) and settings.interval == "bca":
        if not interrupted:
            left_out = _left_out(refits, spec, call)
        if left_out is None and settings != spec.resample:
            # Nobody asked for BCa, and what it needs was not finished.
            settings = replace(settings, interval="percentile")
    clustered, wanted = refits.units is not None, last - first
    return Replicates(
        settings, tuple(parameters), source, left_out, refits.labels, refits.count, clustered, wanted=wanted
    )


@dataclass(frozen=True, eq=False)
class _Refits:
    """Fits again, by the core, with other rows each time.

    `units` and `strata` number each row's (`m`, None for rows themselves), `labels` are the units' values, `count` how many.
    """

    spec: FitSpec
    problem: Problem
    result: FitResult
    parameters: Sequence[str]
    units: Any
    strata: Any
    labels: pl.Series | None
    count: int

    @classmethod
    def of(cls, spec: FitSpec, rows: Rows, problem: Problem, result: FitResult, parameters: Sequence[str]) -> _Refits:
        """The units and strata that the spec names, read off the rows."""
        settings, strata = spec.resample, None
        if isinstance(settings, Bootstrap):
            column, argument = settings.cluster or (None if settings.scheme in _ROWWISE else spec.run), "cluster"
        else:
            assert settings is not None
            column, argument = settings.by or spec.run, "by"
        units = None if column is None else codes(rows.frame, column, argument)
        labels = None if column is None else rows.frame[column].unique().sort()
        if isinstance(settings, Bootstrap) and settings.strata is not None:
            strata = codes(rows.frame, settings.strata, "strata")
        count = rows.frame.height if units is None else int(units.max()) + 1
        return cls(spec, problem, result, parameters, units, strata, labels, count)

    def run(
        self, kind: str, numbers: tuple[int, int] | None, search: str, watched: Call, **given: Any
    ) -> tuple[pl.DataFrame, BaseException | None]:
        """The frame of some replicates, and what stopped them."""
        found = resample(
            self.problem,
            self.result,
            kind,
            given.get("fraction"),
            given.get("weights"),
            given.get("indices"),
            given.get("units", self.units),
            self.strata if kind != "jackknife" else None,
            self.spec.seed,
            numbers,
            (search == "global", self.spec.starts is None),
            watched,
        )
        return _frame(found, self.parameters), found["stopped"]

    def left_out(self, call: LongCall) -> pl.DataFrame | None:
        """The fits without each unit, which BCa needs; None where they were interrupted."""
        watched, units = call.stage("left out"), _blocks(self.units, self.count)
        # The acceleration speaks of the estimate's own optimum.
        rows, stopped = self.run("jackknife", None, "estimate", watched, units=units)
        # The acceleration of some of the units is not that of all.
        return None if call.keeps(stopped, rows.height) else rows


def _streamed(
    spec: FitSpec, part: Callable[[int, int, int], tuple[pl.DataFrame, bool]], first: int, last: int
) -> tuple[pl.LazyFrame, bool]:
    """The replicates in a file, computed and written a slice at a time, each with the bytes that it has in the whole."""
    done, interrupted = 0, False
    with DrawsFile(str(spec.draws_to), overwrite=spec.overwrite) as file:
        for begin, end in slices(first, last):
            rows, interrupted = part(begin, end, done)
            file.append(rows)
            done += rows.height
            if interrupted:
                break
        file.commit({"schema_version": "1", "replicates_finished": str(done), "replicates_wanted": str(last - first)})
    return pl.scan_parquet(file.path), interrupted


#: Schemes in which rows are taken one by one even where runs are known.
_ROWWISE = ("residual", "weights", "indices")


#: Units beyond which the jackknife of BCa leaves out blocks of them: the acceleration is the same, to first order.
_MOST_UNITS = 1000


def _left_out(refits: _Refits, spec: FitSpec, call: LongCall) -> pl.DataFrame | None:
    """The fits that BCa needs. A call that ends meanwhile keeps nothing, also not the draws that are written already."""
    try:
        return refits.left_out(call)
    except BaseException:
        if spec.draws_to is not None:
            Path(spec.draws_to).unlink(missing_ok=True)
        raise


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


def _columns(source: pl.DataFrame | pl.LazyFrame, names: Sequence[str]) -> pl.DataFrame:
    return read_stored(source if isinstance(source, pl.DataFrame) else source.select(names))


def _counts(status: pl.Series) -> pl.Series:
    """Which replicates count. Series by Series: the engine behind frames' own filters does not survive a fork."""
    return reduce(or_, (status == name for name in USABLE))


def _usable(source: pl.DataFrame | pl.LazyFrame, names: Sequence[str]) -> pl.DataFrame:
    frame = _columns(source, [*names, "status"])
    counts = _counts(frame["status"])
    return pl.DataFrame([frame[name].filter(counts) for name in names])


def _matrix(values: Any, name: str, dtype: type) -> Any:
    if values is None:
        return None
    matrix = np.asarray(values)
    if matrix.ndim != 2:
        raise SettingsError(
            f"resample: {name} need two dimensions, replicates by {'rows' if name == 'weights' else 'draws'}",
            code="bad-resample",
            argument="resample",
            value=float(matrix.ndim),
            limit=2.0,
        )
    if not (np.issubdtype(matrix.dtype, np.integer) or (dtype is np.float64 and matrix.dtype.kind == "f")):
        message = f"resample: {name} hold {matrix.dtype}, not numbers of the right kind"
        raise SettingsError(message, code="bad-resample", argument="resample")
    return np.ascontiguousarray(matrix, dtype=dtype)
