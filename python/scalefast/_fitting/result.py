"""Why an estimate is believed to be the optimum, as a value.

Stage: after the core, under fits and saved fits.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Certificate"]


@dataclass(frozen=True)
class Certificate:
    """Why the estimate is believed to be the optimum.

    Attributes
    ----------
    gradient: the decrease that a Newton step still promises, as a share of the objective.
    curvature: smallest eigenvalue of the Hessian over the free parameters off their bounds, diagonal scaled to one.
    condition: ratio of the extreme singular values of the scaled Jacobian.
    starts, agreeing: starts solved, and how many of them ended in the best optimum.
    spread: largest relative difference of the objective among those.
    """

    gradient: float
    curvature: float
    condition: float
    starts: int
    agreeing: int
    spread: float
