"""Intervals of predictions, three kinds that must not be confused.

`confidence` is where the law itself lies at a point, given the scatter of the runs; `prediction` where one more run like
those of the data would fall, whose distance from the law includes what the law does not describe; `new_run` where a repeat
of the same configuration would fall, by the spread of repeated runs alone. None of them sees that the law may be the
wrong one beyond the data.

Stage: after a prediction, when asked for. In: a `Fit`, `m` points, its draws or its covariance. Out: lower and upper ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import polars as pl

from scalefast import _core
from scalefast._binding import bind
from scalefast._errors import DataError, ScalefastError, SettingsError
from scalefast._frames import FloatArray, column_names, to_array
from scalefast._resampling import Bootstrap

if TYPE_CHECKING:
    from scalefast._fit import Fit

__all__ = ["Interval", "add_interval"]

Interval = Literal["confidence", "prediction", "new_run"]

#: Points times draws that are held in memory at once.
_BLOCK = 2_000_000
#: Repeats beyond one a configuration that a spread of repeated runs needs.
_REPEATS = 3


def add_interval(
    fit: Fit, frame: pl.DataFrame, kind: Interval, columns: Mapping[str, object] | None, units: Mapping[str, str] | None
) -> pl.DataFrame:
    """`frame`, which has `L_fit`, with `L_lower` and `L_upper` at the level of the fit; see `Fit.predict`."""
    if kind not in get_args(Interval):
        hint = "interval is `confidence`, `prediction` or `new_run`"
        raise SettingsError(f"interval: {kind!r:.60} is not known", code="bad-interval", hint=hint)
    for name in ("L_lower", "L_upper", *fit.law.parameters):
        if name in frame.columns:
            raise DataError(f"the points have a column `{name}` already", code="column-exists", column=name)
    bound = bind(fit.law.variables, column_names(frame.drop("L_fit")), columns, units)
    arrays = {name: to_array(frame.select(column.expression.alias(name))[name]) for name, column in bound.items()}
    centre = to_array(frame["L_fit"])
    if _has_draws(fit):
        lower, upper = _from_draws(fit, kind, arrays, centre)
    elif kind == "confidence":
        lower, upper = _from_covariance(fit, arrays)
    else:
        raise ScalefastError(
            f"a {kind} interval is read off draws, and the fit has none",
            code="no-draws",
            hint="fit with resample=sf.Bootstrap(4000)",
        )
    missing = frame["L_fit"].is_null()
    ends = {"L_lower": lower, "L_upper": upper}
    return frame.with_columns(
        pl.Series(name, values, nan_to_null=True).set(missing, None) for name, values in ends.items()
    )


def _has_draws(fit: Fit) -> bool:
    return fit._replicates is not None and isinstance(fit._replicates.settings, Bootstrap)


def _from_draws(
    fit: Fit, kind: Interval, arrays: Mapping[str, FloatArray], centre: FloatArray
) -> tuple[FloatArray, FloatArray]:
    replicates = fit._replicates
    assert replicates is not None
    assert isinstance(replicates.settings, Bootstrap)
    draws = {name: to_array(replicates.usable[name]) for name in fit.law.parameters}
    count = replicates.usable.height
    pool = None if kind == "confidence" else _pool(fit, kind)
    method = replicates.settings.interval if kind == "confidence" else "percentile"
    left_out = None
    if method == "bca":
        assert replicates.left_out is not None
        left_out = {name: to_array(replicates.left_out[name]) for name in fit.law.parameters}
    lower, upper = np.empty_like(centre), np.empty_like(centre)
    step = max(1, _BLOCK // max(count, 1))
    for first in range(0, len(centre), step):
        part = slice(first, min(first + step, len(centre)))
        chunk = {name: values[part] for name, values in arrays.items()}
        values = _drawn(fit, chunk, draws)
        scale = replicates.scale
        if scale != 1.0:
            stretched = _core.System.parse([("L", "L0 + scale*(L1 - L0)")], [])
            wide = {"L0": np.repeat(centre[part], count), "L1": values}
            values = stretched.evaluate(wide, {"scale": scale}, fit.spec.threads)["L"]
        if pool is not None:
            values = _with_noise(fit, values, pool, first * count)
        rows = list(values.reshape(-1, count))
        left = None if left_out is None else list(_drawn(fit, chunk, left_out).reshape(len(rows), -1))
        found = _core.intervals(method, fit.spec.level, list(centre[part]), rows, left, 1.0)
        lower[part], upper[part] = found["lower"], found["upper"]
    return lower, upper


def _drawn(fit: Fit, arrays: Mapping[str, FloatArray], draws: Mapping[str, FloatArray]) -> FloatArray:
    """The law at every point under every draw, draws varying fastest."""
    points, count = len(next(iter(arrays.values()))), len(next(iter(draws.values())))
    columns = {name: np.repeat(values, count) for name, values in arrays.items()}
    columns.update({name: np.tile(values, points) for name, values in draws.items()})
    return fit.law._system.evaluate(columns, {}, fit.spec.threads)[fit.law.outputs[0]]


def _with_noise(fit: Fit, values: FloatArray, pool: FloatArray, first: int) -> FloatArray:
    """Each value less a residual, since a residual is prediction minus datum."""
    places = np.arange(first, first + len(values), dtype=np.uint64)
    noise = pool[_core.choices(fit.spec.seed, _SERIES, places, len(pool))]
    formula = "L1*exp(-r)" if fit.spec.residual == "log" else "L1 - r"
    return _core.System.parse([("L", formula)], []).evaluate({"L1": values, "r": noise}, {}, fit.spec.threads)["L"]


#: The series of random numbers that picks residuals, apart from those of simulated noise.
_SERIES = 2**32 - 1


def _pool(fit: Fit, kind: Interval) -> FloatArray:
    """Residuals to draw from, at the mean weight and of the spread of the noise."""
    residuals = fit.residuals.filter(pl.col("weight") > 0)
    points = pl.DataFrame({name: fit._rows.arrays[name] for name in fit.law.variables})
    points = points.filter(fit.residuals["weight"] > 0).with_columns(
        r=residuals["residual"] * (residuals["weight"] / residuals["weight"].mean()).sqrt()
    )
    if kind == "prediction":
        rows, free = points.height, len(fit.spec.free)
        return np.asarray(to_array(points["r"]) * np.sqrt(rows / max(rows - free, 1)), dtype=np.float64)
    names = list(fit.law.variables)
    repeated = points.with_columns(
        size=pl.len().over(names), deviation=pl.col("r") - pl.col("r").mean().over(names)
    ).filter(pl.col("size") > 1)
    spare = repeated.height - repeated.select(names).n_unique() if repeated.height else 0
    if spare < _REPEATS:
        raise DataError(
            f"{spare} repeats of a configuration do not show how much runs differ by themselves",
            code="no-repeats",
            value=float(spare),
            limit=float(_REPEATS),
            hint='repeat some runs with other seeds, or ask for interval="prediction"',
        )
    spread = repeated.select(pl.col("deviation") * (pl.col("size") / (pl.col("size") - 1)).sqrt())
    return to_array(spread["deviation"])


def _from_covariance(fit: Fit, arrays: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """First order: symmetric about the prediction, about its logarithm under the log residual."""
    form, free = fit.law.form, fit.spec.free
    ties = list((fit.spec.tied or {}).items())
    system = _core.System.parse(list(form.outputs.items()), [*ties, *form.definitions.items()])
    values = {name: value for name, value in (fit.law.values or {}).items() if name not in dict(ties)}
    matrix = np.ascontiguousarray(fit.covariance().drop("parameter").to_numpy())
    centre, error = _core.predict_with_error(
        system, fit.law.outputs[0], arrays, list(values.items()), free, matrix, fit.spec.threads
    )
    half, scale = {"L0": centre, "e": error}, {"q": _quantile(fit)}
    log = fit.spec.residual == "log"
    ends = [("lower", "L0*exp(-q*e/L0)" if log else "L0 - q*e"), ("upper", "L0*exp(q*e/L0)" if log else "L0 + q*e")]
    found = _core.System.parse(ends, []).evaluate(half, scale, fit.spec.threads)
    return found["lower"], found["upper"]


def _quantile(fit: Fit) -> float:
    """The half width of the fit's intervals in standard errors, read off a symmetric one."""
    for name in fit.spec.free:
        unit = fit.derive(name).row(0, named=True)
        if unit["std_error"]:
            return float((unit["upper"] - unit["estimate"]) / unit["std_error"])
    return 0.0
