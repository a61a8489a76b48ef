"""Studies: many specifications fitted to the same runs, each also to the runs up to a cut and judged by those beyond it.

Stage: around fits. In: runs and `S` specifications (forms, losses, thresholds, residuals), cuts along compute. Out: `Study`,
whose frames have one row a specification and cut, and one row per parameter of each. Which form, objective and threshold were
chosen changes the answer (Epoch's beta goes from 0.367 to 0.453 with five rows), and no interval of one fit sees it; runs that
a fit has not seen do. All arithmetic is the core's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._base.errors import DataError, LawError, ScalefastError, SettingsError
from scalefast._base.wording import Advice, Argument
from scalefast._core import System, aicc, decades, prediction_errors, study_cuts
from scalefast._data.binding import RESPONSE, bind, bind_one
from scalefast._data.checkpoints import choose_checkpoints
from scalefast._data.frames import FloatArray, collect, read_frame, to_array
from scalefast._fitting.fit import Fit, run_fit
from scalefast._fitting.problem import read_runs
from scalefast._fitting.spec import FitSpec
from scalefast._forms.losses import Squared

if TYPE_CHECKING:
    from scalefast._data.rows import Rows

__all__ = ["Study", "study"]

#: What is wrong with a part of the runs is its status; anything else is misuse and raises.
_STATUSES = ("too-few-points", "too-few-values", "law-undefined", "no-rows", "too-few-units")
#: Names of columns that may hold compute.
_COMPUTE = ("C", "flops", "compute")


@dataclass(frozen=True, eq=False)
class Study:
    """What a study found.

    Attributes
    ----------
    summary: one row a specification and cut: spec, law, residual, loss, cut (FLOPs; null for all runs), n_rows, objective,
        status, aicc, n_held_out, decades, error_mean, error_rms, error_worst. Errors are ln of predicted over measured loss
        on the runs beyond the cut, `decades` how far the largest of them lies beyond it.
    parameters: spec, cut, and the columns of `Fit.parameters`.
    fits: the fit of every row of `summary`, None where there is none.
    """

    summary: pl.DataFrame
    parameters: pl.DataFrame
    fits: tuple[Fit | None, ...]


def study(
    runs: Any,
    specs: Sequence[FitSpec] | Mapping[str, FitSpec],
    *,
    cuts: int | Sequence[float] = (),
    along: str | pl.Expr | None = None,
) -> Study:
    """Fits every specification to all runs and to those up to each cut, and predicts the runs beyond it.

    Parameters
    ----------
    runs: any frame, a dict of arrays, or a path; one row per run.
    specs: what to compare, by name or in order, such as `[sf.FitSpec(law, loss=sf.Huber(d)) for law in laws for d in (1e-3,
        1e-2)]`; resampling, bindings, threads and the rest are those of each.
    cuts: FLOPs, or how many to spread evenly between half and 95 % of the runs by compute.
    along: column, formula of columns or expression that is cut; None: a column of compute (C, flops, compute), else the cost
        of the first law.

    Comparable between forms and losses are the errors beyond the cuts. `aicc` is that of the loss itself under the normal
    likelihood that the squared loss states (log-normal under the log residual), and null for other losses, with weights and
    with `sigma=`. Runs that cannot be fitted below a cut give a status, such as `too-few-points`.

    Raises SettingsError (`no-specs`, `bad-cuts`, `no-cost`) and what `sf.fit` raises.

    >>> import scalefast as sf
    >>> runs = sf.simulate("hoffmann-2022", sf.IsoFLOP("1e19..1e21:9", sizes=5), sf.LogNormal(0.005), seed=1)
    >>> found = sf.study(runs, [sf.FitSpec("chinchilla"), sf.FitSpec("E + A/C**alpha")], cuts=[1e20]).summary
    >>> found.select("spec", "cut", "n_rows", "n_held_out").rows()
    [('0', None, 45, 0), ('0', 1e+20, 25, 20), ('1', None, 45, 0), ('1', 1e+20, 25, 20)]
    """
    named = dict(specs) if isinstance(specs, Mapping) else {str(i): spec for i, spec in enumerate(specs)}
    if not named:
        raise SettingsError("there is nothing to compare", code="no-specs", hint="give a list of sf.FitSpec")
    frame = collect(read_frame(runs))
    compute = _compute(frame, next(iter(named.values())), along) if cuts else np.zeros(frame.height)
    places = [None, *_cuts(cuts, compute)]
    rows, parameters, fits = [], [], []
    for name, spec in named.items():
        for cut in places:
            row, fit = _cell(spec, frame, compute, cut)
            rows.append({"spec": name, **row})
            fits.append(fit)
            if fit is not None:
                of_cell = [pl.lit(name).alias("spec"), pl.lit(cut, dtype=pl.Float64).alias("cut")]
                parameters.append(fit.parameters.select(*of_cell, pl.all()))
    summary = pl.DataFrame(rows, schema=_SUMMARY, orient="row")
    return Study(summary, pl.concat(parameters) if parameters else pl.DataFrame(), tuple(fits))


_SUMMARY = {
    "spec": pl.String,
    "law": pl.String,
    "residual": pl.String,
    "loss": pl.String,
    "cut": pl.Float64,
    "n_rows": pl.Int64,
    "objective": pl.Float64,
    "status": pl.String,
    "aicc": pl.Float64,
    "n_held_out": pl.Int64,
    "decades": pl.Float64,
    "error_mean": pl.Float64,
    "error_rms": pl.Float64,
    "error_worst": pl.Float64,
}


def _cell(
    spec: FitSpec, frame: pl.DataFrame, compute: FloatArray, cut: float | None
) -> tuple[dict[str, Any], Fit | None]:
    """One row of the summary, and its fit."""
    law = spec.resolved_law
    row: dict[str, Any] = {
        "law": law.id or law.formula,
        "residual": spec.residual,
        "loss": repr(spec.loss),
        "cut": cut,
        "n_rows": 0,
        "n_held_out": 0,
    }
    # What has no compute is not beyond the cut: the fit says what is wrong with it.
    beyond = np.zeros(frame.height, dtype=bool) if cut is None else compute > cut
    try:
        fit = run_fit(spec, frame.filter(~beyond))
    except ScalefastError as error:
        if error.code not in _STATUSES:
            raise
        return {**row, "status": error.code}, None
    row.update(n_rows=fit.n_rows, objective=fit.objective, status=fit.status, loss=repr(fit.loss), aicc=_aicc(fit))
    held_out = _held_out(spec, frame.filter(beyond)) if beyond.any() else None
    if cut is not None and held_out is not None:
        row.update(_errors(fit, spec, held_out))
        row["decades"] = decades(cut, float(compute[beyond].max()))
    return row, fit


def _held_out(spec: FitSpec, frame: pl.DataFrame) -> Rows | None:
    """The rows beyond a cut that the specification would use, None where there are none."""
    law = spec.resolved_law
    try:
        rows = read_runs(spec, law, frame)
    except DataError as error:
        if error.code == "no-rows":
            return None
        raise
    if spec.run is not None:
        rows, _ = choose_checkpoints(rows, spec.run, spec.checkpoints, list(law.variables))
    return rows


def _errors(fit: Fit, spec: FitSpec, rows: Rows) -> dict[str, Any]:
    """Mean, root mean square and worst of ln(predicted/measured); null where the law has no positive value there."""
    predicted = to_array(fit.predict(rows.frame, columns=spec.columns, units=spec.units)["L_fit"])
    errors = prediction_errors(predicted, rows.arrays[RESPONSE])
    found: dict[str, Any] = {"n_held_out": len(predicted)}
    if errors is not None:
        found["error_mean"], found["error_rms"], found["error_worst"] = errors
    return found


def _aicc(fit: Fit) -> float | None:
    """Akaike's criterion of the measured losses, where the fit states a likelihood; see `criteria.rs`."""
    spec = fit.spec
    if not isinstance(fit.loss, Squared) or spec.weights is not None or spec.sigma is not None:
        return None
    logged = fit._rows.arrays[RESPONSE] if spec.residual == "log" else None
    return aicc(fit.objective, fit.n_rows, len(spec.free), logged)


