"""What the intervals of a fit's predictions are made of, and the same as plain values for a file.

Stage: after a fit, when an interval is asked for. In: a `FitState`, or what a saved fit holds. Out: `Uncertainty`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from scalefast._base.errors import ScalefastError
from scalefast._data.checkpoints import codes
from scalefast._fitting.replicates import Replicates
from scalefast._fitting.resampling import Bootstrap
from scalefast._fitting.spec import FitSpec
from scalefast._fitting.state import FitState
from scalefast._laws.intervals import Drawn, Scatter, Uncertainty
from scalefast._laws.law import Law

__all__ = ["of_fit", "of_state", "read_scatter", "stored"]


def of_state(state: FitState) -> Uncertainty:
    """The uncertainty of a fit that has its rows."""
    spec, rows, problem, result = state.spec, state._rows, state._problem, state._result

    def runs() -> Any:
        return None if spec.run is None else codes(rows.frame, spec.run, "run")

    return of_fit(
        state.law,
        spec,
        state._replicates,
        state.covariance,
        lambda: problem.quantile(result, spec.level),
        lambda repeat: problem.scatter(result, spec.level, repeat, runs() if repeat else None),
        problem.covariance(result)[1],
    )


def of_fit(
    law: Law,
    spec: FitSpec,
    replicates: Replicates | None,
    covariance: Callable[[], pl.DataFrame],
    quantile: Callable[[], float],
    scatter: Callable[[bool], Scatter],
    method: str,
) -> Uncertainty:
    """The uncertainty of a fit: from its draws where it was bootstrapped, else to first order."""
    drawn = None
    if replicates is not None and isinstance(replicates.settings, Bootstrap):
        kind = replicates.settings.read_as
        if kind == "bca" and replicates.left_out is None:
            kind = "percentile"
        scheme, scale = replicates.settings.scheme, replicates.scale
        drawn = Drawn(replicates.usable, kind, scheme, scale, replicates.left_out, replicates.units)
    log = spec.residual == "log"
    return Uncertainty(
        law.form,
        law.system,
        law.values,
        spec.level,
        log,
        spec.tied or {},
        spec.sigma,
        spec.threads,
        drawn,
        covariance,
        quantile,
        scatter,
        method,
    )


def stored(known: Uncertainty) -> dict[str, Any]:
    """Quantile and scatter as plain values for a file; a refusal is kept with its words."""

    def tried(find: Callable[[], Any]) -> Any:
        try:
            return find()
        except ScalefastError as error:
            return {"message": error.message, "code": error.code, "hint": error.hint}

    return {
        "quantile": known.quantile(),
        "prediction": tried(lambda: list(known.scatter(False))),
        "new_run": tried(lambda: list(known.scatter(True))),
        "method": known.method,
    }


def read_scatter(fields: Mapping[str, Any], repeat: bool) -> Scatter:
    """The scatter in what `stored` gave. Raises ScalefastError with the code of the refusal."""
    found = fields["new_run" if repeat else "prediction"]
    if isinstance(found, Mapping):
        raise ScalefastError(found["message"], code=found["code"], hint=found["hint"])
    low, middle, high, method = found
    return (low, middle, high, method)
