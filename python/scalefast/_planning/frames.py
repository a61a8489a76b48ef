"""The frames of a plan.

Stage: after the choice. In: `Choice`. Out: Polars frames: the decision, its constraints, what it assumes, what else could
have been chosen, where the uncertainty comes from, and one row per draw. docs/frames.md states their columns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from scalefast._allocation.summary import decades_outside
from scalefast._allocation.sweep import sweep
from scalefast._base.errors import LawError
from scalefast._base.numbers import label
from scalefast._base.statuses import AT_BOUND, INTERIOR
from scalefast._core import describe
from scalefast._data.describe import mean, quantiles
from scalefast._data.frames import FloatArray
from scalefast._laws.arguments import law_name
from scalefast._laws.law import Law
from scalefast._planning.case import Case, World
from scalefast._planning.choice import Choice

__all__ = ["QUANTILES", "alternatives", "assumptions", "constraints", "decision", "draws", "sources"]

#: Ends and middle of the intervals of a plan.
QUANTILES = (0.05, 0.5, 0.95)
_PF_DAY = 8.64e19


def decision(
    choice: Choice, target: float | None, reached: Mapping[str, float | None], unique: float | None
) -> pl.DataFrame:
    """One row: the plan in all units."""
    case, point, every = choice.case, choice.point, choice.every
    row: dict[str, Any] = {"law": case.name, "N": choice.size, "N_low": choice.lowest, "N_high": choice.highest}
    row |= _with_quantiles("D", point.data[0], every.data)
    row["D_per_N"] = point.data[0] / choice.size
    row |= _with_quantiles("C", point.run[0], every.run)
    row |= _with_quantiles("L", point.loss[0], every.loss)
    row |= _with_quantiles("L_best", case.best(case.point)["loss"][0], choice.optima["loss"])
    regret, share = choice.pooled(choice.size) if choice.weighed else (None, None)
    dollars = every.takes.get("dollars")
    row |= {"regret": regret, "regret_compute": share}
    row["regret_dollars"] = mean(dollars * choice.wasted) if dollars is not None and choice.weighed else None
    row |= {"target_L": target, "p_target": None if target is None else _share(every.loss <= target, choice.weighed)}
    row |= {f"C_target{end}": reached.get(f"C{end}") for end in ("", "_q05", "_q95")}
    accelerator = case.means.accelerator
    row["accelerator"] = accelerator.id if accelerator else None
    count = case.means.count or point.takes.get("accelerators", [None])[0]
    row["accelerators"] = count
    for name in ("accelerator_hours", "days", "dollars", "energy_kwh"):
        found = point.takes.get(name)
        row |= _with_quantiles(name, None if found is None else found[0], every.takes.get(name))
    row["co2_kg"] = point.takes.get("co2_kg", [None])[0]
    row["pf_days"] = point.run[0] / _PF_DAY
    row["epochs"] = point.data[0] / unique if unique else None
    row["binds"] = ", ".join(case.binding(point) + _data_binds(choice, unique)) or None
    row["status"], row["at_bound"] = _status(choice)
    row["extrapolation_decades"] = decades_outside(case.law, float(point.run[0]))
    row["uncertainty"] = uncertainty(choice)
    texts = ("law", "accelerator", "binds", "status", "at_bound", "uncertainty")
    return _frame([row], texts)


def uncertainty(choice: Choice) -> str:
    """What the draws that are weighed differ in."""
    parts = ["parameters"] * bool(choice.case.parameters) + ["hardware"] * bool(choice.deciding)
    return " and ".join(parts) if choice.weighed else "none"


def constraints(choice: Choice, unique: float | None) -> pl.DataFrame:
    """One row per limit: what it pays for, how much of it is taken, whether and how often it binds."""
    case, rows = choice.case, []
    paid, _ = case.limits(case.point)
    paid_in_all, _ = case.limits(case.all)
    for entry in case.means.constraints:
        row: dict[str, Any] = {"constraint": entry.name, "limit": case.means.limits[entry.name], "unit": entry.unit}
        row |= _with_quantiles("C", paid[entry.name][0], paid_in_all[entry.name])
        used = choice.point.used[entry.name][0]
        row |= {"used": used, "binds": used >= 1 - 1e-9}
        row["binding_share"] = _share(choice.every.used[entry.name] >= 1 - 1e-9, choice.uncertain)
        rows.append(row)
    if unique is not None:
        used, all_used = choice.data / unique, choice.every.data / unique
        limited = "U" not in case.law.variables
        row = {"constraint": "unique_tokens", "limit": unique, "unit": "tokens"}
        row |= {f"C{end}": None for end in ("", *(f"_q{label(q)}" for q in QUANTILES))}
        row |= {"used": used, "binds": limited and used >= 1 - 1e-9}
        row["binding_share"] = _share(all_used >= 1 - 1e-9, choice.uncertain) if limited else None
        rows.append(row)
    columns = [
        "constraint",
        "limit",
        "unit",
        "C",
        *(f"C_q{label(q)}" for q in QUANTILES),
        "used",
        "binds",
        "binding_share",
    ]
    schema = dict.fromkeys(columns, pl.Float64) | {"constraint": pl.String, "unit": pl.String, "binds": pl.Boolean}
    return pl.DataFrame(rows, schema=schema)


def assumptions(choice: Choice) -> pl.DataFrame:
    """One row per quantity: what was taken, where it comes from, and the plan at its lowest and highest value."""
    case, rows = choice.case, []
    for name, quantity in case.means.quantities.items():
        row: dict[str, Any] = {
            "quantity": name,
            "value": quantity.value,
            "words": quantity.words,
            "origin": quantity.origin,
        }
        row |= {"lowest": quantity.lowest, "highest": quantity.highest}
        for end, value in (("low", quantity.lowest), ("high", quantity.highest)):
            row |= {f"{key}_{end}": found for key, found in _at(choice, name, value).items()}
        rows.append(row)
    keys = [f"{key}_{end}" for end in ("low", "high") for key in ("N", "D", "L", "days", "dollars")]
    texts = {"quantity": pl.String, "words": pl.String, "origin": pl.String}
    names = ["quantity", "value", "words", "origin", "lowest", "highest", *keys]
    return _no_nan(pl.DataFrame(rows, schema={name: texts.get(name, pl.Float64) for name in names}))


def _at(choice: Choice, name: str, value: float | None) -> dict[str, float | None]:
    """The plan if a quantity had another value: a size that is still free moves as the estimate's best size does."""
    keys = ("N", "D", "L", "days", "dollars")
    if value is None:
        return dict.fromkeys(keys)
    case = choice.case
    moved = dict.fromkeys(case.means.symbols(name), value)
    world = World({**case.point.numbers, **moved}, {})
    free = choice.best == choice.size and not choice.settled
    moves = float(case.best(world)["first"][0] / case.best(case.point)["first"][0]) if free else 1.0
    high = case.bounds.get("N", (None, None))[1]
    size = choice.size * moves if high is None else min(choice.size * moves, high)
    if math.isnan(size):
        return dict.fromkeys(keys)
    found = case.outcome(world, size)
    takes = {key: float(found.takes[key][0]) if key in found.takes else None for key in ("days", "dollars")}
    return {"N": size, "D": float(found.data[0]), "L": float(found.loss[0]), **takes}


