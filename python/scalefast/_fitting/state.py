"""What a fit found, before anything is said about it: under the evidence, the diagnostics and the files of a fit.

Stage: after the core. In: a spec, rows, the core's problem and result. Out: `FitState`; `Fit` adds to it what is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from scalefast._base.errors import ScalefastError
from scalefast._base.statuses import AT_BOUND
from scalefast._base.wording import Advice, Phrase
from scalefast._core import FitResult, Problem, System
from scalefast._data.checkpoints import Runs
from scalefast._data.rows import Rows
from scalefast._fitting.replicates import Replicates
from scalefast._fitting.result import Certificate
from scalefast._fitting.spec import FitSpec
from scalefast._forms.losses import Loss
from scalefast._laws.law import Law

__all__ = ["FitState"]


@dataclass(frozen=True, eq=False)
class FitState:
    """What a fit found: the estimate, with the rows, the problem and the result of the core that it stands on.

    The fields are those of `Fit`; see there.
    """

    spec: FitSpec
    law: Law
    objective: float
    status: str
    certificate: Certificate
    loss: Loss
    sigma: float
    quadratic_share: float
    n_rows: int
    n_read: int
    n_filtered: int
    n_dropped: int
    sources: Mapping[str, str]
    runs: Runs | None
    _rows: Rows
    _problem: Problem
    _result: FitResult
    _replicates: Replicates | None

    @cached_property
    def parameters(self) -> pl.DataFrame:
        """One row per parameter: parameter, estimate, std_error, lower, upper, interval_method, level, status.

        `status` is `free`, `at-bound`, `fixed` or `tied`. Standard error and interval come from the draws where the fit was
        resampled; they are null where they are refused, and `interval_method` then holds the reason.
        """
        estimates = self._problem.estimates(self._result, self.spec.level)
        names = list(self.law.form.parameters)
        if self._replicates is not None:
            found = self._replicates.of_parameters(self._values(), self.spec.level)
            resampled = [self._role(name) != "fixed" for name in names]
            estimates = _replaced(estimates, found, resampled, self._replicates.method)
        roles = pl.Series("status", [self._role(name) for name in names])
        return pl.DataFrame([pl.Series("parameter", names), *_interval_columns(estimates, self.spec.level), roles])

    @cached_property
    def starts(self) -> pl.DataFrame:
        """One row per start: start.*, end.* of the free parameters, objective, status, evaluations.

        Starts that an interruption left unsolved have the status `interrupted` and no end.
        Starts of a robust loss that meet at a larger threshold go on as one from there; `evaluations` counts each start's
        whole path, shared parts included.
        """
        free, found = self.spec.free, self._result.starts()
        return pl.DataFrame(
            [
                *(pl.Series(f"start.{name}", column) for name, column in zip(free, found["start"], strict=True)),
                *(
                    pl.Series(f"end.{name}", column, nan_to_null=True)
                    for name, column in zip(free, found["end"], strict=True)
                ),
                pl.Series("objective", found["objective"], nan_to_null=True),
                pl.Series(found["statuses"], dtype=pl.String).gather(found["status"]).alias("status"),
                pl.Series("evaluations", found["evaluations"], dtype=pl.Int64),
            ]
        )

    def covariance(self) -> pl.DataFrame:
        """Covariance of the free parameters: `parameter` and one column for each of them.

        Gauss-Newton for the squared loss, a sandwich with a kernel estimate of the curvature for others. Raises
        ScalefastError with the reason as its code where no covariance can be trusted.
        """
        matrix, method, code = self._problem.covariance(self._result)
        if matrix is None:
            raise ScalefastError(
                f"the {method} covariance is refused: {str(code).replace('-', ' ')}",
                code=str(code),
                hint="give more rows, fix or tie parameters, or take a larger threshold of the loss",
            )
        free = self.spec.free
        columns = {name: matrix[:, position] for position, name in enumerate(free)}
        return pl.DataFrame({"parameter": free, **columns})

    def derive(self, formula: str) -> pl.DataFrame:
        """One row for any formula of the parameters: formula, estimate, std_error, lower, upper, interval_method, level.

        From the draws where the fit was resampled; else the standard error is propagated to first order and the interval
        is symmetric about the estimate.
        """
        system = System.parse([("formula", formula)], [])
        estimates = self._problem.derive(self._result, system, self.spec.level)
        if self._replicates is not None:
            found = self._replicates.of_formula(system, self._values(), self.spec.level)
            estimates = _replaced(estimates, found, [True], self._replicates.method)
        return pl.DataFrame([pl.Series("formula", [formula]), *_interval_columns(estimates, self.spec.level)])

    def _resampled(self, wanted: str) -> Replicates:
        if self._replicates is None:
            raise ScalefastError(
                f"the fit has no {wanted}: it was not resampled",
                code="no-draws",
                hint=Advice(
                    "fit with ",
                    Phrase("resample=sf.Bootstrap(4000) or sf.Jackknife()", "--resample 4000 or --resample jackknife"),
                ),
            )
        return self._replicates

    def _role(self, name: str) -> str:
        if name in (self.spec.fixed or {}):
            return "fixed"
        if name in (self.spec.tied or {}):
            return "tied"
        return AT_BOUND if self._result.at_bound[self.spec.free.index(name)] else "free"

    def _values(self) -> dict[str, float]:
        return dict(self.law.values or {})


def _replaced(
    estimates: Mapping[str, Any], found: Mapping[str, Any], resampled: list[bool], method: str
) -> dict[str, Any]:
    """Estimates with standard errors and intervals of the draws wherever `resampled` says so."""
    ends = {name: np.where(resampled, found[name], estimates[name]) for name in ("std_error", "lower", "upper")}
    methods = [method if use else old for old, use in zip(estimates["method"], resampled, strict=True)]
    return {"estimate": estimates["estimate"], **ends, "method": methods}


def _interval_columns(estimates: Mapping[str, Any], level: float) -> list[pl.Series]:
    return [
        *(pl.Series(name, estimates[name], nan_to_null=True) for name in ("estimate", "std_error", "lower", "upper")),
        pl.Series("interval_method", estimates["method"], dtype=pl.String),
        pl.Series("level", [level] * len(estimates["method"]), dtype=pl.Float64),
    ]
