"""Numbers as people write them, and back.

Stage: the command line and law files, before anything else; tables, after everything else. In: text such as `70B`,
`1.4T`, `1e24`, `1_000`, `$10M`, `1024xH100`, `30d`, `1e20..1e26:61`, `uniform(0.35,0.45)`. Out: floats in plain units
(parameters, tokens, FLOPs, dollars, days). Data files carry plain numbers and never come here. Standard library only.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from scalefast._base.errors import SettingsError, UnitsError
from scalefast._base.suggest import did_you_mean

__all__ = [
    "COLUMN_UNITS",
    "Accelerators",
    "Uncertain",
    "column_factor",
    "format_count",
    "format_flops",
    "format_loss",
    "label",
    "read_accelerators",
    "read_budget",
    "read_days",
    "read_dollars",
    "read_energy",
    "read_grid",
    "read_number",
    "read_positive",
    "read_time",
    "read_uncertain",
]

#: Decimal multiples. Only capitals (and `k`) are read: a small `m` may be milli, minutes or months, `b` bits, `t` tonnes.
_MULTIPLES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12, "P": 1e15}
_AMBIGUOUS = {"m": "M", "b": "B", "t": "T", "g": "G", "p": "P"}
_NUMBER = re.compile(r"([+-]?)((?:\d(?:_?\d)*)?(?:\.(?:\d(?:_?\d)*)?)?(?:[eE][+-]?\d+)?)\s*([^\W\d_]*)", re.ASCII)
#: Days in each unit of time. `m` is missing since it may be minutes or months.
_DAYS = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.25}
#: kWh in each unit of energy.
_KWH = {"kwh": 1.0, "mwh": 1e3, "gwh": 1e6}
_ENERGY = re.compile(r"(.+?)\s*(kwh|mwh|gwh)", re.IGNORECASE)
_PF_DAYS = re.compile(r"(.+?)\s*PF-?days?", re.IGNORECASE)
_DISTRIBUTIONS = ("uniform", "normal", "lognormal")
#: Factors of the units that a column may be declared in (`units={"N": "millions"}`). 1 PF-day is 1e15 * 86400 FLOPs.
COLUMN_UNITS = {
    "ones": 1.0,
    "thousands": 1e3,
    "millions": 1e6,
    "billions": 1e9,
    "trillions": 1e12,
    "FLOPs": 1.0,
    "TFLOPs": 1e12,
    "PFLOPs": 1e15,
    "EFLOPs": 1e18,
    "ZFLOPs": 1e21,
    "PF-days": 8.64e19,
}


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A quantity with a distribution.

    Attributes
    ----------
    kind
        `uniform`, `normal` or `lognormal`.
    first
        The low end, the mean, or the median.
    second
        The high end, the standard deviation, or that of the logarithm.

    Examples
    --------
    >>> Uncertain("uniform", 0.35, 0.45)
    Uncertain(kind='uniform', first=0.35, second=0.45)
    """

    kind: str
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Accelerators:
    """A number of accelerators and the name that they go by.

    Attributes
    ----------
    count
        How many.
    name
        A name of the table of hardware (`sf.accelerators()`), such as `H100-SXM`.

    Examples
    --------
    >>> Accelerators(1024, "H100-SXM")
    Accelerators(count=1024, name='H100-SXM')
    """

    count: int
    name: str


