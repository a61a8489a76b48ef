"""Findings about the design and the rows of a fit: what the runs can tell, and what single rows do to the answer.

Stage: diagnostics. In: a fit of `m` rows and `p` free parameters. Out: findings. Limits stand in `findings`; each was
set so that clean simulated designs stay silent (`make evidence` counts).
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from scalefast._base.errors import ScalefastError
from scalefast._base.findings import Finding, found
from scalefast._base.statuses import CONVERGED
from scalefast._calls.longcall import LongCall
from scalefast._calls.running import Running
from scalefast._core import System, log_correlation, scale_correlation
from scalefast._core import trend as log_trend
from scalefast._data.binding import RESPONSE
from scalefast._data.frames import FloatArray, to_array
from scalefast._fitting.problem import bind_problem
from scalefast._forms.losses import Squared, loss_fields
from scalefast._optimum.best import best_size

if TYPE_CHECKING:
    from scalefast._fitting.state import FitState

__all__ = ["clusters_of", "design_findings", "given_and_cost", "row_findings"]

_COLLINEAR = 0.98
#: Standard deviations of the Durbin-Watson test at which residuals follow each other: 1 %, as in groups, along the only
#: variable; 0.01 % along the last of several, where rows have no order of their own.
_FOLLOWS, _FOLLOWS_SURELY = 2.326, 3.719
_SCHEDULE = 0.8
_RIVAL = 0.01
#: Optima are the same where no parameter differs by more than this share.
_SAME = 1e-3
#: Objectives of one optimum differ by less than this share.
_NOISE = 1e-6
_LEVERAGE = 0.95
_INFLUENCE = 2.0
_UNIT_INFLUENCE = 0.25
_TREND = 1.1
#: Rows beyond which none of them can matter alone, and leverages would take longer than the fit.
_MOST_ROWS = 200_000
_SCHEDULE_NAME = re.compile(
    r"(^|[^a-z])(lr|learning_?rate|warm_?up\w*|batch_?size|weight_?decay|decay\w*|schedule\w*|cooldown\w*)($|[^a-z])"
)
_RUN_NAME = re.compile(r"(^|[^a-z])(run|run_?id|run_?name|experiment|name)$")


def design_findings(fit: FitState) -> Iterator[Finding]:
    """What the design, its columns and the given constants say."""
    yield from _range(fit)
    yield from _duplicates(fit)
    yield from _autocorrelation(fit)
    yield from _collinear(fit)
    yield from _schedule(fit)
    yield from _checkpoints(fit)
    yield from _rivals(fit)
    yield from _rounded(fit)
    yield from _trend(fit)


def row_findings(fit: FitState, changes: pl.DataFrame | None) -> Iterator[Finding]:
    """What single rows do to the parameters, and to the best N a decade beyond the data; `changes` is `Fit.influence`."""
    if changes is not None and "change.N" in changes.columns:
        yield from _units(fit, changes)
    if fit.n_rows > _MOST_ROWS:
        return
    statistics = fit._problem.residuals(fit._result)
    leverage, influence = statistics["leverage"], statistics["influence"]
    if np.isfinite(leverage).any() and np.nanmax(leverage) > _LEVERAGE:
        row = int(np.nanargmax(leverage))
        value = float(leverage[row])
        yield found("high-leverage", f"row {row} of the rows used has leverage {value:.3g}", value, _LEVERAGE)
    if np.isfinite(influence).any() and np.nanmax(influence) > _INFLUENCE:
        row = int(np.nanargmax(influence))
        value = float(influence[row])
        message = f"row {row} of the rows used changes a parameter by {value:.3g} standard errors{_shift(fit, row)}"
        yield found("influential-row", message, value, _INFLUENCE)


def _range(fit: FitState) -> Iterator[Finding]:
    ends = fit.law.fitted_range.get("C")
    if ends is not None and 0 < ends[0] <= ends[1] < math.inf:
        decades = math.log10(ends[1] / ends[0])
        message = f"the runs span C = {ends[0]:.3g} to {ends[1]:.3g} FLOPs, {decades:.2g} decades"
        yield found("range", message, decades)


def clusters_of(fit: FitState) -> int:
    """How many clusters of rows the standard errors take together; 0 where they take rows one by one."""
    if fit._replicates is not None:
        return fit._replicates.units if fit._replicates.clustered else 0
    known_noise = fit.spec.sigma is not None and isinstance(fit.loss, Squared)
    together = fit.runs is not None and fit.n_rows > fit.runs.count and not known_noise
    return fit.runs.count if fit.runs is not None and together else 0


def _duplicates(fit: FitState) -> Iterator[Finding]:
    """Rows that say again what others say; errors by run take them together anyway."""
    rows = fit.n_rows - fit._rows.count_distinct([*fit.law.variables, RESPONSE])
    if rows and not clusters_of(fit):
        message = (
            f"{rows} of {fit.n_rows} rows are identical to another row in every variable and in the response: "
            "standard errors count each as new evidence"
        )
        yield found("duplicate-rows", message, float(rows), 0.0)


def _autocorrelation(fit: FitState) -> Iterator[Finding]:
    """The test of `fit_groups` on the fit's own residuals, in the order of its variables; errors by run need none."""
    law, rows = fit.law, fit._rows
    if clusters_of(fit) or fit.n_rows > _MOST_ROWS or not law.measured:
        return
    marks = [name for name in law.variables if name not in law.measured]
    runs = [rows.frame[name].rank("dense").to_numpy() for name in _run_columns(rows.frame)[:1]]
    keys = [*(rows.arrays[name] for name in marks), *runs, *(rows.arrays[name] for name in law.measured)]
    order = np.lexsort(keys[::-1]).astype(np.uint32)
    deviate = fit._problem.serial_deviate(fit._result, order)
    along = law.measured[-1]
    limit = _FOLLOWS if len(law.measured) == 1 else _FOLLOWS_SURELY
    if deviate > limit:
        message = (
            f"residuals rise and fall together along {along} ({deviate:.2g} standard deviations beyond independent ones): "
            "standard errors that take rows for independent are too small"
        )
        yield found("autocorrelated", message, deviate, limit)


