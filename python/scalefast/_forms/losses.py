"""Robust losses as values: what a fit minimises, the sum over rows of w * rho(r).

Stage: settings of a fit and recipes of law files. The functions rho, rho', rho'' themselves live once, in
`rust/core/src/loss.rs`; here are only names and checked constants. r is prediction minus data, in units of the residual
(log: relative; identity: nats per token). Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

from scalefast._base.errors import SettingsError
from scalefast._base.suggest import did_you_mean

__all__ = [
    "LOSSES",
    "Asymmetric",
    "Cauchy",
    "Huber",
    "Loss",
    "Pinball",
    "SoftL1",
    "Squared",
    "loss_constants",
    "loss_fields",
    "loss_from_fields",
    "settled_loss",
]


def _require(condition: bool, message: str, value: object) -> None:
    if not condition:
        number = float(value) if isinstance(value, int | float) else None
        raise SettingsError(message, code="bad-loss", value=number)


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


@dataclass(frozen=True, slots=True)
class Squared:
    """r²/2.

    Examples
    --------
    >>> Squared()
    Squared()
    """

    name: ClassVar[str] = "squared"


@dataclass(frozen=True, slots=True)
class Huber:
    """r²/2 where |r| <= delta, else delta * (|r| - delta/2).

    Attributes
    ----------
    delta
        The threshold in units of the residual, above zero; `"auto"` takes 1.345 robust sigma (Huber 1964: 95 % efficient
        under normal noise).

    Examples
    --------
    >>> Huber(1e-3)
    Huber(delta=0.001)
    """

    name: ClassVar[str] = "huber"
    delta: float | Literal["auto"]

    def __post_init__(self) -> None:
        _require(
            self.delta == "auto" or _positive(self.delta), f"Huber needs delta > 0, not {self.delta!r}", self.delta
        )


@dataclass(frozen=True, slots=True)
class SoftL1:
    """delta² * (sqrt(1 + r²/delta²) - 1).

    Attributes
    ----------
    delta
        The residual beyond which the loss grows in proportion, above zero.

    Examples
    --------
    >>> SoftL1(0.01)
    SoftL1(delta=0.01)
    """

    name: ClassVar[str] = "soft-l1"
    delta: float

    def __post_init__(self) -> None:
        _require(_positive(self.delta), f"SoftL1 needs delta > 0, not {self.delta!r}", self.delta)


@dataclass(frozen=True, slots=True)
class Cauchy:
    """delta²/2 * ln(1 + r²/delta²).

    Attributes
    ----------
    delta
        The residual of greatest influence, above zero; larger ones count less and less.

    Examples
    --------
    >>> Cauchy(0.01)
    Cauchy(delta=0.01)
    """

    name: ClassVar[str] = "cauchy"
    delta: float

    def __post_init__(self) -> None:
        _require(_positive(self.delta), f"Cauchy needs delta > 0, not {self.delta!r}", self.delta)


@dataclass(frozen=True, slots=True)
class Asymmetric:
    """weight * r²/2 where the law predicts too low, r²/2 elsewhere.

    Attributes
    ----------
    weight
        How much more a prediction that is too low counts, above zero.

    Examples
    --------
    >>> Asymmetric(3.0)
    Asymmetric(weight=3.0)
    """

    name: ClassVar[str] = "asymmetric"
    weight: float

    def __post_init__(self) -> None:
        _require(_positive(self.weight), f"Asymmetric needs weight > 0, not {self.weight!r}", self.weight)


@dataclass(frozen=True, slots=True)
class Pinball:
    """The loss of a quantile of the response, smoothed about zero.

    Attributes
    ----------
    quantile
        The share of rows below the law, in (0, 1).
    width
        The residual over which the corner at zero is rounded, above zero.

    Examples
    --------
    >>> Pinball(0.9, 1e-3)
    Pinball(quantile=0.9, width=0.001)
    """

    name: ClassVar[str] = "pinball"
    quantile: float
    width: float

    def __post_init__(self) -> None:
        inside = _positive(self.quantile) and self.quantile < 1
        _require(inside, f"Pinball needs a quantile between 0 and 1, not {self.quantile!r}", self.quantile)
        _require(_positive(self.width), f"Pinball needs width > 0, not {self.width!r}", self.width)


Loss = Squared | Huber | SoftL1 | Cauchy | Asymmetric | Pinball

#: Class by its name in law files, on the command line and in the core.
LOSSES: dict[str, type[Loss]] = {kind.name: kind for kind in get_args(Loss)}


def loss_constants(kind: type[Loss]) -> tuple[str, ...]:
    """Names of the constants of a loss, in order."""
    return tuple(entry.name for entry in fields(kind))


def loss_from_fields(name: str, constants: dict[str, Any]) -> Loss:
    """The loss called `name` with exactly its constants. Raises SettingsError, `unknown-loss` or `bad-loss`."""
    if name not in LOSSES:
        raise SettingsError(f"unknown loss `{name}`", code="unknown-loss", hint=did_you_mean(name, LOSSES, "losses"))
    kind = LOSSES[name]
    wanted = loss_constants(kind)
    if set(constants) != set(wanted):
        needs = ", ".join(wanted) if wanted else "no constant"
        raise SettingsError(f"loss `{name}` takes {needs}, not {', '.join(constants) or 'nothing'}", code="bad-loss")
    return kind(**constants)


def loss_fields(loss: Loss | None) -> tuple[str, list[float]]:
    """Name and constants of a loss for the core; `Huber("auto")` has no constant."""
    assert loss is not None, "a spec settles its loss"
    values = [getattr(loss, constant) for constant in loss_constants(type(loss))]
    return loss.name, [] if values == ["auto"] else [float(value) for value in values]


def settled_loss(found: tuple[str, list[float]]) -> Loss:
    """The loss that the core found: the inverse of `loss_fields`."""
    name, values = found
    return LOSSES[name](*values)
