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
    gradient
        The decrease that a Newton step still promises, as a share of the objective.
    curvature
        Smallest eigenvalue of the Hessian over the free parameters off their bounds, diagonal scaled to one.
    condition
        Ratio of the extreme singular values of the scaled Jacobian.
    starts
        Starts solved.
    agreeing
        How many of them ended in the best optimum.
    spread
        Largest relative difference of the objective among those.
    searches
        Starts that no screen had chosen and that ended in an optimum: only their agreement is evidence. None where the
        law itself says where to look, has no nonlinear parameter, or the starts were given.
    optima
        How many different optima those searches ended in.
    unseen
        The share of the starts expected to lead to an optimum that none of them found (Boender and Rinnooy Kan 1987,
        Mathematical Programming 37).
    """

    gradient: float
    curvature: float
    condition: float
    starts: int
    agreeing: int
    spread: float
    searches: int | None = None
    optima: int | None = None
    unseen: float | None = None