def _collinear(fit: FitState) -> Iterator[Finding]:
    for first, second in combinations(fit.law.measured, 2):
        correlation = log_correlation(fit._rows.arrays[first], fit._rows.arrays[second])
        if correlation > _COLLINEAR:
            message = f"{first} and {second} rise and fall together (correlation of the logarithms {correlation:.4g})"
            yield found("collinear", message, correlation, _COLLINEAR)


def _schedule(fit: FitState) -> Iterator[Finding]:
    frame, bound = fit._rows.frame, set(fit.sources.values())
    measured = [fit._rows.arrays[name] for name in fit.law.measured]
    for name, dtype in frame.schema.items():
        if name in bound or not dtype.is_numeric() or not _SCHEDULE_NAME.search(name.lower()):
            continue
        column = frame[name].cast(pl.Float64)
        if column.null_count() or column.is_nan().any() or column.n_unique() < 2:
            continue
        correlation = scale_correlation(measured, to_array(column))
        if correlation > _SCHEDULE:
            message = f"`{name}` changes along with the scale of the runs (rank correlation {correlation:.2g})"
            yield found("schedule-varies", message, correlation, _SCHEDULE)


def _checkpoints(fit: FitState) -> Iterator[Finding]:
    if fit.runs is not None or "D" not in fit.law.variables:
        return
    frame = fit._rows.frame
    for name in _run_columns(frame):
        values = {"run": frame[name], **{symbol: fit._rows.arrays[symbol] for symbol in fit.law.variables}}
        spread = pl.DataFrame(values).group_by("run").agg(pl.all().n_unique())
        others = [symbol for symbol in fit.law.variables if symbol != "D"]
        several = spread.filter((pl.col("D") > 1) & pl.all_horizontal(pl.lit(True), *(pl.col(o) == 1 for o in others)))
        if several.height:
            message = f"`{name}` has {several.height} runs with rows at several D, and nothing says which to use"
            yield found("checkpoints-mixed", message, float(several.height), 0.0)
            return


def _run_columns(frame: pl.DataFrame) -> list[str]:
    """Columns that seem to say which rows belong to one run."""
    kinds = (pl.String, pl.Categorical)
    return [
        name
        for name, dtype in frame.schema.items()
        if (dtype in kinds or dtype.is_integer()) and _RUN_NAME.search(name.lower()) and not frame[name].null_count()
    ]


