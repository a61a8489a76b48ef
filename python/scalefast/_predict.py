"""Predictions of a law: outputs at given variables.

Stage: after binding. In: a law with values and `m` points. Out: the points with one float64 column for each output.
Evaluation is the core's; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from scalefast._binding import Column, bind
from scalefast._errors import DataError, LawError
from scalefast._expression import exact_column
from scalefast._frames import FloatArray, collect, column_names, read_frame, to_array
from scalefast._levels import check_levels
from scalefast._names import listing
from scalefast._undefined import undefined_rows

if TYPE_CHECKING:
    from scalefast._law import Law

__all__ = ["check", "predict"]


def predict(
    law: Law,
    points: Any,
    *,
    columns: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    threads: int | None = None,
    names: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """See `Law.predict`; `names` renames outputs (`{"L": "L_fit"}`)."""
    frame = collect(read_frame(points))
    outputs = {output: (names or {}).get(output, output) for output in law.outputs}
    for added in outputs.values():
        if added in frame.columns:
            raise DataError(
                f"the points have a column `{added}` already",
                code="column-exists",
                column=added,
                hint="rename or drop it: the prediction gets this name",
            )
    check_levels(law.form, frame)
    bound = bind(law.variables, column_names(frame), columns, units)
    symbols = {name: column.expression for name, column in bound.items()}
    scalars: dict[str, float] = {}
    for name, value in law.parameters.items():
        if name in frame.columns:
            symbols[name] = exact_column(name).cast(pl.Float64)
        elif value is None:
            raise LawError(
                f"no value for {listing(n for n, v in law.parameters.items() if v is None)}",
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
    _require_positive(law, arrays, bound)
    _require_defined(law, arrays, scalars, bound)
    found = law._system.evaluate(arrays, scalars, threads)
    added_columns = [pl.Series(outputs[output], values) for output, values in found.items()]
    if any(inputs[name].null_count() for name in inputs.columns):
        missing = inputs.select(pl.any_horizontal(pl.all().is_null()).alias("missing"))["missing"]
        added_columns = [s.set(missing, None) for s in added_columns]
    return frame.with_columns(added_columns)


def _require_positive(law: Law, arrays: Mapping[str, FloatArray], bound: Mapping[str, Column]) -> None:
    """Refuses points at or below zero where the law needs them above; NaN passes and gives NaN."""
    for name, variable in law.variables.items():
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
    law: Law, arrays: Mapping[str, FloatArray], scalars: Mapping[str, float], bound: Mapping[str, Column]
) -> None:
    """Refuses points at which the law has no value with its parameters."""
    outside = undefined_rows(law, arrays, values=scalars)
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


def check(law: Law) -> pl.DataFrame:
    """See `Law.check`."""
    rows: list[dict[str, Any]] = []
    for entry in law.published.checks if law.published else ():
        if entry.at is not None:
            found = law.predict(dict(entry.at)).row(0, named=True)
            where = ", ".join(f"{name}={value:g}" for name, value in entry.at.items())
        else:
            from scalefast._sweep import sweep

            found = sweep(law, budget=entry.budget, given=entry.given).summary.row(0, named=True)
            where = ", ".join(
                [f"budget={entry.budget:g}", *(f"{name}={value:g}" for name, value in entry.given.items())]
            )
        for output, expected in entry.gives.items():
            value = found.get(output)
            ok = value is not None and abs(value - expected) <= entry.tolerance * abs(expected)
            rows.append(
                {
                    "check": where,
                    "output": output,
                    "expected": expected,
                    "found": value,
                    "tolerance": entry.tolerance,
                    "ok": ok,
                }
            )
    floats = dict.fromkeys(("expected", "found", "tolerance"), pl.Float64)
    return pl.DataFrame(rows, schema={"check": pl.String, "output": pl.String, **floats, "ok": pl.Boolean})