def read_number(text: str, what: str = "value") -> float:
    """A finite number, with `_` between digits and a decimal multiple K M B (or G) T P as suffix.

    Raises SettingsError with code `bad-number`, `ambiguous-suffix` or `number-too-large`.

    >>> read_number("1.4T"), read_number("1_000"), read_number("1e24")
    (1400000000000.0, 1000.0, 1e+24)
    """
    stripped = text.strip()
    match = _NUMBER.fullmatch(stripped)
    if match is None or not re.search(r"\d", match[2].split("e")[0].split("E")[0]):
        raise SettingsError(
            f"{what} must be a number; got `{_shorten(text)}`",
            code="bad-number",
            hint="write a plain number or one with a multiple, such as 70B, 1.4T, 1e24 or 1_000",
        )
    sign, digits, suffix = match[1], match[2].replace("_", ""), match[3]
    if suffix in _AMBIGUOUS:
        raise SettingsError(
            f"{what}: the suffix `{suffix}` of `{_shorten(text)}` is ambiguous",
            code="ambiguous-suffix",
            hint=f"write `{sign}{digits}{_AMBIGUOUS[suffix]}` for {_MULTIPLES[_AMBIGUOUS[suffix]]:g} times, "
            "or the number in full",
        )
    if suffix and suffix not in _MULTIPLES:
        raise SettingsError(
            f"{what}: unknown suffix `{suffix}` in `{_shorten(text)}`",
            code="bad-number",
            hint="multiples are K (1e3), M (1e6), B or G (1e9), T (1e12) and P (1e15)",
        )
    # One decimal literal, rounded once, so that `70B` is exactly the float of 70e9.
    mantissa, _, exponent = digits.lower().partition("e")
    power = (
        int(exponent or 0) + (round(math.log10(_MULTIPLES[suffix])) if suffix else 0) if len(exponent) < 7 else 10**6
    )
    value = float(f"{sign}{mantissa}e{power}")
    if math.isinf(value):
        raise SettingsError(
            f"{what}: `{_shorten(text)}` is too large for a number",
            code="number-too-large",
            hint="the largest number is about 1.8e308",
        )
    return value


def read_positive(text: str, what: str = "value") -> float:
    """A number above zero. Raises SettingsError with code `not-positive`, else as `read_number`."""
    value = read_number(text, what)
    if value <= 0:
        raise SettingsError(
            f"{what} must be above zero; got `{_shorten(text)}`", code="not-positive", value=value, limit=0.0
        )
    return value


def read_grid(text: str, what: str = "budget") -> list[float]:
    """One positive number, or a log grid `low..high:count` with both ends.

    Points are rounded to 15 digits, so decades are exact and the same on every machine.

    >>> read_grid("1e20..1e22:3")
    [1e+20, 1e+21, 1e+22]
    """
    if ".." not in text:
        return [read_positive(text, what)]
    match = re.fullmatch(r"(.+?)\.\.(.+?):\s*(\d[\d_]*)\s*", text.strip())
    if match is None:
        raise SettingsError(
            f"{what} must be a number or a grid; got `{_shorten(text)}`",
            code="bad-grid",
            hint="a log grid is written low..high:count, such as 1e20..1e26:61",
        )
    low, high = read_positive(match[1], what), read_positive(match[2], what)
    count = int(match[3])
    if count < 2 or count > 1_000_000 or not low < high:
        raise SettingsError(
            f"{what} must be a rising grid of 2 to 1,000,000 points; got `{_shorten(text)}`",
            code="bad-grid",
            hint="a log grid is written low..high:count, such as 1e20..1e26:61",
        )
    begin, end = math.log10(low), math.log10(high)
    inner = [float(f"{10.0 ** (begin + (end - begin) * i / (count - 1)):.14e}") for i in range(1, count - 1)]
    return [low, *inner, high]


def read_dollars(text: str, what: str = "dollars") -> float:
    """An amount such as `$10M` or `2.5e6`, in dollars."""
    return read_positive(text.strip().removeprefix("$"), what)