def _compute(frame: pl.DataFrame, spec: FitSpec, along: str | pl.Expr | None) -> FloatArray:
    """Compute of every row of the frame, NaN where it has none."""
    available = frame.columns
    if along is not None or any(name in available for name in _COMPUTE):
        column = bind_one("C", along, available)
        return to_array(frame.select(column.expression.alias("C"))["C"])
    law = spec.resolved_law
    if law.cost is None:
        raise LawError(
            f"`{law.id or law.formula}` has no cost, and no column is called {', '.join(_COMPUTE)}",
            code="no-cost",
            argument="along",
            hint=Advice("say what is cut, such as ", Argument("along", "6*n_params*n_tokens")),
        )
    bound = bind(law.variables, available, spec.columns, spec.units)
    system = System.parse([("C", law.cost)], [])
    columns = frame.select(bound[name].expression.alias(name) for name in system.symbols())
    return system.evaluate({name: to_array(columns[name]) for name in system.symbols()}, {})["C"]


def _cuts(cuts: int | Sequence[float], compute: FloatArray) -> Iterator[float]:
    """The cuts in FLOPs."""
    if isinstance(cuts, int) and not isinstance(cuts, bool):
        known = int(np.isfinite(compute).sum())
        if not 0 <= cuts < max(known, 1):
            limit = float(known - 1)
            message = f"cuts must be at least one and at most {limit:g} for {known} runs; got {cuts}"
            raise SettingsError(message, code="bad-cuts", argument="cuts", value=float(cuts), limit=limit)
        yield from study_cuts(compute, cuts)
        return
    try:
        listed = [float(cut) for cut in cuts]  # type: ignore[union-attr]
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"cuts must be numbers of FLOPs; got {cuts!r:.60}", code="bad-cuts", argument="cuts"
        ) from error
    for cut in listed:
        if not (math.isfinite(cut) and cut > 0):
            message = f"cuts must be positive numbers of FLOPs; got {cut}"
            raise SettingsError(message, code="bad-cuts", argument="cuts", value=cut, limit=0.0)
        yield cut
