"""What a plan may spend, read from its arguments.

Stage: before budgets. In: budget, dollars, energy, accelerators, days, utilisation and price as the user gives them. Out:
`Means`. What contradicts itself, is missing or impossible is a SettingsError that names it; of several limits none is
refused, since the plan says which of them binds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scalefast._base.errors import SettingsError
from scalefast._base.numbers import Accelerators, read_accelerators, read_budget, read_time
from scalefast._base.wording import Advice, Argument
from scalefast._costs.hardware import Accelerator, find_accelerator
from scalefast._planning.means import DEFAULT_MFU, MFU_RANGE, Means, not_scaled
from scalefast._planning.quantity import Quantity, read_quantity

__all__ = ["Hardware", "Serving", "read_means"]


@dataclass(frozen=True)
class Hardware:
    """Accelerators, and what they yield and cost, as the user gives them; None where not given."""

    accelerators: Any = None
    days: Any = None
    quantities: Mapping[str, Any] = field(default_factory=dict)
    accelerators_file: str | Path | None = None
    co2_per_kwh: float | None = None


@dataclass(frozen=True)
class Serving:
    """What a model serves after training, as the user gives it: tokens, the formula of their FLOPs, utilisation and price."""

    tokens: float | None = None
    cost: str = ""
    mfu: Any = None
    price: Any = None

    @property
    def quantities(self) -> dict[str, Any]:
        """Those of the hardware that differ from training; None where not given."""
        return {"serving_mfu": self.mfu, "serving_price": self.price}

    @property
    def formula(self) -> str | None:
        """The FLOPs of the tokens, or None where none are served."""
        return None if self.tokens is None else self.cost


def read_means(limits: Mapping[str, Any], hardware: Hardware, serving: Serving) -> Means:
    """Limits by the name of their constraint, and the hardware and the serving that they pay for.

    Raises SettingsError: `missing-accelerator`, `missing-count`, `missing-price`, `missing-power`, `not-positive`,
    `bad-quantity`, `unknown-accelerator`, `ambiguous-accelerator`; UnitsError (`looks-scaled`).
    """
    quantities = {**hardware.quantities, **serving.quantities}
    days = hardware.days
    numbers: dict[str, float] = {}
    for name, given in limits.items():
        found = not_scaled(name, read_budget(given) if name == "budget" and isinstance(given, str) else given)
        if found is not None:
            numbers[name] = found
    length = not_scaled("days", read_time(days) if isinstance(days, str) else days)
    count, accelerator = _accelerators(hardware.accelerators, hardware.accelerators_file)
    if accelerator is None:
        _refuse_without_accelerator(numbers, length, quantities)
    found_quantities = _quantities(quantities, accelerator, serving.tokens is not None, set(numbers))
    if length is not None and count is not None:
        numbers["time"] = length
    elif length is not None and not numbers and accelerator is not None:
        raise SettingsError(
            f"{length:g} days of {accelerator.id}: how many of them?",
            code="missing-count",
            argument="accelerators",
            hint=Advice("write ", Argument("accelerators", f"100x{accelerator.id}")),
        )
    if "energy_kwh" in numbers and accelerator is not None and accelerator.power_w is None:
        raise SettingsError(
            f"the table knows no power of {accelerator.id}, so a budget of energy buys nothing known",
            code="missing-power",
            hint=Advice("add power_w in a table of yours: ", Argument("accelerators_file")),
        )
    return Means(accelerator, count, length, numbers, found_quantities, not_scaled("co2_per_kwh", hardware.co2_per_kwh))


def _accelerators(given: Any, own: str | Path | None) -> tuple[int | None, Accelerator | None]:
    if given is None:
        return None, None
    if isinstance(given, Accelerator):
        return None, given
    if isinstance(given, Accelerators):
        count, name = given.count, given.name
    elif isinstance(given, str):
        counted = re.match(r"\s*[\d_]", given)
        parsed = read_accelerators(given) if counted else Accelerators(0, given.strip())
        count, name = parsed.count, parsed.name
        if counted and count < 1:
            message = f"accelerators must be at least one; got {count:g}"
            raise SettingsError(message, code="not-positive", argument="accelerators", value=float(count))
    else:
        raise SettingsError(
            f"accelerators must be a count and a name; got {given!r:.60}",
            code="bad-number",
            argument="accelerators",
            hint='such as "1024xH100-SXM", or "H100-SXM" where the count is free',
        )
    return count or None, find_accelerator(name, own)


def _refuse_without_accelerator(numbers: Mapping[str, float], days: float | None, given: Mapping[str, Any]) -> None:
    needing = [name for name in numbers if name != "budget"] + (["days"] if days is not None else [])
    needing += [name for name, value in given.items() if value is not None and name != "final_run_share"]
    if needing:
        raise SettingsError(
            f"{needing[0]} says nothing without an accelerator",
            code="missing-accelerator",
            argument=needing[0],
            column=needing[0],
            hint=Advice("name one, with or without a count: ", Argument("accelerators", "H100-SXM")),
        )


def _quantities(
    given: Mapping[str, Any], accelerator: Accelerator | None, served: bool, limits: set[str]
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    if accelerator is not None:
        mfu = given.get("mfu")
        found["mfu"] = read_quantity(
            "mfu", DEFAULT_MFU if mfu is None else mfu, origin="default" if mfu is None else "given"
        )
        if mfu is None:
            found["mfu"] = replace(found["mfu"], lowest=MFU_RANGE[0], highest=MFU_RANGE[1])
    defaults = {"goodput": 1.0, "final_run_share": 1.0, "pue": 1.0}
    for name, default in defaults.items():
        value = given.get(name)
        if value is not None or accelerator is not None or name == "final_run_share":
            origin = "default" if value is None else "given"
            found[name] = read_quantity(name, default if value is None else value, origin=origin)
    if accelerator is not None:
        price = given.get("price")
        if price is not None:
            found["price"] = read_quantity("price", price)
        elif accelerator.price is not None:
            found["price"] = read_quantity("price", accelerator.price, origin="table")
        elif "dollars" in limits:
            raise SettingsError(
                f"the table knows no price of {accelerator.id}, so dollars buy nothing known",
                code="missing-price",
                argument="price",
                hint=Advice("give dollars per hour of one: ", Argument("price", 2.5)),
            )
    for name in ("serving_mfu", "serving_price"):
        if given.get(name) is not None:
            if not served:
                raise SettingsError(
                    f"{name} says nothing without served tokens",
                    code="missing-given",
                    argument=name,
                    column=name,
                    hint=Advice("give ", Argument("served_tokens", 2e12)),
                )
            found[name] = read_quantity(name, given[name])
    return {name: quantity for name, quantity in found.items() if math.isfinite(quantity.value)}
