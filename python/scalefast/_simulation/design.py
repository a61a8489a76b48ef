"""Designs: at which N and D simulated runs are made.

Stage: settings of a simulation. In: `IsoFLOP`, `FixedRatio`, `Sobol` or any frame, and a law. Out: a frame with a column
for each variable of the law (parameters, tokens), and the budget C in FLOPs where the design has one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalefast._base.errors import LawError, SettingsError
from scalefast._base.numbers import read_grid
from scalefast._base.suggest import did_you_mean, listing
from scalefast._fitting.starts import Sobol

if TYPE_CHECKING:
    import polars as pl

    from scalefast._laws.law import Law

__all__ = ["Design", "FixedRatio", "IsoFLOP", "design_frame"]

#: Dimensions of the core's Sobol sequence.
_MOST_DIMENSIONS = 16


@dataclass(frozen=True)
class IsoFLOP:
    """Several sizes at each budget: N spread evenly in its logarithm around the best one, D from the law's cost.

    Attributes
    ----------
    budgets
        FLOPs: a number, several, or a log grid such as "1e18..1e21:5".
    sizes
        How many N at each budget.
    decades
        From the smallest to the largest of them, as a power of ten.
    offset
        How many decades the middle lies above the best N; a grid off its middle biases parabolas.

    Examples
    --------
    >>> IsoFLOP("1e18..1e20:3", sizes=5)
    IsoFLOP(budgets=(1e+18, 1e+19, 1e+20), sizes=5, decades=1.0, offset=0.0)
    """

    budgets: float | str | Iterable[float]
    sizes: int = 9
    decades: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "budgets", _positive_grid(self.budgets, "budgets"))
        if not isinstance(self.sizes, int) or isinstance(self.sizes, bool) or self.sizes < 2:
            raise SettingsError(
                f"IsoFLOP must have at least 2 sizes; got {self.sizes!r:.40}", code="bad-design", limit=2.0
            )
        if not (_finite(self.decades) and self.decades > 0 and _finite(self.offset)):
            raise SettingsError("IsoFLOP needs decades above zero and a finite offset", code="bad-design", limit=0.0)


@dataclass(frozen=True)
class FixedRatio:
    """So many tokens per parameter at every size: D = ratio · N. N and D cannot be told apart from such runs.

    Attributes
    ----------
    ratio
        Tokens per parameter, above zero.
    sizes
        Parameters: a number, several, or a log grid such as "1e8..1e10:3".

    Examples
    --------
    >>> FixedRatio(20, "1e8..1e10:3")
    FixedRatio(ratio=20, sizes=(100000000.0, 1000000000.0, 10000000000.0))
    """

    ratio: float
    sizes: float | str | Iterable[float]

    def __post_init__(self) -> None:
        if not (_finite(self.ratio) and self.ratio > 0):
            raise SettingsError(f"FixedRatio must have a ratio above zero; got {self.ratio!r:.40}", code="bad-design")
        object.__setattr__(self, "sizes", _positive_grid(self.sizes, "sizes"))


Design = IsoFLOP | FixedRatio | Sobol | Any


def design_frame(design: Design, law: Law) -> pl.DataFrame:
    """The points of a design, one row each.

    Raises SettingsError (`bad-design`), LawError (`no-cost`, `no-closed-form`), and what reading a frame raises.
    """
    import polars as pl

    from scalefast._data.frames import collect, read_frame

    if isinstance(design, IsoFLOP | FixedRatio):
        if set(law.variables) != {"N", "D"}:
            raise LawError(
                f"{type(design).__name__} is a design of N and D, and the law has {listing(law.variables)}",
                code="bad-design",
                hint="give a frame with a column for each variable, or sf.Sobol",
            )
        return _isoflop(design, law) if isinstance(design, IsoFLOP) else _fixed_ratio(design)
    if isinstance(design, Sobol):
        return pl.DataFrame(_sobol(design, law))
    return collect(read_frame(design))


def _isoflop(design: IsoFLOP, law: Law) -> pl.DataFrame:
    import numpy as np
    import polars as pl

    from scalefast._core import System
    from scalefast._optimum.best import best_size

    budgets = np.array(design.budgets)
    best = best_size(law, design.budgets)  # type: ignore[arg-type]
    if None in best:
        raise LawError("the law has no best N at every budget", code="no-closed-form", hint="use another design")
    steps = design.decades * (np.arange(design.sizes) / (design.sizes - 1) - 0.5) + design.offset
    spread = System.parse([("N", "best*exp(step*log(10))")], [])
    columns = {"best": np.repeat(np.array(best, dtype=np.float64), design.sizes), "step": np.tile(steps, len(budgets))}
    sizes, flops = spread.evaluate(columns, {})["N"], np.repeat(budgets, design.sizes)
    return pl.DataFrame({"N": sizes, "D": _data_for(str(law.cost), sizes, flops), "C": flops})


def _data_for(cost: str, sizes: Any, flops: Any) -> Any:
    """D at which the cost is `flops`, for costs in proportion to D."""
    import numpy as np

    from scalefast._core import System

    system = System.parse([("C", cost)], [])
    if set(system.symbols()) != {"N", "D"}:
        raise LawError(f"the cost {cost} is not a function of N and D", code="no-closed-form", hint="give a frame")
    one, two = (system.evaluate({"N": sizes, "D": np.full(len(sizes), d)}, {})["C"] for d in (1.0, 2.0))
    if not np.array_equal(two, 2 * one):
        raise LawError(f"the cost {cost} is not proportional to D", code="no-closed-form", hint="give a frame")
    return flops / one


def _fixed_ratio(design: FixedRatio) -> pl.DataFrame:
    import polars as pl

    sizes = pl.Series("N", list(design.sizes), dtype=pl.Float64)  # type: ignore[arg-type]
    return pl.DataFrame([sizes, (sizes * float(design.ratio)).alias("D")])


def _sobol(design: Sobol, law: Law) -> dict[str, Any]:
    from scalefast._core import System, sobol

    names, ranges = list(law.variables), {**law.fitted_range, **dict(design.ranges or {})}
    unknown = [name for name in design.ranges or {} if name not in names]
    if unknown:
        hint = did_you_mean(unknown[0], names, "variables")
        message = f"Sobol has a range for `{unknown[0]}`, which is not a variable of the law"
        raise SettingsError(message, code="unknown-symbol", column=unknown[0], hint=hint)
    missing = [name for name in names if name not in ranges]
    if missing:
        raise SettingsError(
            f"Sobol needs a range for {listing(missing)}",
            code="bad-design",
            column=missing[0],
            hint=f'the law has no fitted range: sf.Sobol({design.count}, ranges={{"{missing[0]}": (low, high)}})',
        )
    if len(names) > _MOST_DIMENSIONS:
        raise SettingsError(f"Sobol covers at most {_MOST_DIMENSIONS} variables", code="bad-design")
    axes = sobol(len(names), design.count)
    columns = {}
    for name, axis in zip(names, axes, strict=True):
        low, high = ranges[name]
        formula = "low*exp(u*log(high/low))" if low > 0 else "low + u*(high - low)"
        system = System.parse([("point", formula)], [])
        columns[name] = system.evaluate({"u": axis}, {"low": low, "high": high})["point"]
    return columns


def _positive_grid(given: Any, what: str) -> tuple[float, ...]:
    try:
        entries = [given] if isinstance(given, int | float | str) else list(given)
        points = tuple(float(p) for entry in entries for p in (read_grid(entry) if isinstance(entry, str) else [entry]))
    except (TypeError, ValueError, OverflowError) as error:
        raise SettingsError(f"{what} must be numbers; got {given!r:.60}", code="bad-design") from error
    if not points or not all(math.isfinite(point) and point > 0 for point in points):
        raise SettingsError(f"{what} must be positive, finite numbers, at least one", code="bad-design", limit=0.0)
    return points


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
