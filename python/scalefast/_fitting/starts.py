"""Explicit starts of a fit: a grid, a low-discrepancy set, or a frame. Each is solved locally, and nothing else is.

Stage: settings of a fit. In: `Grid`, `Sobol`, any frame or dict with a column for each free parameter. Out: a matrix of
`S` starts by all parameters of the law, in its order (fixed and tied ones hold NaN, which nobody reads).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scalefast._base.errors import SettingsError
from scalefast._base.suggest import did_you_mean, listing
from scalefast._base.wording import Advice, Phrase

if TYPE_CHECKING:
    from scalefast._data.frames import FloatArray
    from scalefast._forms.form import Parameter

__all__ = ["Grid", "Sobol", "Starts", "start_matrix"]

#: Starts of one grid: the largest published grid has 4,050,000 points.
_MOST_STARTS = 100_000_000
#: Dimensions of the core's Sobol sequence.
_MOST_DIMENSIONS = 16


@dataclass(frozen=True)
class Grid:
    """Every combination of the values given for each parameter; the last parameter varies fastest.

    Attributes
    ----------
    values
        One or several finite numbers for each free parameter, by its name.

    Examples
    --------
    >>> Grid({"alpha": [0.2, 0.4], "E": 1.7})
    Grid(alpha=[0.2, 0.4], E=[1.7])
    """

    values: Mapping[str, tuple[float, ...]] = field(init=False)

    def __init__(self, values: Mapping[str, float | Sequence[float]]) -> None:
        listed = {name: _floats(name, entry) for name, entry in values.items()}
        if not listed:
            raise SettingsError("the grid names no parameter", code="bad-starts", argument="starts")
        size = math.prod(len(entry) for entry in listed.values())
        if size > _MOST_STARTS:
            raise SettingsError(
                f"the grid has {size} points",
                code="bad-starts",
                argument="starts",
                value=float(size),
                limit=float(_MOST_STARTS),
            )
        object.__setattr__(self, "values", listed)

    def __hash__(self) -> int:
        return hash(tuple(self.values.items()))

    def __repr__(self) -> str:
        return "Grid(" + ", ".join(f"{name}={list(entry)}" for name, entry in self.values.items()) + ")"


@dataclass(frozen=True)
class Sobol:
    """The first `count` points of a Sobol sequence, evenly over ranges: starts of a fit, or the design of a simulation.

    Attributes
    ----------
    count
        How many points, at least 1.
    ranges
        (low, high) by name, on a log scale where both are positive. What it leaves out comes from the law: of a parameter
        the `start`, else finite bounds; of a variable the range that the law was fitted on.

    Examples
    --------
    >>> Sobol(64, ranges={"N": (1e8, 1e10)})
    Sobol(count=64, ranges={'N': (100000000.0, 10000000000.0)})
    """

    count: int
    ranges: Mapping[str, tuple[float, float]] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or isinstance(self.count, bool) or not 0 < self.count <= _MOST_STARTS:
            raise SettingsError(
                f"the count of Sobol must be at least 1; got {self.count!r}", code="bad-starts", argument="starts"
            )
        if self.ranges is not None:
            checked = {name: _ends(name, ends) for name, ends in self.ranges.items()}
            object.__setattr__(self, "ranges", checked)

    def __hash__(self) -> int:
        return hash((self.count, tuple((self.ranges or {}).items())))


Starts = Grid | Sobol | Any


def start_matrix(starts: Starts, parameters: Mapping[str, Parameter], free: Sequence[str]) -> FloatArray:
    """The starts as `S` rows by all parameters. Raises SettingsError, `bad-starts`, and what reading a frame raises."""
    if isinstance(starts, Sobol):
        return _sobol(starts, parameters, free)
    if isinstance(starts, Grid):
        _same_names(starts.values, parameters, free)
        return _arrange(_combinations(starts.values), parameters)
    from scalefast._data.frames import collect, read_frame, to_array

    frame = collect(read_frame(starts))
    _same_names([name for name in frame.columns if name in parameters], parameters, free)
    if frame.height == 0:
        raise SettingsError("the frame of starts has no rows", code="bad-starts", argument="starts")
    return _arrange({name: to_array(frame[name]) for name in frame.columns if name in parameters}, parameters)


def _combinations(values: Mapping[str, tuple[float, ...]]) -> dict[str, FloatArray]:
    """One column per parameter, every combination one row, the last parameter fastest."""
    import numpy as np

    shape = tuple(len(entry) for entry in values.values())
    axes = np.meshgrid(*values.values(), indexing="ij", copy=False, sparse=True)
    return {name: np.broadcast_to(axis, shape).reshape(-1) for name, axis in zip(values, axes, strict=True)}


def _arrange(columns: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> FloatArray:
    import numpy as np

    rows = len(next(iter(columns.values())))
    matrix = np.full((rows, len(parameters)), np.nan)
    for position, name in enumerate(parameters):
        if name in columns:
            matrix[:, position] = columns[name]
            if not np.isfinite(matrix[:, position]).all():
                raise SettingsError(
                    f"a start of `{name}` is not finite", code="bad-starts", argument="starts", column=name
                )
    return matrix


def _sobol(starts: Sobol, parameters: Mapping[str, Parameter], free: Sequence[str]) -> FloatArray:
    from scalefast._core import System, sobol

    if len(free) > _MOST_DIMENSIONS:
        raise SettingsError(
            f"Sobol starts cover at most {_MOST_DIMENSIONS} parameters",
            code="bad-starts",
            argument="starts",
            value=float(len(free)),
            limit=float(_MOST_DIMENSIONS),
        )
    given = starts.ranges or {}
    for name in given:
        if name not in free:
            hint = did_you_mean(name, free, "free parameters")
            raise SettingsError(
                f"starts: `{name}` is not a free parameter",
                code="bad-starts",
                argument="starts",
                column=name,
                hint=hint,
            )
    points = sobol(len(free), starts.count)
    columns = {}
    for axis, name in enumerate(free):
        low, high = given[name] if name in given else _range(name, parameters[name])
        formula = "low*exp(u*log(high/low))" if low > 0 else "low + u*(high - low)"
        system = System.parse([("start", formula)], [])
        columns[name] = system.evaluate({"u": points[axis]}, {"low": low, "high": high})["start"]
    return _arrange(columns, parameters)


def _range(name: str, parameter: Parameter) -> tuple[float, float]:
    ends = parameter.start or parameter.bounds
    if ends is None or not all(math.isfinite(end) for end in ends):
        raise SettingsError(
            f"Sobol starts need a range for `{name}`",
            code="bad-starts",
            argument="starts",
            column=name,
            hint=Advice(
                "give finite ",
                Phrase(f'bounds={{"{name}": (low, high)}}', f"--bound {name}=LOW..HIGH"),
                ", or use a grid or a frame of starts",
            ),
        )
    return ends


def _ends(name: str, ends: Any) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in ends)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"the range of `{name}` needs two numbers", code="bad-starts", argument="starts", column=name
        ) from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SettingsError(
            f"the range of `{name}` must rise from one finite number to another",
            code="bad-starts",
            argument="starts",
            column=name,
            value=low,
            limit=high,
        )
    return low, high


def _same_names(given: Any, parameters: Mapping[str, Parameter], free: Sequence[str]) -> None:
    for name in given:
        if name not in parameters:
            hint = did_you_mean(name, free, "free parameters")
            raise SettingsError(
                f"starts: no parameter is called `{name}`", code="bad-starts", argument="starts", column=name, hint=hint
            )
    missing = [name for name in free if name not in given]
    if missing:
        raise SettingsError(
            f"starts: no values for {listing(missing)}",
            code="bad-starts",
            argument="starts",
            column=missing[0],
            hint="explicit starts name every free parameter",
        )


def _floats(name: str, entry: float | Sequence[float]) -> tuple[float, ...]:
    try:
        values = tuple(float(v) for v in entry) if not isinstance(entry, int | float) else (float(entry),)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"the grid of `{name}` is not made of numbers", code="bad-starts", argument="starts", column=name
        ) from error
    if not values or not all(math.isfinite(v) for v in values):
        raise SettingsError(
            f"the grid of `{name}` needs finite values", code="bad-starts", argument="starts", column=name
        )
    return values
