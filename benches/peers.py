"""The peers' side of the benches: the two-term law as a careful SciPy user writes it, with exact derivatives.

Parameters are those of the published replication: theta = (a, b, e, alpha, beta) with A = exp(a), B = exp(b),
E = exp(e), so that every start of its grid is admissible (Besiroglu et al. 2024, arXiv 2404.10102).
"""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import optimize

Array = npt.NDArray[np.float64]
HUBER_DELTA: Final = 1e-3


def two_term_terms(theta: Array, log_n: Array, log_d: Array) -> tuple[Array, Array, float]:
    """The terms A/N**alpha (m,), B/D**beta (m,) and E."""
    a, b, e, alpha, beta = theta
    return np.exp(a - alpha * log_n), np.exp(b - beta * log_d), float(np.exp(e))


def log_huber(theta: Array, log_n: Array, log_d: Array, log_l: Array) -> tuple[float, Array]:
    """Sum of Huber(ln L_hat - ln L) and its gradient (5,)."""
    first, second, e = two_term_terms(theta, log_n, log_d)
    value = first + second + e
    r = np.log(value) - log_l
    near = np.abs(r) <= HUBER_DELTA
    rho = np.where(near, 0.5 * r * r, HUBER_DELTA * (np.abs(r) - 0.5 * HUBER_DELTA))
    weight = np.clip(r, -HUBER_DELTA, HUBER_DELTA) / value
    w1, w2 = weight * first, weight * second
    gradient = np.array([w1.sum(), w2.sum(), e * weight.sum(), -(w1 @ log_n), -(w2 @ log_d)])
    return float(rho.sum()), gradient


def lbfgs_start(start: Array, log_n: Array, log_d: Array, log_l: Array) -> optimize.OptimizeResult:
    """One local solve with SciPy's default settings."""
    return optimize.minimize(log_huber, start, args=(log_n, log_d, log_l), jac=True, method="L-BFGS-B")


def published_grid() -> Array:
    """The 4,500 starts of the replication, (4500, 5)."""
    exponents = (0.0, 0.5, 1.0, 1.5, 2.0)
    axes = (range(0, 30, 5), range(0, 30, 5), (-1.0, -0.5, 0.0, 0.5, 1.0), exponents, exponents)
    return np.array(list(itertools.product(*axes)), dtype=np.float64)


def squared_residual(theta: Array, log_n: Array, log_d: Array, loss: Array) -> Array:
    """L_hat - L, (m,)."""
    first, second, e = two_term_terms(theta, log_n, log_d)
    return first + second + e - loss


def squared_jacobian(theta: Array, log_n: Array, log_d: Array, loss: Array) -> Array:
    """Derivatives of the residual, (m, 5)."""
    first, second, e = two_term_terms(theta, log_n, log_d)
    return np.stack([first, second, np.full_like(loss, e), -first * log_n, -second * log_d], axis=1)
