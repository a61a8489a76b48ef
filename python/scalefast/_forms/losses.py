"""Robust losses as values: what a fit minimises, the sum over rows of w * rho(r).

Stage: settings of a fit and recipes of law files. The functions rho, rho', rho'' themselves live once, in
`rust/core/src/loss.rs`; here are only names and checked constants. r is prediction minus data, in units of the residual
(log: relative; identity: nats per token). Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from scalefast._base.errors import SettingsError
from scalefast._base.suggest import did_you_mean

__all__ = ["LOSSES", "Asymmetric", "Cauchy", "Huber", "Loss", "Pinball", "SoftL1", "Squared", "loss_from_fields"]


def _require(condition: bool, message: str, value: object) -> None:
    if not condition:
        number = float(value) if isinstance(value, int | float) else None
        raise SettingsError(message, code="bad-loss", value=number)


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


@dataclass(frozen=True, slots=True)
class Squared:
    """r²/2."""


@dataclass(frozen=True, slots=True)
class Huber:
    """r²/2 where |r| <= delta, else delta * (|r| - delta/2). `"auto"` takes delta = 1.345 robust sigma.

    >>> Huber(1e-3)
    Huber(delta=0.001)
    """

    delta: float | Literal["auto"]

    def __post_init__(self) -> None:
        _require(
            self.delta == "auto" or _positive(self.delta), f"Huber needs delta > 0, not {self.delta!r}", self.delta
        )


@dataclass(frozen=True, slots=True)
class SoftL1:
    """delta² * (sqrt(1 + r²/delta²) - 1)."""

    delta: float

    def __post_init__(self) -> None:
        _require(_positive(self.delta), f"SoftL1 needs delta > 0, not {self.delta!r}", self.delta)


@dataclass(frozen=True, slots=True)
class Cauchy:
    """delta²/2 * ln(1 + r²/delta²)."""

    delta: float

    def __post_init__(self) -> None:
        _require(_positive(self.delta), f"Cauchy needs delta > 0, not {self.delta!r}", self.delta)


@dataclass(frozen=True, slots=True)
class Asymmetric:
    """weight * r²/2 where the law predicts too low, r²/2 elsewhere."""

    weight: float

    def __post_init__(self) -> None:
        _require(_positive(self.weight), f"Asymmetric needs weight > 0, not {self.weight!r}", self.weight)


@dataclass(frozen=True, slots=True)
class Pinball:
    """The loss of a quantile in (0, 1), smoothed over `width`."""

    quantile: float
    width: float

    def __post_init__(self) -> None:
        inside = _positive(self.quantile) and self.quantile < 1
        _require(inside, f"Pinball needs a quantile between 0 and 1, not {self.quantile!r}", self.quantile)
        _require(_positive(self.width), f"Pinball needs width > 0, not {self.width!r}", self.width)


Loss = Squared | Huber | SoftL1 | Cauchy | Asymmetric | Pinball

#: Name in law files and on the command line, class, and its constants in order.
LOSSES: dict[str, tuple[type[Loss], tuple[str, ...]]] = {
    "squared": (Squared, ()),
    "huber": (Huber, ("delta",)),
    "soft-l1": (SoftL1, ("delta",)),
    "cauchy": (Cauchy, ("delta",)),
    "asymmetric": (Asymmetric, ("weight",)),
    "pinball": (Pinball, ("quantile", "width")),
}


def loss_from_fields(name: str, constants: dict[str, Any]) -> Loss:
    """The loss called `name` with exactly its constants. Raises SettingsError, `unknown-loss` or `bad-loss`."""
    if name not in LOSSES:
        raise SettingsError(f"unknown loss `{name}`", code="unknown-loss", hint=did_you_mean(name, LOSSES, "losses"))
    kind, wanted = LOSSES[name]
    if set(constants) != set(wanted):
        needs = ", ".join(wanted) if wanted else "no constant"
        raise SettingsError(f"loss `{name}` takes {needs}, not {', '.join(constants) or 'nothing'}", code="bad-loss")
    return kind(**constants)
