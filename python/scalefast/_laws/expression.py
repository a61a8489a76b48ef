"""A law as a Polars expression, for lazy frames.

Stage: `law.expr`. In: a form, its parsed formulas, values of its parameters, and what is bound to its symbols. Out: a
`pl.Expr`. Values agree with the core's to rounding, not to the bit: Polars uses other libraries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from scalefast._base.errors import LawError
from scalefast._base.suggest import did_you_mean, listing
from scalefast._data.expression import to_expression
from scalefast._data.frames import exact_column
from scalefast._data.levels import indicator
from scalefast._forms.form import LawFile

if TYPE_CHECKING:
    from scalefast._core import System

__all__ = ["law_expression"]


def law_expression(
    form: LawFile,
    system: System,
    values: Mapping[str, float] | None,
    columns: Mapping[str, str | pl.Expr],
    output: str | None,
) -> pl.Expr:
    """See `Law.expr`; `system` is the form's, parsed."""
    outputs = list(form.outputs)
    if output is None and len(outputs) > 1:
        hint = f"give output=, one of {listing(outputs)}"
        raise LawError("the law has several outputs", code="several-outputs", hint=hint)
    chosen = output or outputs[0]
    if chosen not in outputs:
        hint = did_you_mean(chosen, outputs, "outputs")
        raise LawError(f"the law has no output `{chosen}`", code="unknown-output", hint=hint)
    known = [*form.variables, *form.parameters]
    for name in columns:
        if name not in known:
            hint = did_you_mean(name, known, "symbols of the law")
            raise LawError(f"the law has no symbol `{name}`", code="unknown-symbol", column=name, hint=hint)
    symbols: dict[str, pl.Expr] = {}
    for name in known:
        given = columns.get(name)
        value = (values or {}).get(name)
        if given is not None:
            symbols[name] = (exact_column(given) if isinstance(given, str) else given).cast(pl.Float64)
        elif name in form.variables and form.variables[name].column:
            symbols[name] = indicator(form.variables[name])
        elif name in form.variables:
            symbols[name] = pl.col(name).cast(pl.Float64)
        elif value is not None and math.isfinite(value):
            symbols[name] = pl.lit(value, dtype=pl.Float64)
        else:
            hint = "use a published set, a fitted law, or bind a column to it"
            raise LawError(f"parameter `{name}` has no value", code="no-values", column=name, hint=hint)
    return to_expression(system, chosen, symbols).alias(chosen)