def read_days(text: str, what: str = "duration") -> float:
    """A duration such as `30d`, `12h` or `6w`, in days; a plain number is refused since it names no unit."""
    match = re.fullmatch(r"\s*([\d._eE+-]+)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2] not in _DAYS:
        unit = match[2] if match else ""
        ambiguous = unit in ("m", "M")
        raise SettingsError(
            f"{what}: `{unit}` is ambiguous"
            if ambiguous
            else f"{what} must be a duration with its unit; got `{_shorten(text)}`",
            code="ambiguous-suffix" if ambiguous else "bad-number",
            hint="write s, min, h, d, w or y after the number, such as 30d",
        )
    return read_positive(match[1], what) * _DAYS[match[2]]


def read_budget(text: str, what: str = "budget") -> float:
    """FLOPs: a number, or PF-days with their unit.

    >>> read_budget("1e24"), read_budget("1 PF-day")
    (1e+24, 8.64e+19)
    """
    match = _PF_DAYS.fullmatch(text.strip())
    return read_number(match[1], what) * COLUMN_UNITS["PF-days"] if match else read_number(text, what)


def read_time(text: str, what: str = "days") -> float:
    """Days: a number of them, or a duration with its unit, such as 6w."""
    try:
        return read_number(text, what)
    except SettingsError:
        return read_days(text, what)


def read_energy(text: str, what: str = "energy") -> float:
    """An energy with its unit, in kWh.

    >>> read_energy("500MWh"), read_energy("2.5 GWh")
    (500000.0, 2500000.0)
    """
    match = _ENERGY.fullmatch(text.strip())
    if match is None:
        raise SettingsError(
            f"{what} must be an energy with its unit; got `{_shorten(text)}`",
            code="bad-number",
            hint="write kWh, MWh or GWh after the number, such as 500MWh",
        )
    return read_positive(match[1], what) * _KWH[match[2].lower()]


def read_accelerators(text: str, what: str = "accelerators") -> Accelerators:
    """A count and a name, such as `1024xH100`."""
    match = re.fullmatch(r"\s*([\d_]+[kK]?)\s*[x×*]\s*([A-Za-z][\w.+-]*)\s*", text)
    if match is None:
        raise SettingsError(
            f"{what} must be a count and a name; got `{_shorten(text)}`",
            code="bad-number",
            hint="write the count, an x and the name, such as 1024xH100",
        )
    return Accelerators(int(read_positive(match[1], what)), match[2])


def read_uncertain(text: str, what: str = "value") -> float | Uncertain:
    """A number, or `uniform(low,high)`, `normal(mean,sd)`, `lognormal(median,sd of the log)`.

    >>> read_uncertain("uniform(0.35,0.45)")
    Uncertain(kind='uniform', first=0.35, second=0.45)
    """
    match = re.fullmatch(r"\s*([a-z]+)\s*\(([^,()]+),([^,()]+)\)\s*", text)
    if match is None:
        return read_number(text, what)
    kind = match[1]
    if kind not in _DISTRIBUTIONS:
        raise SettingsError(
            f"{what}: unknown distribution `{kind}`",
            code="bad-number",
            hint=did_you_mean(kind, _DISTRIBUTIONS, "distributions"),
        )
    first, second = read_number(match[2], what), read_number(match[3], what)
    sound = first < second if kind == "uniform" else second > 0 and (kind == "normal" or first > 0)
    if not sound:
        raise SettingsError(
            f"{what} must be a distribution; got `{_shorten(text)}`",
            code="bad-number",
            hint="uniform takes low < high, normal a mean and an sd > 0, lognormal a median > 0 and an sd > 0",
        )
    return Uncertain(kind, first, second)


def column_factor(unit: str, what: str) -> float:
    """The factor that turns a column in `unit` into plain counts or FLOPs. Raises UnitsError, `unknown-unit`."""
    if unit not in COLUMN_UNITS:
        raise UnitsError(
            f"{what}: unknown unit `{_shorten(unit)}`",
            code="unknown-unit",
            hint=did_you_mean(unit, COLUMN_UNITS, "units"),
        )
    return COLUMN_UNITS[unit]


def format_count(value: float, digits: int = 4) -> str:
    """A count of parameters, tokens or dollars for a table.

    >>> format_count(95.86e9), format_count(1.739e12), format_count(20.0)
    ('95.86B', '1.739T', '20')
    """
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")
    for suffix, multiple in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if multiple <= abs(rounded) < multiple * 1000 or (suffix == "T" and multiple <= abs(rounded) < 1e16):
            return f"{float(f'{rounded / multiple:.{digits - 1}e}'):.15g}{suffix}"
    return f"{rounded:.{digits}g}"


def format_flops(value: float, digits: int = 4) -> str:
    """A number of FLOPs for a table: scientific, without padding.

    >>> format_flops(1e24), format_flops(5.76e23)
    ('1e24', '5.76e23')
    """
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def format_loss(value: float) -> str:
    """A loss in nats per token for a table: five decimals, as papers compare them."""
    return f"{value:.5f}"


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def label(quantile: float) -> str:
    """`05` for 0.05, `50` for 0.5, `97.5` for 0.975."""
    text = f"{100 * quantile:.10g}"
    return text.zfill(2) if "." not in text else text
