"""The peers of P13: SciPy's multi-start on the simulated truths, with exact Jacobians and tight tolerances.

Three of them, by what they are told:

- *formula*: what a default fit is told, the formula alone. The parameters are those of the formula; starts come from
  the box of the published replication's grid (A and B in exp(0)-exp(25), exponents in 0-2, E in exp(-1)-exp(1);
  Besiroglu et al. 2024, arXiv 2404.10102), breaks from the data, their widths from 0.1-1 decade.
- *signs*: the same starts; parameters that must be positive are fitted as their logarithms.
- *ranges*: logarithms too, and starts from the ranges that the truths were drawn from, scaled by the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize

from simulated_truths import Problem

Array = npt.NDArray[np.float64]
Curve = Callable[[Array, dict[str, Array]], tuple[Array, Array]]
Start = Callable[[np.random.Generator, dict[str, float], float], Array]
Told = Literal["formula", "signs", "ranges"]


def _power(t: Array, x: dict[str, Array]) -> tuple[Array, Array]:
    e, a, alpha, b, beta, gamma = np.exp(t[0]), t[1], t[2], t[3], t[4], np.exp(t[5])
    u, v = np.exp(a - alpha * x["N"]), np.exp(b - beta * x["D"])
    s = u + v
    power = s**gamma
    slope = gamma * power / s
    jacobian = [
        np.full_like(s, e),
        slope * u,
        -slope * u * x["N"],
        slope * v,
        -slope * v * x["D"],
        gamma * power * np.log(s),
    ]
    return e + power, np.stack(jacobian, axis=1)


def _interaction(t: Array, x: dict[str, Array]) -> tuple[Array, Array]:
    e = np.exp(t[0])
    u, v = np.exp(t[1] - t[2] * x["N"]), np.exp(t[3] - t[4] * x["D"])
    w = np.exp(t[5] - t[6] * x["N"] - t[7] * x["D"])
    jacobian = [np.full_like(u, e), u, -u * x["N"], v, -v * x["D"], w, -w * x["N"], -w * x["D"]]
    return e + u + v + w, np.stack(jacobian, axis=1)


def _broken(t: Array, x: dict[str, Array]) -> tuple[Array, Array]:
    level, log_b, c0 = np.exp(t[0]), t[1], t[2]
    log_term = log_b - c0 * x["x"]
    parts = []
    for c, log_d, log_f in (t[3:6], t[6:9]):
        f = np.exp(log_f)
        z = (x["x"] - log_d) / f
        soft = np.logaddexp(0.0, z)
        sigmoid = np.exp(z - soft)
        log_term = log_term - c * f * soft
        parts += [-f * soft, c * sigmoid, c * f * (z * sigmoid - soft)]
    term = np.exp(log_term)
    columns = [np.full_like(term, level), term, -term * x["x"]] + [term * part for part in parts]
    return level + term, np.stack(columns, axis=1)


def _power_plain(t: Array, x: dict[str, Array]) -> tuple[Array, Array]:
    e, a, alpha, b, beta, gamma = t
    u, v = np.exp(-alpha * x["N"]), np.exp(-beta * x["D"])
    s = a * u + b * v
    power = s**gamma
    slope = gamma * power / s
    jacobian = [
        np.ones_like(s),
        slope * u,
        -slope * a * u * x["N"],
        slope * v,
        -slope * b * v * x["D"],
        power * np.log(s),
    ]
    return e + power, np.stack(jacobian, axis=1)


def _interaction_plain(t: Array, x: dict[str, Array]) -> tuple[Array, Array]:
    e, first, a, second, b, third, c, d = t
    u, v, w = np.exp(-a * x["N"]), np.exp(-b * x["D"]), np.exp(-c * x["N"] - d * x["D"])
    columns = [np.ones_like(u), u, -first * u * x["N"], v, -second * v * x["D"]]
    columns += [w, -third * w * x["N"], -third * w * x["D"]]
    return e + first * u + second * v + third * w, np.stack(columns, axis=1)


def _broken_plain(t: Array, x: dict[str, Array]) -> tuple[Array, Array]:
    level, b, c0 = t[:3]
    log_shape = -c0 * x["x"]
    parts = []
    for c, d, f in (t[3:6], t[6:9]):
        z = (x["x"] - np.log(d)) / f
        soft = np.logaddexp(0.0, z)
        sigmoid = np.exp(z - soft)
        log_shape = log_shape - c * f * soft
        parts += [-f * soft, c * sigmoid / d, c * (z * sigmoid - soft)]
    shape = np.exp(log_shape)
    columns = [np.ones_like(shape), shape, -b * shape * x["x"]] + [b * shape * part for part in parts]
    return level + b * shape, np.stack(columns, axis=1)


def _informed_power(rng: np.random.Generator, means: dict[str, float], floor: float) -> Array:
    e, shares = rng.uniform(0.0, floor), rng.uniform(np.log(0.02), np.log(2.0), 2)
    alpha, beta = rng.uniform(0.1, 0.8, 2)
    a, b = shares + np.log(e) + np.array([alpha * means["N"], beta * means["D"]])
    return np.array([np.log(e), a, alpha, b, beta, np.log(rng.uniform(0.3, 3.0))])


def _usual_power(rng: np.random.Generator, means: dict[str, float], floor: float) -> Array:
    (a, b), (alpha, beta) = rng.uniform(0.0, 25.0, 2), rng.uniform(0.0, 2.0, 2)
    return np.array([rng.uniform(-1.0, 1.0), a, alpha, b, beta, np.log(rng.uniform(0.3, 3.0))])


def _informed_interaction(rng: np.random.Generator, means: dict[str, float], floor: float) -> Array:
    e, shares = rng.uniform(0.0, floor), rng.uniform(np.log(0.02), np.log(2.0), 3)
    a, b, c, d = rng.uniform(0.1, 0.8, 4)
    n, m = means["N"], means["D"]
    first, second, third = shares + np.log(e) + np.array([a * n, b * m, c * n + d * m])
    return np.array([np.log(e), first, a, second, b, third, c, d])


def _usual_interaction(rng: np.random.Generator, means: dict[str, float], floor: float) -> Array:
    (first, second, third), (a, b, c, d) = rng.uniform(0.0, 25.0, 3), rng.uniform(0.0, 2.0, 4)
    return np.array([rng.uniform(-1.0, 1.0), first, a, second, b, third, c, d])


def _informed_broken(rng: np.random.Generator, means: dict[str, float], floor: float) -> Array:
    level, c0 = rng.uniform(0.0, floor), rng.uniform(0.1, 0.8)
    b = rng.uniform(np.log(0.02), np.log(2.0)) + np.log(level) + c0 * means["x"]
    breaks = np.sort(rng.uniform(means["x_low"], means["x_high"], 2))
    c, log_f = rng.uniform(0.1, 0.8, 2), rng.uniform(np.log(0.1), 0.0, 2)
    return np.array([np.log(level), b, c0, c[0], breaks[0], log_f[0], c[1], breaks[1], log_f[1]])


def _usual_broken(rng: np.random.Generator, means: dict[str, float], floor: float) -> Array:
    breaks = np.sort(rng.uniform(means["x_low"], means["x_high"], 2))
    (c0, c1, c2), log_f = rng.uniform(0.0, 2.0, 3), rng.uniform(np.log(0.1), 0.0, 2)
    level, b = rng.uniform(-1.0, 1.0), rng.uniform(0.0, 25.0)
    return np.array([level, b, c0, c1, breaks[0], log_f[0], c2, breaks[1], log_f[1]])


@dataclass(frozen=True)
class Peer:
    """Curves over logarithms of the columns, value (m,) and Jacobian (m, p); starts (p,) with logarithms at `positive`."""

    names: tuple[str, ...]
    positive: tuple[int, ...]
    plain: Curve
    logarithmic: Curve
    usual: Start
    informed: Start


PEERS = {
    "power": Peer(
        ("E", "A", "alpha", "B", "beta", "gamma"),
        (0, 1, 3, 5),
        _power_plain,
        _power,
        _usual_power,
        _informed_power,
    ),
    "interaction": Peer(
        ("E", "A", "a", "B", "b", "F", "c", "d"),
        (0, 1, 3, 5),
        _interaction_plain,
        _interaction,
        _usual_interaction,
        _informed_interaction,
    ),
    "broken": Peer(
        ("a", "b", "c0", "c1", "d1", "f1", "c2", "d2", "f2"),
        (0, 1, 4, 5, 7, 8),
        _broken_plain,
        _broken,
        _usual_broken,
        _informed_broken,
    ),
}


def solve_once(problem: Problem, told: Told, rng: np.random.Generator) -> dict[str, float]:
    """One local solve from a random start of the peer that is told so much; parameters by name, wherever it ended."""
    peer = PEERS[problem.family]
    logs = {k: np.log(v) for k, v in problem.columns.items()}
    means = {k: float(v.mean()) for k, v in logs.items()}
    if "x" in logs:
        means |= {"x_low": float(logs["x"].min()), "x_high": float(logs["x"].max())}
    draw = peer.informed if told == "ranges" else peer.usual
    start = draw(rng, means, float(problem.y.min()))
    curve, places = peer.logarithmic, list(peer.positive)
    with np.errstate(all="ignore"):
        if told == "formula":
            curve = peer.plain
            start[places] = np.exp(start[places])
        try:
            end = optimize.least_squares(
                lambda t: np.nan_to_num(curve(t, logs)[0] - problem.y, nan=1e150, posinf=1e150, neginf=-1e150),
                start,
                lambda t: np.nan_to_num(curve(t, logs)[1]),
                method="lm",
                x_scale="jac",
                ftol=1e-15,
                xtol=1e-15,
                gtol=1e-15,
                max_nfev=1000,
            ).x
        except np.linalg.LinAlgError:
            end = start
        if told != "formula":
            end[places] = np.exp(end[places])
    return dict(zip(peer.names, end.tolist(), strict=True))
