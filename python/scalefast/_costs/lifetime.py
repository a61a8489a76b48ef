"""What a model costs over its lifetime: training and serving, in FLOPs, in FLOPs of peak, or in dollars.

Stage: before sweeps and inverse questions. In: tokens served, utilisations, prices. Out: a formula of N and D (and T) that
`sweep` and `solve` take as `cost=`. Source: Sardana et al. 2024 (2401.00448), equations 2 and 5.
"""

from __future__ import annotations

import math

from scalefast._base.errors import SettingsError
from scalefast._base.wording import Advice, Argument
from scalefast._costs.hardware import find_accelerator

__all__ = ["lifetime_cost"]

_SECONDS_AN_HOUR = 3600


def lifetime_cost(
    served_tokens: float | None = None,
    *,
    training: str = "6*N*D",
    serving: str = "2*N",
    mfu: float | None = None,
    serving_mfu: float | None = None,
    price: float | None = None,
    serving_price: float | None = None,
    peak: float | str | None = None,
    serving_peak: float | str | None = None,
) -> str:
    """The cost of training a model and of serving it, as a formula of N and D.

    Parameters
    ----------
    served_tokens: tokens that the model reads and writes over its life; None: the symbol T, to be `given`.
    training: formula of the training FLOPs, such as what `training_cost` gives. serving: FLOPs of a token served.
    mfu, serving_mfu: utilisation, above 0 and at most 1; with them the cost counts FLOPs of peak.
    price, serving_price: dollars per accelerator-hour; peak, serving_peak: FLOP/s of an accelerator, or its name in
        `sf.accelerators()`; with all of them the cost counts dollars. What is left out for serving is as for training, the
        utilisation too.

    Raises SettingsError: `bad-utilisation`, `not-positive`, `missing-setting` where a price comes without peak and mfu,
    `unknown-accelerator`, `ambiguous-accelerator`.

    >>> import scalefast as sf
    >>> sf.lifetime_cost(2e12)
    '6*N*D + 2*N*2000000000000'
    >>> dollars = sf.lifetime_cost(2e12, mfu=0.4, serving_mfu=0.2, price=2.0, peak="H100-SXM")
    >>> row = sf.solve("hoffmann-2022-rounded", L=2.05, cost=dollars).row(0, named=True)
    >>> f"{row['N']:.3g} parameters, {row['D']:.3g} tokens, ${row['C']:.3g}"
    '4.63e+09 parameters, 1.9e+12 tokens, $1.26e+05'
    """
    utilisations = {"mfu": mfu, "serving_mfu": serving_mfu}
    for name, share in utilisations.items():
        if share is not None and not 0 < share <= 1:
            raise SettingsError(
                f"{name} must lie above 0 and at most at 1; got {share:g}",
                code="bad-utilisation",
                argument=name,
                column=name,
                value=float(share),
                limit=1.0,
                hint="a utilisation of 40 % is 0.4",
            )
    peak, serving_peak = (
        find_accelerator(entry).peak if isinstance(entry, str) else entry for entry in (peak, serving_peak)
    )
    prices = {"price": price, "serving_price": serving_price, "peak": peak, "serving_peak": serving_peak}
    for name, number in {"served_tokens": served_tokens, **prices}.items():
        if number is not None and not (math.isfinite(number) and number > 0):
            message = f"{name} must be positive and finite; got {number:g}"
            raise SettingsError(
                message, code="not-positive", argument=name, column=name, value=float(number), limit=0.0
            )
    priced = any(number is not None for number in prices.values())
    missing = [name for name, number in (("mfu", mfu), ("price", price), ("peak", peak)) if number is None]
    if (priced and missing) or (serving_mfu is not None and mfu is None):
        wanted = missing if priced else ["mfu"]
        message = f"a cost in {'dollars' if priced else 'FLOPs of peak'} needs {' and '.join(wanted)}"
        hint = Advice(Argument("mfu", 0.4), ", ", Argument("price", 2.0), ", ", Argument("peak", "H100-SXM"))
        raise SettingsError(message, code="missing-setting", argument=wanted[0], column=wanted[0], hint=hint)
    tokens = "T" if served_tokens is None else _number(served_tokens)
    served = f"{_product(serving)}*{tokens}"
    if mfu is None:
        return f"{training} + {served}"
    rate, serving_rate = f"/{_number(mfu)}", f"/{_number(serving_mfu or mfu)}"
    if price is not None and peak is not None:
        rate = _dollars(price, peak, mfu)
        serving_rate = _dollars(serving_price or price, serving_peak or peak, serving_mfu or mfu)
    return f"{_product(training)}{rate} + {_product(served)}{serving_rate}"


def _dollars(price: float, peak: float, mfu: float) -> str:
    """Dollars a FLOP."""
    return f"*{_number(price)}/({_SECONDS_AN_HOUR}*{_number(peak)}*{_number(mfu)})"


def _number(value: float) -> str:
    """The number in the formula language, every digit of it."""
    return f"{float(value)!r}".removesuffix(".0").replace("+", "")


def _product(formula: str) -> str:
    """The formula, in parentheses where a product of it would not be one."""
    return formula if not set(formula) & set("+-/") else f"({formula})"
