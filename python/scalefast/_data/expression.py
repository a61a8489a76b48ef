"""Formulas as Polars expressions: the same graph that the core evaluates, node by node.

Stage: binding of columns (`config.params_m*1e6`), and `law.expr`. In: a parsed formula and an expression for each of its
symbols. Out: a `pl.Expr`. Values agree with the core's to rounding, not to the bit: Polars uses other libraries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from scalefast._base.errors import DataError, FormulaError
from scalefast._base.suggest import did_you_mean, likeness, nearest
from scalefast._data.frames import exact_column

if TYPE_CHECKING:
    from scalefast._core import System

__all__ = ["column_expression", "to_expression"]

#: Polars expressions are trees: a shared node is written out at each of its uses. This many nodes are too many.
_MOST_NODES = 20_000


def _pick(first: pl.Expr, second: pl.Expr, take_first: pl.Expr) -> pl.Expr:
    missing = first.is_nan() | second.is_nan()
    return pl.when(missing).then(float("nan")).when(take_first).then(first).otherwise(second)


_UNARY: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "neg": lambda a: -a,
    "exp": lambda a: a.exp(),
    "log": lambda a: a.log(),
    "log2": lambda a: a.log(2.0),
    "log10": lambda a: a.log10(),
    "log1p": lambda a: a.log1p(),
    # Polars has no expm1; this product is exact to rounding, also where x is small.
    "expm1": lambda a: 2.0 * (a / 2.0).sinh() * (a / 2.0).exp(),
    "sqrt": lambda a: a.sqrt(),
    "abs": lambda a: a.abs(),
    "sin": lambda a: a.sin(),
    "cos": lambda a: a.cos(),
    "tan": lambda a: a.tan(),
    "arctan": lambda a: a.arctan(),
    "tanh": lambda a: a.tanh(),
    "sigmoid": lambda a: 1.0 / (1.0 + (-a).exp()),
}
_BINARY: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a.pow(b),
    "min": lambda a, b: _pick(a, b, a <= b),
    "max": lambda a, b: _pick(a, b, a >= b),
}


def to_expression(system: System, output: str, symbols: Mapping[str, pl.Expr]) -> pl.Expr:
    """The output of `system` with each symbol replaced. Raises FormulaError, `too-many-nodes`."""
    built: list[pl.Expr] = []
    size: list[int] = []
    for kind, payload, first, second in system.nodes(output):
        if kind == "constant":
            built.append(pl.lit(payload, dtype=pl.Float64))
            size.append(1)
        elif kind == "symbol":
            built.append(symbols[payload])
            size.append(1)
        elif kind in _UNARY:
            built.append(_UNARY[kind](built[first]))
            size.append(size[first] + 1)
        else:
            built.append(_BINARY[kind](built[first], built[second]))
            size.append(size[first] + size[second] + 1)
        if size[-1] > _MOST_NODES:
            raise FormulaError(
                "the formula is too large for a Polars expression", code="too-many-nodes", limit=float(_MOST_NODES)
            )
    return built[-1]


def column_expression(text: str, columns: list[str], what: str) -> pl.Expr:
    """A column, or a formula of columns, as an expression of Float64.

    An existing name beats a formula. Raises DataError, `unknown-column` (nearest named), and FormulaError.
    """
    if text in columns:
        return exact_column(text)
    from scalefast._core import System

    try:
        system = System.parse([(what, text)], [])
    except FormulaError as error:
        # Without an operator that no column name has, the text was meant as a name.
        if not any(sign in text for sign in "+*^()`") and nearest(text, columns):
            raise _unknown_column(text, text, columns, what) from None
        error.message = f"{what}: {error.message}"
        raise
    names = system.symbols()
    for name in names:
        if name not in columns:
            raise _unknown_column(name, text, columns, what)
    if not names:
        raise DataError(f"{what}: `{text}` names no column", code="unknown-column", column=text)
    return to_expression(system, what, {name: exact_column(name).cast(pl.Float64) for name in names})


def _unknown_column(name: str, text: str, columns: list[str], what: str) -> DataError | FormulaError:
    # A near miss of a column such as `eval/loss` reads as a formula of names that nobody meant.
    if name == text or likeness(text, columns) >= likeness(name, columns):
        hint = did_you_mean(text, columns, "columns")
        return DataError(f"{what}: there is no column `{text}`", code="unknown-column", column=text, hint=hint)
    found = re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", text)
    begin = len(text[: found.start() if found else 0].encode())
    return FormulaError(
        f"{what}: there is no column `{name}`",
        code="unknown-column",
        column=name,
        text=text,
        span=(begin, begin + len(name.encode())),
        hint=did_you_mean(name, columns, "columns"),
    )