def alternatives(choice: Choice, frontiers: Sequence[Law]) -> pl.DataFrame:
    """One row a choice that others would make: its regret if the plan's law is right, the plan's if another law is.

    `frontiers` are laws that give a size at a budget but no loss.
    """
    case, rows = choice.case, []
    own = {"choice": "this plan", "N": choice.size, "D": choice.data}
    rows.append(own | _weighed(choice, choice.size, choice.data, None))
    if choice.best != choice.size and not math.isnan(choice.best):
        rows.append({"choice": "least regret", **_split(choice, choice.best, None)})
    for other, weight in zip(choice.cases, choice.weights, strict=True):
        first = float(other.best(other.point)["first"][0])
        if not math.isnan(first):
            weighed = weight if len(choice.cases) > 1 else None
            rows.append({"choice": other.name, **_split(choice, first, other, weighed)})
    for law in frontiers:
        size = float(sweep(law, float(choice.point.run[0])).summary["N"][0])
        rows.append({"choice": law_name(law), **_split(choice, size, None)})
    if choice.weighed:
        median = quantiles(choice.optima["first"], [0.5])[0]
        rows.append({"choice": "median of the draws", **_split(choice, median, None)})
    try:
        rule = case.pinned("D", "20*N")
    except LawError:
        rule = None
    if rule is not None:
        rows.append({"choice": "20 tokens per parameter", **_split(choice, rule[0], None)})
    floats = ("N", "D", "L", "regret", "regret_compute", "weight", "plan_L", "plan_regret", "plan_regret_compute")
    return _no_nan(pl.DataFrame(rows, schema={"choice": pl.String, **dict.fromkeys(floats, pl.Float64)}))


def _split(choice: Choice, size: float, other: Case | None, weight: float | None = None) -> dict[str, Any]:
    case = choice.case
    # Another law's rows show that law's own data at the budget: one compute, one cost, so it is the same.
    settled_elsewhere = choice.settled and case.run is not None and size != case.run[0]
    data = float(case.outcome(case.point, size).data[0]) if settled_elsewhere or not choice.settled else choice.data
    return {"N": size, "D": data, **_weighed(choice, size, data, other, weight)}


