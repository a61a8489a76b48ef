"""Uncertain quantities: a number, a range or a distribution, its central value and its draws.

Stage: before budgets. In: what the user writes for a utilisation, a price, a share. Out: `Quantity`. Draws are the core's,
a function of the seed, the name and the place, so that draw k of a price goes with draw k of the law's parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from scalefast._base.errors import SettingsError, about
from scalefast._base.numbers import Uncertain, read_number, read_uncertain
from scalefast._core import describe, quantity
from scalefast._data.frames import FloatArray

__all__ = ["LIMITS", "Quantity", "read_quantity"]

_SMALLEST = 5e-324
#: What is possible of each quantity: shares lie above 0 and up to 1, prices above 0, a data centre's overhead from 1 on.
#: The order numbers the random series: append, never insert.
LIMITS = {
    "mfu": (_SMALLEST, 1.0),
    "goodput": (_SMALLEST, 1.0),
    "final_run_share": (_SMALLEST, 1.0),
    "price": (_SMALLEST, math.inf),
    "serving_mfu": (_SMALLEST, 1.0),
    "serving_price": (_SMALLEST, math.inf),
    "pue": (1.0, math.inf),
}
_UNITS = {"price": "dollars per accelerator-hour", "serving_price": "dollars per accelerator-hour"}


@dataclass(frozen=True)
class Quantity:
    """A quantity with its central value (the median) and, where it is uncertain, its distribution.

    `origin` says where it comes from: `given`, `default`, or `table`, the accelerator's entry. `lowest` and `highest` are
    the ends within which it may reasonably lie, for tables of what an assumption matters; None where nothing is known.
    """

    name: str
    value: float
    spread: Uncertain | None
    origin: str
    lowest: float | None = None
    highest: float | None = None

    @property
    def words(self) -> str:
        """As a person would write it."""
        if self.spread is None:
            return f"{self.value:g}"
        if self.spread.kind == "uniform":
            return f"{self.spread.first:g} to {self.spread.second:g}"
        return f"{self.spread.kind}({self.spread.first:g}, {self.spread.second:g})"

    def draws(self, seed: int, count: int) -> FloatArray:
        """`count` draws within what is possible. Raises SettingsError (`bad-quantity`) where that is hardly anything."""
        assert self.spread is not None
        series = list(LIMITS).index(self.name)
        spread, limits = self.spread, LIMITS[self.name]
        found = quantity(seed, series, spread.kind, (spread.first, spread.second), limits, count)
        if found is None:
            raise SettingsError(
                f"{self.name}: hardly any of {self.words} is possible",
                code="bad-quantity",
                argument=self.name,
                column=self.name,
                hint=f"it lies {_possible(self.name)}",
            )
        return found


def read_quantity(name: str, given: Any, *, origin: str = "given") -> Quantity:
    """The quantity `name` from a number, text, a (low, high) pair or `Uncertain`.

    Raises SettingsError: `bad-quantity` for what is impossible (a utilisation above 1, a price below 0), `bad-number`.

    >>> read_quantity("mfu", "0.35..0.45").value, read_quantity("price", "lognormal(2.5, 0.2)").value
    (0.4, 2.5)
    """
    found = _parsed(name, given)
    if isinstance(found, float):
        _check(name, found)
        return Quantity(name, found, None, origin)
    if found.kind == "uniform":
        for end in (found.first, found.second):
            _check(name, end)
        centre = 0.5 * (found.first + found.second)
        return Quantity(name, centre, found, origin, found.first, found.second)
    _check(name, found.first)
    quantity = Quantity(name, found.first, found, origin)
    _, _, _, (low, high) = describe(quantity.draws(0, 1000), [0.05, 0.95])
    return replace(quantity, lowest=low, highest=high)


def _parsed(name: str, given: Any) -> float | Uncertain:
    if isinstance(given, str):
        given = given.replace("$", "") if name in _UNITS else given
        low, dots, high = given.partition("..")
        with about(name):
            given = (read_number(low, name), read_number(high, name)) if dots else read_uncertain(given, name)
    if isinstance(given, Uncertain):
        # Written out, it passes the same checks as text does.
        return read_uncertain(f"{given.kind}({given.first!r},{given.second!r})", name)
    if isinstance(given, tuple | list) and len(given) == 2:
        ends = [_number(name, end) for end in given]
        if ends[0] > ends[1]:
            raise _impossible(name, f"the range {ends[0]:g} to {ends[1]:g}", ends[0], "give its lower end first")
        return ends[0] if ends[0] == ends[1] else Uncertain("uniform", *ends)
    return _number(name, given)


def _number(name: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        hint = 'a number, a range (0.35, 0.45), or a distribution such as "normal(0.4, 0.03)"'
        message = f"{name} must be a quantity; got {given!r:.60}"
        raise SettingsError(message, code="bad-quantity", argument=name, column=name, hint=hint)
    return float(given)


def _check(name: str, value: float) -> None:
    low, high = LIMITS[name]
    if not (math.isfinite(value) and low <= value <= high):
        raise _impossible(name, f"{value:g}", value)


def _possible(name: str) -> str:
    low, high = LIMITS[name]
    unit = f" {_UNITS[name]}" if name in _UNITS else ""
    from_below = f"above 0{unit}" if low < 1 else f"at least {low:g}"
    return from_below if math.isinf(high) else f"above 0 and at most {high:g}"


def _impossible(name: str, what: str, value: float | None, hint: str | None = None) -> SettingsError:
    low, high = LIMITS[name]
    limit = high if value is not None and value > high else max(low, 0.0)
    return SettingsError(
        f"{name}: {what} is not possible: it lies {_possible(name)}",
        code="bad-quantity",
        argument=name,
        column=name,
        value=value,
        limit=limit,
        hint=hint or (f"write 0.4 for 40 %: {name} is a share" if value is not None and 1 < value <= 100 else None),
    )
