"""Numbers that seem to be in millions or billions.

Stage: diagnostics of fits, refusals of sweeps. In: the range of each variable in the data behind a law, or numbers that a
plan is asked for. Out: what looks scaled. A fit does not mind units, but a plan made from it would be off by as much as a
factor of 1e9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scalefast._base.errors import UnitsError
from scalefast._base.wording import Advice, Argument

__all__ = ["LARGEST_DATA", "LARGEST_SIZE", "Scaled", "looks_scaled", "refuse_scaled", "refuse_small"]

#: The largest model of a scaling study has more parameters than this, its longest run more tokens.
LARGEST_SIZE, LARGEST_DATA = 1e5, 1e6
#: And so its largest budget, at 6 FLOPs per parameter and token, has more FLOPs than this.
LARGEST_BUDGET = 6.0 * LARGEST_SIZE * LARGEST_DATA
#: The reserved symbols that count something, with the limit and the unit.
_COUNTS = {
    "N": (LARGEST_SIZE, "parameters"),
    **dict.fromkeys(("D", "U", "T"), (LARGEST_DATA, "tokens")),
    "C": (LARGEST_BUDGET, "FLOPs"),
}


class Scaled(NamedTuple):
    """A variable whose largest value is suspiciously small."""

    name: str
    message: str
    value: float
    limit: float


def looks_scaled(ranges: Mapping[str, tuple[float, float]]) -> list[Scaled]:
    """The variables of `ranges` that seem to be in thousands, millions or billions."""
    found = []
    for name in ("N", "D"):
        limit, unit = _COUNTS[name]
        if name in ranges and ranges[name][1] < limit:
            value = ranges[name][1]
            message = f"the largest {name} is {value:g} {unit}: is the column in millions or billions?"
            found.append(Scaled(name, message, value, limit))
    return found


def refuse_scaled(ranges: Mapping[str, tuple[float, float]], law: str) -> None:
    """Raises UnitsError, `looks-scaled`, for a law that was fitted to scaled columns."""
    for found in looks_scaled(ranges):
        raise UnitsError(
            f"{law}: {found.message}",
            code="looks-scaled",
            column=found.name,
            value=found.value,
            limit=found.limit,
            hint=Advice("fit again with ", Argument("units", {found.name: "millions"}), " (or the unit of the column)"),
        )


def refuse_small(where: str, name: str, largest: float) -> None:
    """Raises UnitsError, `looks-scaled`, where the largest value of a reserved symbol is too small; zero means none at all.

    >>> refuse_small("scenarios", "U", 25e9)
    >>> refuse_small("scenarios", "U", 25)
    Traceback (most recent call last):
    scalefast._base.errors.UnitsError: scenarios: the largest U is 25 tokens: is it in millions or billions?
    hint: give plain numbers, such as 25e9 tokens
    """
    limit, unit = _COUNTS.get(name, (0.0, ""))
    if 0 < largest < limit:
        asked = "PF-days or dollars" if name == "C" else "millions or billions"
        example = "1e24" if name == "C" else "25e9"
        raise UnitsError(
            f"{where}: the largest {name} is {largest:g} {unit}: is it in {asked}?",
            code="looks-scaled",
            argument=where,
            column=name,
            value=largest,
            limit=limit,
            hint=f"give plain numbers, such as {example} {unit}",
        )