def _weighed(
    choice: Choice, size: float, data: float, other: Case | None, weight: float | None = None
) -> dict[str, Any]:
    case = choice.case
    nats, share = choice.pooled(size)
    row: dict[str, Any] = {
        "L": float(case.loss(case.point, size, np.array([data]))[0]),
        "regret": nats,
        "regret_compute": share,
    }
    row["weight"] = weight
    if other is None:
        return row | {"plan_L": None, "plan_regret": None, "plan_regret_compute": None}
    under = other.outcome(other.point, choice.size)
    nats, share = choice.regret(other, choice.size)
    return row | {"plan_L": float(under.loss[0]), "plan_regret": nats, "plan_regret_compute": share}


def sources(choice: Choice) -> pl.DataFrame:
    """One row a source of uncertainty: the spread of the loss and of the best size when it alone varies."""
    case, rows = choice.case, []
    whole = describe(choice.every.loss, [])[2] if choice.weighed else math.nan
    named = [("parameters", "parameters")] * bool(case.parameters) + [("hardware", name) for name in choice.deciding]
    for kind, name in named if choice.weighed else []:
        world = case.varying([name])
        variance = describe(case.outcome(world, choice.size).loss, [])[2]
        low, high = quantiles(case.best(world)["first"], [QUANTILES[0], QUANTILES[-1]])
        share = variance / whole if whole > 0 else None
        rows.append(
            {"source": name, "kind": kind, "L_sd": math.sqrt(variance), "L_share": share, "N_q05": low, "N_q95": high}
        )
    sizes = [float(other.best(other.point)["first"][0]) for other in choice.cases]
    sizes = [size for size in sizes if not math.isnan(size)]
    if len(sizes) > 1:
        rows.append({"source": "law", "kind": "law", "N_q05": min(sizes), "N_q95": max(sizes)})
    names = ("L_sd", "L_share", "N_q05", "N_q95")
    return _no_nan(
        pl.DataFrame(rows, schema={"source": pl.String, "kind": pl.String, **dict.fromkeys(names, pl.Float64)})
    )


def draws(choice: Choice) -> pl.DataFrame:
    """One row per draw: the quantities, the best split of that world, and the plan there. No rows where nothing varies."""
    every, best = choice.every, choice.optima
    hardware = [name for name in choice.case.means.uncertain if name in choice.world.columns]
    columns: dict[str, FloatArray] = {name: choice.world.columns[name] for name in hardware}
    columns |= {"N_best": best["first"], "D_best": best["second"], "L_best": best["loss"]}
    columns |= {"D": every.data, "C": every.run, "L": every.loss}
    columns |= {"regret": choice.losses_of_regret, "regret_compute": choice.wasted}
    frame = pl.DataFrame(columns).with_row_index("draw").with_columns(pl.col("draw").cast(pl.Int64))
    return _no_nan(frame if choice.uncertain else frame.clear())


def _status(choice: Choice) -> tuple[str, str | None]:
    if any(share[0] > 1 + 1e-9 for share in choice.point.used.values()):
        return "over-budget", None
    for place, (name, value) in enumerate((("N", choice.size), ("D", choice.data))):
        low, high = choice.case.bounds.get(name, (None, None))
        for end, limit, sign in (("min", low, 1), ("max", high, -1)):
            if limit and sign * (value / limit - 1) < 1e-9 and (place or not choice.settled):
                return AT_BOUND, f"{name}_{end}"
    return INTERIOR, None


def _data_binds(choice: Choice, unique: float | None) -> list[str]:
    limited = unique is not None and "U" not in choice.case.law.variables and choice.data >= unique * (1 - 1e-9)
    return ["unique_tokens"] if limited else []


def _with_quantiles(name: str, value: float | None, column: FloatArray | None) -> dict[str, Any]:
    """The value and its quantiles over the draws; null where the draws do not differ in it."""
    varies = column is not None and bool((column != column[0]).any())
    found = quantiles(column, QUANTILES) if column is not None and varies else [None] * len(QUANTILES)
    return {name: value, **{f"{name}_q{label(q)}": v for q, v in zip(QUANTILES, found, strict=True)}}


def _share(holds: Any, known: bool) -> float | None:
    """How often something holds over the draws."""
    return float(np.count_nonzero(holds)) / len(holds) if known else None


def _frame(rows: list[dict[str, Any]], texts: tuple[str, ...]) -> pl.DataFrame:
    return _no_nan(pl.DataFrame(rows, schema={name: pl.String if name in texts else pl.Float64 for name in rows[0]}))


def _no_nan(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
