"""Noise-free problems with known answers: laws with three or four nonlinear parameters, drawn at random.

Stage: input of the bench P13 and of the recovery tests; it knows nothing of scalefast and needs numpy only.
In: a family and a seed. Out: a `Problem` with the formula as text, its true parameters, and `ROWS` rows of
variables (each column has shape (m,)) and exact losses y (m,).

Truths: exponents are uniform in 0.1-0.8, gamma in 0.3-3, and every term at the geometric-mean row is
between 2 % and 200 % of the irreducible loss (log-uniform). Points are log-uniform over four decades of
N and five of D, or six of one variable. The broken law is that of Caballero et al. (2022, arXiv
2210.14891, equation 1) with two breaks: f is the width of a break in decades (log-uniform in 0.1-1), d its
place, at least `BREAK_MARGIN` decades inside the data and `BREAK_DISTANCE` decades from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Parameters = dict[str, float]
Numbers = npt.NDArray[Any]
Curve = Callable[[Mapping[str, Numbers], Mapping[str, Numbers | complex]], Numbers]

ROWS: Final = 200
N_DECADES: Final = (7.0, 11.0)
D_DECADES: Final = (8.0, 13.0)
X_DECADES: Final = (6.0, 12.0)
BREAK_MARGIN: Final = 0.5
BREAK_DISTANCE: Final = 1.0
WELL_CONDITIONED: Final = 1e8


@dataclass(frozen=True)
class Problem:
    """One law to recover: `columns` maps each variable to its rows (m,), `y` are the exact losses (m,)."""

    family: str
    seed: int
    formula: str
    truth: Parameters
    columns: dict[str, Array]
    y: Array

    def predict(self, parameters: Mapping[str, float]) -> Array:
        """Losses (m,) of the problem's law at other parameter values."""
        return np.asarray(FAMILIES[self.family].curve(self.columns, parameters), dtype=np.float64)

    def condition(self) -> float:
        """Condition number of the Jacobian at the truth, its columns scaled to length one."""
        curve = FAMILIES[self.family].curve
        step = 1e-30  # complex-step derivative: exact to rounding (Squire & Trapp 1998)
        columns = []
        for name, value in self.truth.items():
            moved = dict(self.truth) | {name: complex(value, step * value)}
            columns.append(np.asarray(curve(self.columns, moved)).imag / step)
        jacobian = np.stack(columns, axis=1)
        return float(np.linalg.cond(jacobian / np.linalg.norm(jacobian, axis=0)))

    def recovered(self, estimate: Mapping[str, float]) -> bool:
        """Whether a fit found the law: its parameters to 1e-6, or its predictions where those are ill-determined."""
        with np.errstate(all="ignore"):
            if self.condition() < WELL_CONDITIONED:
                # As numpy numbers, whose powers overflow to infinity where Python's raise.
                found = FAMILIES[self.family].canonical({k: np.float64(v) for k, v in estimate.items()})
                return all(abs(found[k] / v - 1.0) <= 1e-6 for k, v in self.truth.items())
            return bool(np.all(np.abs(self.predict(estimate) / self.y - 1.0) <= 1e-9))


@dataclass(frozen=True)
class Family:
    """A formula, the same curve in numpy, and how its truths are drawn."""

    formula: str
    curve: Curve
    draw: Callable[[np.random.Generator, dict[str, Array]], Parameters]
    decades: dict[str, tuple[float, float]]
    canonical: Callable[[dict[str, np.float64]], dict[str, np.float64]] = dict


def _exponent(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.1, 0.8))


def _share(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(0.02), np.log(2.0))))


def _irreducible(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.5, 3.0))


def _geometric_mean(x: Array) -> float:
    return float(np.exp(np.mean(np.log(x))))


def _power_curve(x, p):
    return p["E"] + (p["A"] / x["N"] ** p["alpha"] + p["B"] / x["D"] ** p["beta"]) ** p["gamma"]


def _power_draw(rng: np.random.Generator, x: dict[str, Array]) -> Parameters:
    e, alpha, beta = _irreducible(rng), _exponent(rng), _exponent(rng)
    a = _share(rng) * e * _geometric_mean(x["N"]) ** alpha
    b = _share(rng) * e * _geometric_mean(x["D"]) ** beta
    return {"E": e, "A": a, "alpha": alpha, "B": b, "beta": beta, "gamma": float(rng.uniform(0.3, 3.0))}


def _power_scaled_draw(rng: np.random.Generator, x: dict[str, Array]) -> Parameters:
    """The other reading of "term": (A/N**alpha)**gamma and (B/D**beta)**gamma are shares of E."""
    e, alpha, beta, gamma = _irreducible(rng), _exponent(rng), _exponent(rng), float(rng.uniform(0.3, 3.0))
    a = (_share(rng) * e) ** (1 / gamma) * _geometric_mean(x["N"]) ** alpha
    b = (_share(rng) * e) ** (1 / gamma) * _geometric_mean(x["D"]) ** beta
    return {"E": e, "A": a, "alpha": alpha, "B": b, "beta": beta, "gamma": gamma}


