"""Intervals of predictions, three kinds that must not be confused.

`confidence` is where the law itself lies at a point, given the scatter of the runs; `prediction` where one more run like
those of the data would fall, whose distance from the law includes what the law does not describe; `new_run` where a repeat
of the same configuration would fall, by the spread of repeated runs alone. None of them sees that the law may be the
wrong one beyond the data.

Stage: after a prediction, when asked for. In: an `Uncertainty` (of a fit, of a saved one, of a law's draws) and `m` points.
Out: lower and upper ends in nats per token, and how they were made. All arithmetic is the core's (`band.rs`,
`draw_band.rs`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import polars as pl

from scalefast._base.errors import DataError, SettingsError
from scalefast._core import Call, System, draw_band, error_band, expanded_level, predict_with_error, scatter_band
from scalefast._data.binding import SIGMA, bind, bind_one
from scalefast._data.frames import FloatArray, column_names, to_array

if TYPE_CHECKING:
    from scalefast._forms.form import LawFile

__all__ = [
    "Drawn",
    "Interval",
    "Scatter",
    "Uncertainty",
    "add_interval",
    "of_draws",
]

Interval = Literal["confidence", "prediction", "new_run"]
#: Lower end, median and upper end of datum minus prediction on the residual's scale, and how they were found.
Scatter = tuple[float, float, float, str]


@dataclass(frozen=True)
class Drawn:
    """Draws of the parameters, and how an interval is read off them.

    Attributes
    ----------
    frame: one row per draw, a column per parameter. left_out: the same with each unit left out, for `bca`.
    kind: `percentile`, `expanded`, `basic`, `bca` or `normal`. label: the scheme that made the draws.
    scale: what the distance of a draw from the estimate is multiplied by. units: what was drawn, for `expanded`.
    """

    frame: pl.DataFrame
    kind: str
    label: str
    scale: float = 1.0
    left_out: pl.DataFrame | None = None
    units: int = 0


@dataclass(frozen=True)
class Uncertainty:
    """What an interval of predictions is made of: a form, its parsed formulas, values of its parameters, and how uncertain
    they are; what may be refused is found, or raises, when called."""

    form: LawFile
    system: System
    values: Mapping[str, float] | None
    level: float
    log: bool
    tied: Mapping[str, str]
    sigma: Any
    threads: int | None
    drawn: Drawn | None
    covariance: Callable[[], pl.DataFrame]
    quantile: Callable[[], float]
    scatter: Callable[[bool], Scatter]
    method: str


def of_draws(
    form: LawFile,
    system: System,
    values: Mapping[str, float] | None,
    draws: pl.DataFrame | None,
    name: str,
    level: float,
) -> Uncertainty:
    """The uncertainty of a law that comes with draws; the scatter of runs about it is not known."""

    def refuse(*_: Any) -> Any:
        raise SettingsError(
            f"`{name}` comes with draws of its parameters but not with the scatter of runs about it",
            code="no-scatter",
            hint="ask for the interval `confidence`, or fit the runs",
        )

    if not 0 < level < 1:
        raise SettingsError(
            f"level must lie between 0 and 1; got {level:g}",
            code="bad-level",
            argument="level",
            value=float(level),
            limit=1.0,
        )
    if list(form.outputs) != ["L"]:
        raise SettingsError("intervals are those of laws of L", code="several-outputs")
    if draws is None:
        raise SettingsError(
            f"`{name}` was published without draws, so there is no interval",
            code="no-draws",
            hint="fit the runs, or use a law whose uncertainty is `draws` (sf.laws())",
        )
    drawn = Drawn(draws.select(list(form.parameters)), "percentile", "draws")
    return Uncertainty(form, system, values, level, False, {}, None, None, drawn, refuse, refuse, refuse, "")


def add_interval(
    known: Uncertainty,
    frame: pl.DataFrame,
    kind: Interval,
    columns: Mapping[str, Any] | None,
    units: Mapping[str, str] | None,
    value: str = "L_fit",
) -> pl.DataFrame:
    """`frame`, which has the prediction `value`, with L_lower, L_upper and interval_method; see `Fit.predict`."""
    if kind not in get_args(Interval):
        message = f"interval must be `confidence`, `prediction` or `new_run`; got {kind!r:.60}"
        raise SettingsError(message, code="bad-interval", argument="interval")
    for name in ("L_lower", "L_upper", "interval_method", *known.form.parameters):
        if name in frame.columns:
            raise DataError(f"the points have a column `{name}` already", code="column-exists", column=name)
    points = frame.drop(value)
    bound = bind(known.form.variables, column_names(points), columns, units)
    arrays = {name: to_array(frame.select(column.expression.alias(name))[name]) for name, column in bound.items()}
    centre = to_array(frame[value])
    scatter = None if kind == "confidence" else known.scatter(kind == "new_run")
    sigma = None if scatter is None or known.sigma is None else _sigma(known, points)
    lower, upper = (_from_covariance if known.drawn is None else _from_draws)(known, arrays, centre)
    method = known.method if known.drawn is None else f"{known.drawn.label}-{known.drawn.kind}"
    if scatter is not None:
        lower, upper = scatter_band(centre, lower, upper, scatter[:3], sigma, known.log)
        method = f"{method}+{scatter[3]}"
    missing = frame[value].is_null()
    ends = {"L_lower": lower, "L_upper": upper}
    return frame.with_columns(
        *(pl.Series(name, values, nan_to_null=True).set(missing, None) for name, values in ends.items()),
        pl.lit(method).alias("interval_method"),
    )


def _sigma(known: Uncertainty, points: pl.DataFrame) -> FloatArray:
    """The noise at the points, from the same column as that of the runs."""
    column = bind_one(SIGMA, known.sigma, column_names(points))
    values = to_array(points.select(column.expression.alias(SIGMA))[SIGMA])
    bad = np.flatnonzero(values <= 0)
    if bad.size:
        raise DataError(
            f"{bad.size} points have sigma (`{column.words}`) at or below zero, the first in row {int(bad[0])}",
            code="invalid-rows",
            row=int(bad[0]),
            column=column.words,
            value=float(values[bad[0]]),
            limit=0.0,
        )
    return values


def _from_draws(
    known: Uncertainty, arrays: Mapping[str, FloatArray], centre: FloatArray
) -> tuple[FloatArray, FloatArray]:
    drawn = known.drawn
    assert drawn is not None

    def columns(draws: pl.DataFrame) -> dict[str, FloatArray]:
        return {name: to_array(draws[name]) for name in known.form.parameters}

    return draw_band(
        known.system,
        next(iter(known.form.outputs)),
        arrays,
        centre,
        columns(drawn.frame),
        columns(drawn.left_out) if drawn.kind == "bca" and drawn.left_out is not None else None,
        drawn.kind,
        expanded_level(known.level, drawn.units) if drawn.kind == "expanded" else known.level,
        drawn.scale,
        known.threads,
        Call(),
    )


def _from_covariance(
    known: Uncertainty, arrays: Mapping[str, FloatArray], centre: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """First order: symmetric about the prediction, about its logarithm under the log residual."""
    form, covariance = known.form, known.covariance()
    free = covariance["parameter"].to_list()
    ties = list(known.tied.items())
    system = System.parse(list(form.outputs.items()), [*ties, *form.definitions.items()])
    values = [(name, value) for name, value in (known.values or {}).items() if name not in known.tied]
    matrix = np.ascontiguousarray(covariance.drop("parameter").to_numpy())
    _, errors = predict_with_error(system, next(iter(form.outputs)), arrays, values, free, matrix, known.threads)
    return error_band(centre, errors, known.quantile(), known.log)
