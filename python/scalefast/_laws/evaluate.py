"""Predictions of a law: outputs at given variables.

Stage: after binding. In: a form, its parsed formulas, values of its parameters and `m` points. Out: the
points with one float64 column for each output.
Evaluation is the core's; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from scalefast._base.errors import DataError, LawError
from scalefast._base.suggest import listing
from scalefast._data.binding import Column, bind
from scalefast._data.frames import FloatArray, collect, column_names, exact_column, read_frame, to_array
from scalefast._data.levels import check_levels
from scalefast._data.undefined import undefined_rows
from scalefast._forms.form import LawFile, Variable

if TYPE_CHECKING:
    from scalefast._core import System

__all__ = ["predict"]


def predict(
    form: LawFile,
    system: System,
    values: Mapping[str, float] | None,
    points: Any,
    *,
    columns: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    threads: int | None = None,
    names: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """See `Law.predict`; `system` is the form's, parsed, `names` renames outputs (`{"L": "L_fit"}`)."""
    frame = collect(read_frame(points))
    outputs = {output: (names or {}).get(output, output) for output in form.outputs}
    for added in outputs.values():
        if added in frame.columns:
            raise DataError(
                f"the points have a column `{added}` already",
                code="column-exists",
                column=added,
                hint="rename or drop it: the prediction gets this name",
            )
    check_levels(form, frame)
    bound = bind(form.variables, column_names(frame), columns, units)
    symbols = {name: column.expression for name, column in bound.items()}
    scalars: dict[str, float] = {}
    known = {name: (values or {}).get(name) for name in form.parameters}
    for name, value in known.items():
        if name in frame.columns:
            symbols[name] = exact_column(name).cast(pl.Float64)
        elif value is None:
            raise LawError(
                f"no value for {listing(n for n, v in known.items() if v is None)}",
                code="no-values",
                column=name,
                hint="use a published set or a fitted law, or add columns that hold the parameters",
            )
        else:
            scalars[name] = value
    try:
        inputs = frame.select(expression.alias(name) for name, expression in symbols.items())
    except pl.exceptions.PolarsError as error:
        raise DataError(f"the points cannot be evaluated: {str(error).splitlines()[0]}", code="not-numeric") from error
    arrays: dict[str, FloatArray] = {name: to_array(inputs[name]) for name in inputs.columns}
    _require_positive(form.variables, arrays, bound)
    _require_defined(form, system, arrays, scalars, bound)
    found = system.evaluate(arrays, scalars, threads)
    added_columns = [pl.Series(outputs[output], column) for output, column in found.items()]
    if any(inputs[name].null_count() for name in inputs.columns):
        missing = inputs.select(pl.any_horizontal(pl.all().is_null()).alias("missing"))["missing"]
        added_columns = [s.set(missing, None) for s in added_columns]
    return frame.with_columns(added_columns)


def _require_positive(
    variables: Mapping[str, Variable], arrays: Mapping[str, FloatArray], bound: Mapping[str, Column]
) -> None:
    """Refuses points at or below zero where the law needs them above; NaN passes and gives NaN."""
    for name, variable in variables.items():
        values = arrays[name]
        if not variable.positive or not values.size or values.min() > 0:
            continue
        bad = (values <= 0).nonzero()[0]
        if bad.size:
            first = int(bad[0])
            raise DataError(
                f"{bad.size} of {values.size} points have {name} (`{bound[name].words}`) at or below zero, "
                f"the first in row {first}: {values[first]:g}",
                code="invalid-rows",
                row=first,
                column=bound[name].words,
                value=float(values[first]),
                limit=0.0,
            )


def _require_defined(
    form: LawFile,
    system: System,
    arrays: Mapping[str, FloatArray],
    scalars: Mapping[str, float],
    bound: Mapping[str, Column],
) -> None:
    """Refuses points at which the law has no value with its parameters."""
    outside = undefined_rows(form, system, arrays, values=scalars)
    if outside is None:
        return
    rows = outside.mask.nonzero()[0]
    first = int(rows[0])
    fault = outside.faults[int(outside.rows[first])]
    symbol = fault.symbol or ""
    value = float(arrays[symbol][first]) if symbol in arrays else None
    raise DataError(
        f"the law is undefined at {rows.size} of {outside.rows.size} points: {outside.counted()}; "
        f"the first in row {first}" + (f": {symbol} = {value:g}" if value is not None else ""),
        code="invalid-rows",
        row=first,
        column=bound[symbol].words if symbol in bound else fault.symbol,
        value=value,
        limit=-1.0 if fault.must == "above -1" else 0.0,
    )