def _interaction_curve(x, p):
    n, d = x["N"], x["D"]
    return p["E"] + p["A"] / n ** p["a"] + p["B"] / d ** p["b"] + p["F"] / (n ** p["c"] * d ** p["d"])


def _interaction_draw(rng: np.random.Generator, x: dict[str, Array]) -> Parameters:
    e = _irreducible(rng)
    a, b, c, d = (_exponent(rng) for _ in range(4))
    n_mean, d_mean = _geometric_mean(x["N"]), _geometric_mean(x["D"])
    return {
        "E": e,
        "A": _share(rng) * e * n_mean**a,
        "a": a,
        "B": _share(rng) * e * d_mean**b,
        "b": b,
        "F": _share(rng) * e * n_mean**c * d_mean**d,
        "c": c,
        "d": d,
    }


def _broken_curve(x, p):
    first = (1 + (x["x"] / p["d1"]) ** (1 / p["f1"])) ** (-p["c1"] * p["f1"])
    second = (1 + (x["x"] / p["d2"]) ** (1 / p["f2"])) ** (-p["c2"] * p["f2"])
    return p["a"] + p["b"] * x["x"] ** -p["c0"] * first * second


def _broken_draw(rng: np.random.Generator, x: dict[str, Array]) -> Parameters:
    low, high = X_DECADES[0] + BREAK_MARGIN, X_DECADES[1] - BREAK_MARGIN
    while True:
        first, second = np.sort(rng.uniform(low, high, size=2))
        if second - first >= BREAK_DISTANCE:
            break
    widths = 10 ** rng.uniform(-1.0, 0.0, size=2)
    p: Parameters = {
        "a": _irreducible(rng),
        "b": 1.0,
        "c0": _exponent(rng),
        "c1": _exponent(rng),
        "d1": float(10**first),
        "f1": float(widths[0]),
        "c2": _exponent(rng),
        "d2": float(10**second),
        "f2": float(widths[1]),
    }
    middle = {"x": np.array([_geometric_mean(x["x"])])}
    p["b"] = _share(rng) * p["a"] / float(_broken_curve(middle, p)[0] - p["a"])
    return p


def _broken_canonical(p: dict[str, np.float64]) -> dict[str, np.float64]:
    """The same curve with positive widths and the breaks in order.

    (1 + u**(1/f))**(-c*f) with f < 0 equals u**-c * (1 + u**(-1/f))**(-c*f), so a negative width is a positive
    one with the opposite c, and the power law before it changes by c.
    """
    for i in ("1", "2"):
        c, d, f = p["c" + i], p["d" + i], p["f" + i]
        if f < 0:
            p |= {"c" + i: -c, "f" + i: -f, "c0": p["c0"] + c, "b": p["b"] * d**c}
    if p["d1"] > p["d2"]:
        p |= {k + i: p[k + j] for k in "cdf" for i, j in (("1", "2"), ("2", "1"))}
    return p


_TWO = {"N": N_DECADES, "D": D_DECADES}
_POWER = "E + (A/N**alpha + B/D**beta)**gamma"

FAMILIES: Final[dict[str, Family]] = {
    "power": Family(_POWER, _power_curve, _power_draw, _TWO),
    "interaction": Family("E + A/N**a + B/D**b + F/(N**c*D**d)", _interaction_curve, _interaction_draw, _TWO),
    "broken": Family(
        "a + b*x**-c0 * (1 + (x/d1)**(1/f1))**(-c1*f1) * (1 + (x/d2)**(1/f2))**(-c2*f2)",
        _broken_curve,
        _broken_draw,
        {"x": X_DECADES},
        _broken_canonical,
    ),
    "power-scaled": Family(_POWER, _power_curve, _power_scaled_draw, _TWO),
}


def problem(family: str, seed: int) -> Problem:
    """The problem of a family (a key of `FAMILIES`) that belongs to a seed; the same seed gives the same rows."""
    spec = FAMILIES[family]
    rng = np.random.default_rng([seed, *family.encode()])
    columns = {name: 10 ** rng.uniform(low, high, ROWS) for name, (low, high) in spec.decades.items()}
    truth = spec.draw(rng, columns)
    y = np.asarray(spec.curve(columns, truth), dtype=np.float64)
    return Problem(family, seed, spec.formula, truth, columns, y)


def problems(family: str, count: int) -> Iterator[Problem]:
    """The first `count` problems of a family."""
    return (problem(family, seed) for seed in range(count))
