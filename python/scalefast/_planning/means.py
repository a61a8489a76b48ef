"""Budgets: from dollars, energy, accelerators and days to training compute, and from compute back to all of them.

Stage: before plans. In: constraints and uncertain quantities. Out: `Means`: for each constraint the FLOPs of the final run
that it pays for, what a FLOP of serving takes of it, and the hours, dollars and energy of a run; as formulas, evaluated by
the core at the central values or at draws. Units: FLOPs, dollars, kWh, hours, days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scalefast._base.errors import SettingsError, UnitsError
from scalefast._base.wording import Advice, Phrase
from scalefast._core import System
from scalefast._costs.hardware import Accelerator
from scalefast._data.frames import BoolArray, FloatArray
from scalefast._planning.quantity import Quantity

__all__ = ["CONSTRAINTS", "DEFAULT_MFU", "MFU_RANGE", "RATE", "Constraint", "Means", "evaluate", "not_scaled", "takes"]

#: Model FLOP utilisation that is assumed where none is given, and the range of what training runs report: PaLM 0.462,
#: MT-NLG 0.30, Gopher 0.38, OPT 0.47, BLOOM 0.50, LLaMA-65B 0.47, Llama 3 405B 0.38 to 0.43 (their papers).
DEFAULT_MFU, MFU_RANGE = 0.40, (0.30, 0.55)
#: FLOPs of the final run that one accelerator-hour of the whole programme yields.
RATE = "3600*peak*mfu*goodput*final_run_share"
#: What a FLOP of serving takes of a constraint that counts the accelerators' hours, in FLOPs of the final run.
_SERVED_HOURS = "mfu*goodput*final_run_share/serving_mfu"


@dataclass(frozen=True)
class Constraint:
    """One limit: the symbol that holds it, its unit, and as formulas the FLOPs that it pays for and the weight of serving."""

    name: str
    unit: str
    compute: str
    serving: str


#: The limits that a plan takes. Serving lies outside of the time in which a model is trained.
CONSTRAINTS = {
    entry.name: entry
    for entry in (
        Constraint("budget", "FLOPs", "budget*final_run_share", "final_run_share"),
        Constraint("dollars", "dollars", f"dollars/price*({RATE})", f"serving_price/price*{_SERVED_HOURS}"),
        Constraint("energy_kwh", "kWh", f"1000*energy_kwh/(power*pue)*({RATE})", _SERVED_HOURS),
        Constraint("accelerator_hours", "accelerator-hours", f"accelerator_hours*({RATE})", _SERVED_HOURS),
        Constraint("time", "days", f"24*count*days*({RATE})", "0*mfu"),
    )
}

#: Accelerator-hours of a run, from its training FLOPs `run`, its serving FLOPs `serving` and the quantities.
_HOURS = {"training": f"run/({RATE})", "served": "serving/(3600*peak*serving_mfu)"}
#: What a run takes, from its hours and the quantities.
_TAKES = {
    "accelerator_hours": "training + served",
    "days": "training/(24*count)",
    "dollars": "training*price + served*serving_price",
    "energy_kwh": "(training + served)*power*pue/1000",
    "co2_kg": "(training + served)*power*pue/1000*co2_per_kwh",
    "accelerators": "training/(24*days)",
}

Values = Mapping[str, float]
Columns = Mapping[str, FloatArray]


@dataclass(frozen=True, eq=False)
class Means:
    """What there is to spend, on which hardware.

    `limits` holds the number behind each constraint that was given; `count` and `days` are those of the accelerators.
    """

    accelerator: Accelerator | None
    count: int | None
    days: float | None
    limits: Mapping[str, float]
    quantities: Mapping[str, Quantity]
    co2_per_kwh: float | None = None
    _drawn: dict[tuple[str, int, int], FloatArray] = field(default_factory=dict, repr=False)

    @property
    def constraints(self) -> list[Constraint]:
        """Those that were given, in the order of the table."""
        return [entry for name, entry in CONSTRAINTS.items() if name in self.limits]

    @property
    def uncertain(self) -> list[str]:
        """Quantities with a distribution that something here depends on."""
        return [name for name, quantity in self.quantities.items() if quantity.spread is not None]

    @property
    def deciding(self) -> list[str]:
        """The uncertain quantities that what the limits pay for depends on."""
        texts = [text for entry in self.constraints for text in (entry.compute, entry.serving)]
        read = {symbol for text in texts for symbol in _symbols(text)}
        return [name for name in self.uncertain if read & set(self.symbols(name))]

    @property
    def numbers(self) -> dict[str, float]:
        """Central values by symbol."""
        found = {symbol: quantity.value for name, quantity in self.quantities.items() for symbol in self.symbols(name)}
        found |= {name: limit for name, limit in self.limits.items() if name != "time"}
        if self.accelerator is not None:
            found["peak"] = self.accelerator.peak
            if self.accelerator.power_w is not None:
                found["power"] = self.accelerator.power_w
        optional = {"count": self.count, "days": self.days, "co2_per_kwh": self.co2_per_kwh}
        return found | {name: float(value) for name, value in optional.items() if value is not None}

    def columns(self, name: str, seed: int, count: int) -> dict[str, FloatArray]:
        """Draws of an uncertain quantity, under every symbol that it stands for."""
        key = (name, seed, count)
        if key not in self._drawn:
            self._drawn[key] = self.quantities[name].draws(seed, count)
        return dict.fromkeys(self.symbols(name), self._drawn[key])

    def symbols(self, name: str) -> list[str]:
        """The symbols that a quantity stands for: serving takes what training does, unless that is given apart."""
        own = f"serving_{name}"
        return [name, own] if own in ("serving_mfu", "serving_price") and own not in self.quantities else [name]


def takes(
    run: FloatArray, serving: FloatArray, whole: Mapping[str, BoolArray], numbers: Values, columns: Columns
) -> dict[str, FloatArray]:
    """Hours, days, dollars, energy and CO2 of runs, as far as what they depend on is known.

    `whole` says of constraints where all of them is taken: there it is the limit itself, without the rounding of the way
    from it to FLOPs and back.
    """
    found = _known(_HOURS, numbers, {**columns, "run": run, "serving": serving})
    if "time" in whole:
        hours = evaluate({"all": "24*count*days"}, numbers, {})["all"]
        found["training"] = np.where(whole["time"], hours, found["training"])
    found = _known(_TAKES, numbers, {**columns, **found})
    for name, all_of_it in whole.items():
        symbol = "days" if name == "time" else name
        if symbol in found:
            found[symbol] = np.where(all_of_it, numbers[symbol], found[symbol])
    return found


def _known(formulas: Mapping[str, str], numbers: Values, columns: Columns) -> dict[str, FloatArray]:
    """Those of the formulas whose symbols are all known."""
    known = {*numbers, *columns}
    return evaluate({name: text for name, text in formulas.items() if set(_symbols(text)) <= known}, numbers, columns)


def evaluate(formulas: Mapping[str, str], numbers: Values, columns: Columns) -> dict[str, FloatArray]:
    """The formulas at numbers and columns, by the core; one row where there is no column."""
    if not formulas:
        return {}
    system = System.parse(list(formulas.items()), [])
    wanted = set(system.symbols())
    return system.evaluate(
        {name: column for name, column in columns.items() if name in wanted},
        {name: value for name, value in numbers.items() if name in wanted and name not in columns},
    )


def _symbols(text: str) -> list[str]:
    return System.parse([("x", text)], []).symbols()


#: Below these, a number is more likely in billions, or in PF-days, than plain.
_LEAST: dict[str, tuple[float, str, str]] = {
    "N": (1e5, "parameters", "70B"),
    "D": (1e6, "tokens", "1.4T"),
    "served_tokens": (1e6, "tokens", "2T"),
    "unique_tokens": (1e6, "tokens", "12T"),
    "budget": (1e12, "FLOPs", "3640PF-days or 1e24"),
}


def not_scaled(name: str, value: Any) -> float | None:
    """A positive, finite number, or None. Raises SettingsError (`not-positive`), UnitsError (`looks-scaled`)."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"{name} must be a number; got {value!r:.60}"
        raise SettingsError(message, code="bad-number", argument=name, column=name)
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise SettingsError(
            f"{name} must be positive and finite; got {number:g}",
            code="not-positive",
            argument=name,
            column=name,
            value=number,
            limit=0.0,
        )
    if name in _LEAST and number < _LEAST[name][0]:
        least, unit, example = _LEAST[name]
        raise UnitsError(
            f"{name} = {number:g} {unit} looks scaled: plans count plain {unit}",
            code="looks-scaled",
            argument=name,
            column=name,
            value=number,
            limit=least,
            hint=Advice("write the number in full", Phrase("", f", or {example}")),
        )
    return number
