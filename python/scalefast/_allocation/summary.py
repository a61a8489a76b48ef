"""The frames of a sweep: one row per law, scenario and budget, and the spread over laws.

Stage: after the core. In: columns of one entry per cell (a scenario and a budget), the frame of scenarios. Out: Polars frames
as docs/frames.md states them. What a cell could not be answered for is null, and its status says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from scalefast._base.numbers import label
from scalefast._core import System
from scalefast._data.frames import FloatArray
from scalefast._laws.law import Law
from scalefast._optimum.question import binding

__all__ = [
    "decades_outside",
    "epochs",
    "result_names",
    "spread_over_laws",
    "summary_of",
    "training_compute",
]


def summary_of(
    law: Law,
    name: str,
    cells: pl.DataFrame,
    columns: Mapping[str, Any],
    optimise: tuple[str, str],
    quantiles: Sequence[float],
    draws: int,
    cost: str | None,
) -> pl.DataFrame:
    """The rows of one law; `cells` holds the budgets as `C`, and before it what tells the scenarios apart."""
    rows = cells.height
    first, second = optimise
    series = [pl.Series("law", [name] * rows, dtype=pl.String), *cells]
    quantities = ((first, "first"), (second, "second"), (f"{second}_per_{first}", "ratio"), ("L", "loss"))
    for quantity, key in quantities:
        series.append(_floats(quantity, columns.get(key), rows))
        series += _quantiles(quantity, columns.get(f"{key}_quantiles"), quantiles, rows)
    if "plan_quantiles" in columns:
        series += _quantiles("L_plan", columns["plan_quantiles"], quantiles, rows)
    ends = [binding(status, optimise) for status in columns["status"]]
    splits = {name: np.ascontiguousarray(columns[key]) for name, key in zip(optimise, ("first", "second"), strict=True)}
    trained = training_compute(law, cost, cells["C"].to_numpy(), splits)
    decades = [decades_outside(law, compute) for compute in trained]
    return pl.DataFrame(series).with_columns(
        pl.Series("status", [status for status, _ in ends], dtype=pl.String),
        pl.Series("at_bound", [bound for _, bound in ends], dtype=pl.String),
        pl.Series("extrapolation_decades", decades, dtype=pl.Float64),
        pl.lit("draws" if draws else "none").alias("uncertainty"),
        pl.lit(draws, dtype=pl.Int64).alias("n_draws"),
        pl.Series("n_solved", columns["solved_draws"], dtype=pl.Int64),
    )


def result_names(optimise: tuple[str, str], quantiles: Sequence[float]) -> set[str]:
    """Names of the columns of a summary that are results: no column of scenarios may have one of them."""
    first, second = optimise
    quantities = [first, second, f"{second}_per_{first}", "L", "L_plan", "epochs"]
    others = [
        "law",
        "scenario",
        "draw",
        "status",
        "at_bound",
        "extrapolation_decades",
        "uncertainty",
        "n_draws",
        "n_solved",
    ]
    return {*quantities, *others, *(f"{name}_q{label(q)}" for name in quantities for q in quantiles)} - set(optimise)


def epochs(frame: pl.DataFrame, unique: float | str | pl.Series | None, data: str, before: str) -> pl.DataFrame:
    """The frame with `epochs`, tokens seen over the unique ones, and its quantiles, where U is given as numbers."""
    if unique is None or isinstance(unique, str):
        return frame
    added = [
        (pl.col(name) / unique).alias(name.replace(data, "epochs", 1))
        for name in frame.columns
        if name == data or name.startswith(f"{data}_q")
    ]
    place = frame.columns.index(before)
    return frame.with_columns(added).select(
        *frame.columns[:place], *(name.meta.output_name() for name in added), *frame.columns[place:]
    )


def spread_over_laws(summary: pl.DataFrame, optimise: tuple[str, str], keys: Sequence[str]) -> pl.DataFrame:
    """How far the laws lie apart in each cell."""
    first, second = optimise
    return (
        summary.filter(pl.col(first).is_not_null())
        .group_by(keys, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("laws"),
            *(
                part
                for name in (first, second)
                for part in (pl.col(name).min().alias(f"{name}_lowest"), pl.col(name).max().alias(f"{name}_highest"))
            ),
        )
    )


def training_compute(law: Law, cost: str | None, spent: FloatArray, splits: Mapping[str, FloatArray]) -> FloatArray:
    """What the splits cost to train in the unit of the law's fitted range; `spent` is what they cost by `cost`.

    A cost other than the law's own may count serving or dollars, so the law's own is evaluated at the splits; NaN where
    there is none.
    """
    if cost is None or law.cost is None or cost == law.cost:
        return spent
    own = System.parse([("C", law.cost)], [])
    return own.evaluate(dict(splits), {})["C"] if set(own.symbols()) <= set(splits) else spent


def decades_outside(law: Law, compute: float) -> float | None:
    """How far compute lies outside of what the law was fitted on, in decades; None where one of both is not known."""
    known = law.fitted_range.get("C")
    if known is None or math.isnan(compute):
        return None
    low, high = known
    return max(0.0, math.log10(compute / high), math.log10(low / compute))


def _floats(name: str, values: FloatArray | None, rows: int) -> pl.Series:
    if values is None:
        return pl.Series(name, [None] * rows, dtype=pl.Float64)
    return pl.Series(name, np.asarray(values), nan_to_null=True)


def _quantiles(
    name: str, columns: Sequence[FloatArray] | None, quantiles: Sequence[float], rows: int
) -> list[pl.Series]:
    return [
        _floats(f"{name}_q{label(quantile)}", None if columns is None else columns[place], rows)
        for place, quantile in enumerate(quantiles)
    ]
