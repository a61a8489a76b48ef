"""Numbers that seem to be in millions or billions.

Stage: diagnostics of fits, refusals of sweeps. In: the range of each variable in the data behind a law. Out: what looks
scaled. A fit does not mind units, but a plan made from it would be off by as much as a factor of 1e9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scalefast._errors import UnitsError

__all__ = ["LARGEST_DATA", "LARGEST_SIZE", "Scaled", "looks_scaled", "refuse_scaled"]

#: The largest model of a scaling study has more parameters than this, its longest run more tokens.
LARGEST_SIZE, LARGEST_DATA = 1e5, 1e6


class Scaled(NamedTuple):
    """A variable whose largest value is suspiciously small."""

    name: str
    message: str
    value: float
    limit: float


def looks_scaled(ranges: Mapping[str, tuple[float, float]]) -> list[Scaled]:
    """The variables of `ranges` that seem to be in thousands, millions or billions."""
    found = []
    for name, limit, what in (("N", LARGEST_SIZE, "parameters"), ("D", LARGEST_DATA, "tokens")):
        if name in ranges and ranges[name][1] < limit:
            value = ranges[name][1]
            message = f"the largest {name} is {value:g} {what}: is the column in millions or billions?"
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
            hint=f'fit again with units={{"{found.name}": "millions"}} (or the unit of the column)',
        )