def _rivals(fit: FitState) -> Iterator[Finding]:
    starts = fit.starts.filter(pl.col("status") == CONVERGED)
    if fit.objective <= 0 or starts.height < 2:
        return
    ends = [name for name in starts.columns if name.startswith("end.")]
    best = [float((fit.law.values or {})[name.removeprefix("end.")]) for name in ends]
    near = starts.filter(pl.col("objective") <= fit.objective * (1 + _RIVAL))
    for row in near.sort("objective").iter_rows(named=True):
        apart = max(
            abs(row[name] / value - 1) if value else abs(row[name]) for name, value in zip(ends, best, strict=True)
        )
        if apart > _SAME:
            higher = max(row["objective"] / fit.objective - 1, 0.0)
            if higher <= _NOISE and fit.certificate.condition > 1 / _NOISE:
                return  # a ridge, which has a finding of its own
            place = ", ".join(f"{name.removeprefix('end.')}={row[name]:.4g}" for name in ends)
            yield found("rival-optimum", f"another optimum fits as well to {higher:.2g}: {place}", higher, _RIVAL)
            return


def _rounded(fit: FitState) -> Iterator[Finding]:
    for name, value in (fit.spec.fixed or {}).items():
        for published in fit.law.form.published:
            if published.rounded and published.values.get(name) == value:
                message = f"{name} is held at {value:g}, the rounded constant of `{published.id}`"
                yield found("rounded-constants", message, value)


def _trend(fit: FitState) -> Iterator[Finding]:
    given, cost = given_and_cost(fit)
    if given is None or cost is None or len(given) < 3:
        return
    trend = log_trend(cost, given)
    if trend is None:
        return
    factor, rises = trend
    if factor > _TREND:
        message = f"C/({fit.law.cost}) {'rises' if rises else 'falls'} by a factor of {factor:.3g} over the range"
        yield found("cost-trend", message, factor, _TREND)


def given_and_cost(fit: FitState) -> tuple[FloatArray | None, FloatArray | None]:
    """The C of the data and the law's cost of the same rows, where both are there and above zero."""
    frame = fit._rows.frame
    column = next((name for name in ("C", "flops", "compute") if name in frame.columns), None)
    if column is None or fit.law.cost is None or not frame[column].dtype.is_numeric():
        return None, None
    system = System.parse([("C", fit.law.cost)], [])
    if not all(name in fit.law.variables for name in system.symbols()):
        return None, None
    cost = system.evaluate({name: fit._rows.arrays[name] for name in system.symbols()}, {})["C"]
    given = frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    usable = np.isfinite(given) & (given > 0) & np.isfinite(cost) & (cost > 0)
    return given[usable], cost[usable]


def _units(fit: FitState, changes: pl.DataFrame) -> Iterator[Finding]:
    """The unit without which the best N at the budget of the jackknife changes most."""
    change = (changes["change.N"] / (_best_size(fit) or math.nan)).abs()
    value = change.max()
    if isinstance(value, float) and value > _UNIT_INFLUENCE:
        unit = changes["left_out"][int(change.arg_max() or 0)]
        message = f"without {unit} the best N at the budget of the jackknife changes by {100 * value:.3g} %"
        yield found("influential-unit", message, value, _UNIT_INFLUENCE)


def _best_size(fit: FitState) -> float | None:
    try:
        return best_size(fit.law, [getattr(fit.spec.resample, "budget", math.nan)])[0]
    except ScalefastError:
        return None


def _shift(fit: FitState, row: int) -> str:
    """What leaving a row out does to the best N one decade beyond the data, in words."""
    ends = fit.law.fitted_range.get("C")
    if ends is None:
        return ""
    kept = np.arange(fit.n_rows) != row
    rows = dataclasses.replace(
        fit._rows, arrays={name: np.ascontiguousarray(values[kept]) for name, values in fit._rows.arrays.items()}
    )
    values = fit.law.values or {}
    start = np.array([list(values.values())])
    try:
        with LongCall(Running(progress=False)) as call:
            found_without, stopped = bind_problem(fit.spec, rows).fit(
                loss_fields(fit.loss), start, fit.spec.threads, call.stage("without the row")
            )
            call.keeps(stopped, 0)
        without = fit.law.with_values(dict(zip(values, found_without.parameters, strict=True)))
        plain = fit.law.with_values(values)
        target = float(f"{10 * ends[1]:.1g}")
        before, after = (best_size(law, [target])[0] for law in (plain, without))
    except ScalefastError:
        return ""
    if before is None or after is None:
        return ""
    return f", and the best N at C = {target:.0e} by {100 * (after / before - 1):+.3g} %"
