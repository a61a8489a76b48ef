"""Random formulas as users type them, with a truth and data, and the best optimum that SciPy knows near that truth.

In: a seed. Out: a [`Case`](Case) whose law has 2 to 7 parameters in one or two columns, whose units are anything between
1e-6 and 1e6, and whose data determine it: at the truth no direction of the parameters is lost in the noise. Formulas come
out of a grammar of terms (powers, exponentials, logarithms, sigmoids, bumps, poles, shifts …) in sums, products, powers of
sums, functions of sums, and the larger or smaller of two.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import least_squares

Floats = NDArray[np.float64]

#: Errors of parameters as shares of what they are drawn in; beyond it the noise decides where the optimum lies.
DETERMINED = 0.3
#: Scaled condition beyond which data do not determine a law.
CONDITION = 1e5
#: The relative excess of an objective beyond which another optimum was found.
SAME = 1e-7

FUNCTIONS: dict[str, Callable[..., Floats]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "max": np.maximum,
    "min": np.minimum,
}


@dataclass(frozen=True)
class Case:
    """A formula, its true parameters, and a table of runs with the response `y`."""

    seed: int
    formula: str
    truth: Mapping[str, float]
    columns: Mapping[str, Floats]
    y: Floats
    noise: float
    #: The terms of the sum at the top, so that their order can be changed.
    terms: tuple[str, ...]
    #: Parameters that are rates: replaced by their negative the law is the same family.
    rates: tuple[str, ...]

    @property
    def runs(self) -> pl.DataFrame:
        """The data as a frame."""
        return pl.DataFrame({**self.columns, "y": self.y})

    def predicted(self, theta: Floats, formula: str | None = None) -> Floats:
        """The law at parameters in the order of `truth`, for every row."""
        text = (formula or self.formula).replace("^", "**")
        names = dict(zip(self.truth, theta, strict=True))
        with np.errstate(all="ignore"):
            value = eval(text, {"__builtins__": {}}, {**FUNCTIONS, **self.columns, **names})
        return np.broadcast_to(np.asarray(value, dtype=float), self.y.shape)

    def objective(self, theta: Floats) -> float:
        """Half the sum of squared residuals, as the library defines it."""
        return float(0.5 * np.sum((self.predicted(theta) - self.y) ** 2))

    def best_known(self, starts: int = 60) -> float:
        """The lowest objective of `starts` local searches from the truth and from points around it."""
        random = np.random.default_rng(self.seed + 1_000_000)
        truth = np.array(list(self.truth.values()))
        best = self._local(truth)
        for index in range(starts - 1):
            spread = (0.03, 0.2, 0.8)[index % 3]
            best = min(best, self._local(truth * (1 + spread * random.standard_normal(truth.size))))
        return best

    def _local(self, start: Floats) -> float:
        def residuals(theta: Floats) -> Floats:
            return np.nan_to_num(self.predicted(theta) - self.y, nan=1e100, posinf=1e100, neginf=-1e100)

        if not np.isfinite(self.objective(start)):
            return np.inf
        try:
            found = least_squares(residuals, start, method="lm", x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14)
        except (ValueError, np.linalg.LinAlgError):
            return np.inf
        return self.objective(found.x)


@dataclass
class _Draw:
    """What one formula is drawn from: names, truths, and the columns."""

    random: np.random.Generator
    columns: Mapping[str, Floats]
    truth: dict[str, float] = field(default_factory=dict)
    rates: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def named(self, base: str, value: float) -> str:
        count = self.counts[base] = self.counts.get(base, 0) + 1
        name = base if count == 1 else f"{base}{count}"
        self.truth[name] = float(value)
        return name

    def between(self, low: float, high: float) -> float:
        return float(np.exp(self.random.uniform(np.log(low), np.log(high))))

    def sign(self) -> float:
        return float(self.random.choice([-1.0, 1.0]))

    def inside(self, column: str, low: float = 0.2, high: float = 0.8) -> float:
        """A value inside the range of a column."""
        return float(np.quantile(self.columns[column], self.random.uniform(low, high)))

    def width(self, column: str) -> float:
        values = self.columns[column]
        return float(values.max() - values.min())


def _power(d: _Draw, v: str) -> str:
    a = d.named("a", d.between(0.15, 1.5))
    return str(d.random.choice([f"{v}**(-{a})", f"({v}/{d.named('K', d.inside(v))})**{a}"]))


def _exponential(d: _Draw, v: str) -> str:
    k = d.named("k", -d.between(1, 8) / d.width(v))
    d.rates.append(k)
    return f"exp({k}*{v})"


def _logarithm(d: _Draw, v: str) -> str:
    return f"log(1 + {d.named('q', d.between(3, 100) / d.columns[v].max())}*{v})"


def _pole(d: _Draw, v: str) -> str:
    return f"1/(1 + {d.named('b', d.between(0.5, 20) / d.columns[v].max())}*{v})"


def _shifted(d: _Draw, v: str) -> str:
    s = d.named("s", d.between(0.02, 0.5) * d.width(v))
    return f"({v} + {s})**(-{d.named('a', d.between(0.3, 1.5))})"


def _sigmoid(d: _Draw, v: str) -> str:
    k, m = d.named("k", d.sign() * d.between(4, 20) / d.width(v)), d.named("m", d.inside(v))
    d.rates.append(k)
    return str(d.random.choice([f"sigmoid({k}*({v} - {m}))", f"1/(1 + exp({k}*({v} - {m})))"]))


def _hill(d: _Draw, v: str) -> str:
    h, half = d.named("h", d.between(0.8, 3)), d.named("K", d.inside(v))
    return f"{v}**{h}/({half}**{h} + {v}**{h})"


def _bump(d: _Draw, v: str) -> str:
    b = d.named("b", -d.between(8, 60) / d.width(v) ** 2)
    return f"exp({b}*({v} - {d.named('m', d.inside(v, 0.3, 0.7))})**2)"


def _saturation(d: _Draw, v: str) -> str:
    t = d.named("t", d.width(v) / d.between(2, 8))
    return str(d.random.choice([f"tanh({v}/{t})", f"{v}/({t} + {v})", f"(1 - exp(-{v}/{t}))"]))


def _stretched(d: _Draw, v: str) -> str:
    return f"exp(-({v}/{d.named('t', d.inside(v))})**{d.named('h', d.between(0.5, 2))})"


SHAPES = (_power, _exponential, _logarithm, _pole, _shifted, _sigmoid, _hill, _bump, _saturation, _stretched)


def _shape(d: _Draw, column: str) -> str:
    return str(SHAPES[d.random.integers(len(SHAPES))](d, column))


def _values(d: _Draw, text: str) -> Floats:
    return np.asarray(eval(text, {"__builtins__": {}}, {**FUNCTIONS, **d.columns, **d.truth}), dtype=float)


def _term(d: _Draw, shape: str, size: float | None = None) -> str:
    """A shape times an amplitude, so that the term varies by about `size` over the rows."""
    values = _values(d, shape)
    size = d.between(0.3, 3) if size is None else size
    return f"{d.named('A', size / (np.ptp(values) or 1.0))}*{shape}"


def _sum(d: _Draw, columns: list[str]) -> tuple[str, ...]:
    offset = d.named("c", d.random.normal(0, 2))
    return (offset, *(_term(d, _shape(d, column)) for column in columns))


def _build(d: _Draw, columns: list[str]) -> tuple[str, ...]:
    """The terms of the sum at the top of one random formula."""
    first, last = columns[0], columns[-1]
    kind = d.random.integers(10)
    if kind <= 2:
        return _sum(d, [first])
    if kind == 3:
        return (_term(d, _shape(d, first)),)
    if kind <= 5:
        return _sum(d, [first, last])
    if kind == 6:
        product = f"{_shape(d, first)}*{_shape(d, last)}"
        return (d.named("c", d.random.normal(0, 2)), _term(d, product))
    if kind == 7:
        outer = str(d.random.choice(["exp({})", "1/(1 + exp({}))", "sigmoid({})"]))
        return (outer.format(" + ".join(_sum(d, [first]))),)
    if kind == 8:
        base = " + ".join(_term(d, _shape(d, column)) for column in [first, last])
        if np.min(_values(d, base)) <= 0:
            return (_term(d, _shape(d, first)), _term(d, _shape(d, last)))
        return (d.named("c", d.random.normal(0, 2)), f"({base})**{d.named('g', d.between(0.4, 1.6))}")
    larger = d.random.choice(["max", "min"])
    return (f"{larger}({' + '.join(_sum(d, [first]))}, {_term(d, _shape(d, last))})",)


def random_case(seed: int) -> Case:
    """The case with the number `seed`: of the formulas that it draws, the first whose data determine it."""
    for attempt in itertools.count():
        case = _attempt(seed, np.random.default_rng([seed, attempt]))
        if case is not None:
            return case
    raise AssertionError


def _attempt(seed: int, random: np.random.Generator) -> Case | None:
    rows = int(random.integers(30, 80))
    columns = {}
    for name in ["x", "z"][: int(random.integers(1, 3))]:
        unit = float(10.0 ** random.integers(-6, 7))
        spaced = random.uniform(0.05, 10, rows) if random.random() < 0.5 else 10 ** random.uniform(-1, 1.5, rows)
        columns[name] = unit * spaced
    d = _Draw(random, columns)
    with np.errstate(all="ignore"):
        terms = _build(d, list(columns))
        clean = _values(d, " + ".join(terms))
    used = {name: values for name, values in columns.items() if any(name in term for term in terms)}
    if not 2 <= len(d.truth) <= 7 or not np.all(np.isfinite(clean)) or not np.std(clean) > 0:
        return None
    noise = float(random.choice([1e-4, 0.005, 0.02])) * float(np.std(clean))
    y = clean + noise * random.standard_normal(rows)
    case = Case(seed, " + ".join(terms), d.truth, used, y, noise, terms, tuple(d.rates))
    return case if _determined(case) else None


def _determined(case: Case) -> bool:
    """Whether errors at the truth are small beside the parameters, and no two of them are exchangeable."""
    truth = np.array(list(case.truth.values()))
    steps = 1e-6 * np.maximum(np.abs(truth), 1e-12)
    slopes = np.empty((len(case.y), truth.size))
    for j, step in enumerate(steps):
        ahead, back = truth.copy(), truth.copy()
        ahead[j] += step
        back[j] -= step
        slopes[:, j] = (case.predicted(ahead) - case.predicted(back)) / (2 * step)
    sizes = np.linalg.norm(slopes, axis=0)
    if not np.all(np.isfinite(slopes)) or not np.all(sizes > 0):
        return False
    singular = np.linalg.svd(slopes / sizes, compute_uv=False)
    if singular[-1] * CONDITION < singular[0]:
        return False
    inverse = np.linalg.inv((slopes / sizes).T @ (slopes / sizes))
    errors = case.noise * np.sqrt(np.diag(inverse)) / sizes
    offsets = np.array([name.startswith(("c", "m")) for name in case.truth])
    relative = errors / np.where(offsets, np.maximum(np.abs(truth), np.std(case.y) * offsets), np.abs(truth))
    return bool(np.all(relative < DETERMINED))


def rescaled(case: Case, column: str, factor: float) -> Case:
    """The same data with a column in another unit."""
    return replace(case, columns={**case.columns, column: case.columns[column] * factor})
