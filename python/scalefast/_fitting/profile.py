"""Profile likelihood of a fit: the best objective at every value of a parameter, or of a formula of the parameters.

Stage: after a fit, when asked for. In: a `Fit` with squared loss, a formula. Out: `Profile`. All arithmetic is the core's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from scalefast._calls.longcall import LongCall
from scalefast._calls.running import Running
from scalefast._core import profile as core_profile

if TYPE_CHECKING:
    from scalefast._fitting.state import FitState

__all__ = ["Profile", "profile"]


@dataclass(frozen=True, eq=False)
class Profile:
    """How far a quantity can move before the fit becomes unlikely.

    Attributes
    ----------
    formula: the quantity. estimate: its value at the fit.
    lower, upper: ends of the interval; None where the objective stays below its limit however far the quantity moves.
    level: of the interval. limit: the deviance at its ends.
    points: one row per point of the curve: value, objective (the least at that value), deviance (m ln of its ratio to the
        least of all), and the parameters there.
    """

    formula: str
    estimate: float
    lower: float | None
    upper: float | None
    level: float
    limit: float
    points: pl.DataFrame


def profile(fit: FitState, formula: str, level: float | None) -> Profile:
    """See `Fit.profile`."""
    level = fit.spec.level if level is None else level
    with LongCall(Running(timeout_s=fit.spec.timeout_s)) as call:
        found = core_profile(fit._problem, fit._result, formula, level, call.stage(f"profile of {formula}"))
    points = pl.DataFrame(
        [
            *(pl.Series(name, found[name]) for name in ("value", "objective", "deviance")),
            *(pl.Series(name, column) for name, column in zip(fit.law.parameters, found["parameters"], strict=True)),
        ]
    )
    return Profile(formula, found["estimate"], found["lower"], found["upper"], level, found["limit"], points)
