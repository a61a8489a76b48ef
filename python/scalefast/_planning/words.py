"""A plan in sentences.

Stage: after a plan's frames. In: the frames. Out: what to train, what it reaches, what it costs to be wrong, what binds and
which assumptions matter, in words that need no table; and notes of what was assumed beyond the quantities.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from scalefast._base.numbers import format_count, format_flops
from scalefast._planning.choice import RANGE_SHARE, Choice

__all__ = ["notes", "words"]

#: A share of the compute that is not worth a number.
_NOTHING = 1e-4
_WHAT = {
    "budget": "the compute",
    "dollars": "the dollars",
    "energy_kwh": "the energy",
    "accelerator_hours": "the accelerator-hours",
    "time": "the time",
    "unique_tokens": "the unique tokens",
}
_QUANTITIES = {
    "mfu": "utilisation (MFU)",
    "goodput": "goodput",
    "final_run_share": "share of the final run",
    "price": "price",
    "serving_mfu": "utilisation in serving",
    "serving_price": "price of serving",
    "pue": "PUE",
}


def words(
    frames: Mapping[str, pl.DataFrame], stated: Mapping[str, float], served: float | None, shapes: pl.DataFrame | None
) -> str:
    """The answer, a paragraph a subject."""
    row = frames["decision"].row(0, named=True)
    paragraphs = [
        _what_to_train(row),
        _shape(shapes),
        _loss(row, stated),
        _regret(row, frames["alternatives"]),
        _binds(row, frames["constraints"], served),
        _matters(row, frames["assumptions"], frames["sources"]),
    ]
    return "\n".join(paragraph for paragraph in paragraphs if paragraph)


def _what_to_train(row: Mapping[str, Any]) -> str:
    """Size, data, and what the run takes in every unit that is known."""
    ratio = f"{_three(row['D_per_N'])} tokens per parameter"
    data = f"{_count(row['D'])} tokens{_range(row, 'D')} ({ratio}{_epochs(row)})"
    text = f"Train {_count(row['N'])} parameters on {data}: {format_flops(row['C'], 3)} FLOPs{_range(row, 'C', _flops)}"
    parts = []
    if row["accelerator_hours"] is not None:
        parts.append(f"{_count(row['accelerator_hours'])} {row['accelerator']} hours{_range(row, 'accelerator_hours')}")
    if row["days"] is not None:
        parts.append(f"{_three(row['days'])} days on {row['accelerators']:,.0f}{_range(row, 'days', _three)}")
    elif row["accelerators"] is not None:
        parts.append(f"{row['accelerators']:,.0f} accelerators for the time given")
    if row["dollars"] is not None:
        parts.append(f"${_count(row['dollars'])}{_range(row, 'dollars', lambda v: '$' + _count(v))}")
    if row["energy_kwh"] is not None:
        parts.append(_energy(row["energy_kwh"]))
    if row["co2_kg"] is not None:
        parts.append(f"{row['co2_kg'] / 1000:,.3g} t CO2")
    return text + (f"; {', '.join(parts)}." if parts else ".")


def _shape(shapes: pl.DataFrame | None) -> str:
    """The nearest transformer that can be built."""
    if shapes is None:
        return ""
    row = shapes.row(0, named=True)
    text = (
        f"Nearest shape to build: {row['layers']} layers of width {row['width']:,}, {row['heads']} heads, feed-forward "
    )
    text += f"{row['feed_forward']:,}, vocabulary {row['vocabulary']:,}: {_count(row['parameters'])} parameters"
    given_up = row["compute_given_up"]
    return f"{text}." if given_up is None else f"{text}; it gives up {_percent(given_up)} of the compute."


def _loss(row: Mapping[str, Any], stated: Mapping[str, float]) -> str:
    text = f"Predicted loss {row['L']:.4f} nats per token"
    if row["L_q05"] is not None:
        text += f", 90 % of the draws between {row['L_q05']:.4f} and {row['L_q95']:.4f}"
    text += f", by {row['law']}"
    decades = row["extrapolation_decades"]
    if decades is None:
        text += ", whose range of data is not known"
    elif decades > 0:
        text += f", {decades:.1f} decades of compute beyond its data"
    text += "."
    if "L" in stated:
        if row["p_target"] is not None:
            text += f" It reaches {stated['L']:g} in {100 * row['p_target']:.0f} % of the draws"
        else:
            text += f" It {'reaches' if row['L'] <= stated['L'] else 'does not reach'} {stated['L']:g}"
        if row["C_target"] is not None:
            text += f"; the least compute for that is {format_flops(row['C_target'], 3)} FLOPs{_range(row, 'C_target', _flops)}"
        text += "."
    return text


def _regret(row: Mapping[str, Any], alternatives: pl.DataFrame) -> str:
    """What it costs to be wrong, by the draws and by the other laws."""
    text = ""
    free = "least regret" not in alternatives["choice"]
    if row["regret_compute"] is not None:
        also = [f"${_count(row['regret_dollars'])}"] if row["regret_dollars"] is not None else []
        also += [f"{row['regret']:.2g} nats per token"] if row["regret"] is not None else []
        beside = f" ({', '.join(also)})" if also and row["regret_compute"] >= _NOTHING else ""
        what = "Not knowing better" if free else "This choice"
        text = f"{what} wastes {_percent(row['regret_compute'])} of the compute{beside} on average over the draws. "
    if row["N_low"] is not None and row["N_high"] is not None:
        share = f"{100 * RANGE_SHARE:g} %"
        text += f"Any size from {_count(row['N_low'])} to {_count(row['N_high'])} is within {share} of the best."
    others = alternatives.filter(pl.col("plan_regret_compute").is_not_null() & (pl.col("choice") != row["law"]))
    if others.height:
        worst = others.sort("plan_regret_compute").row(-1, named=True)
        wasted = f"the plan wastes {_percent(worst['plan_regret_compute'])}"
        size = f", whose best size is {_count(worst['N'])}" if worst["plan_regret_compute"] >= _NOTHING else ""
        text += f" If {worst['choice']} is right instead{size}, {wasted}."
    return text.strip()


def _binds(row: Mapping[str, Any], constraints: pl.DataFrame, served: float | None) -> str:
    if row["status"] == "over-budget":
        over = constraints.filter(pl.col("used") > 1).sort("used").row(-1, named=True)
        return f"It is not affordable: it takes {over['used']:.3g} times {_WHAT[over['constraint']]} given."
    names = [_WHAT[name] for name in (row["binds"] or "").split(", ") if name]
    if row["at_bound"] and not ("unique" in (row["binds"] or "") and row["at_bound"] == "D_max"):
        name, end = row["at_bound"].split("_")
        names.append(f"the {'upper' if end == 'max' else 'lower'} bound of {name}")
    if not names:
        slack = [
            f"{_percent(entry['used'])} of {_WHAT[entry['constraint']]}" for entry in constraints.iter_rows(named=True)
        ]
        return f"Nothing binds: it takes {' and '.join(slack)}." if slack else ""
    text = f"Limits that bind: {' and '.join(names)}"
    slack = [
        f"{_percent(entry['used'])} of {_WHAT[entry['constraint']]}"
        for entry in constraints.iter_rows(named=True)
        if not entry["binds"] and entry["used"] < 1
    ]
    text += f"; it takes {' and '.join(slack)}" if slack else ""
    varying = constraints.filter(pl.col("binding_share").is_between(0.001, 0.999))
    if varying.height:
        shares = [
            f"{_WHAT[e['constraint']]} in {100 * e['binding_share']:.0f} %" for e in varying.iter_rows(named=True)
        ]
        text += f" ({', '.join(shares)} of the draws)"
    return text + "."


def _matters(row: Mapping[str, Any], assumptions: pl.DataFrame, sources: pl.DataFrame) -> str:
    """The assumptions that move the plan most, and where the uncertainty comes from."""
    parts = []
    for entry in assumptions.filter(pl.col("lowest").is_not_null()).iter_rows(named=True):
        moved = _moved(entry)
        if moved:
            origin = {"default": " (assumed)", "table": " (from the table)"}.get(entry["origin"], "")
            ends = f"between {entry['lowest']:.3g} and {entry['highest']:.3g}"
            parts.append(f"{_QUANTITIES[entry['quantity']]} {entry['value']:.3g}{origin}: {ends} {moved}")
    text = f"Sensitivity: {'; '.join(parts)}." if parts else ""
    shares = sources.filter(pl.col("L_share") >= 0.005).sort("L_share", descending=True)
    if shares.height > 1:
        named = [
            f"{_QUANTITIES.get(e['source'], 'the parameters of the law')} {100 * e['L_share']:.0f} %"
            for e in shares.iter_rows(named=True)
        ]
        text += f" The loss is uncertain by {', '.join(named)} of its variance."
    return text.strip()


def _moved(entry: Mapping[str, Any]) -> str:
    """How the plan moves between the ends of one quantity."""
    shown = (("N", _count), ("D", _count), ("days", _three), ("dollars", lambda value: "$" + _count(value)))
    for key, show in shown:
        low, high = entry[f"{key}_low"], entry[f"{key}_high"]
        if low is not None and high is not None and abs(low / high - 1) > 1e-6:
            name = {"N": "the size", "D": "the data", "days": "the days", "dollars": "the cost"}[key]
            losses = f", the loss from {entry['L_low']:.4f} to {entry['L_high']:.4f}" if key in ("N", "D") else ""
            return f"moves {name} from {show(low)} to {show(high)}{losses}"
    return ""


def notes(choice: Choice, served: float | None, unique: float | None, frontiers: int) -> tuple[str, ...]:
    """What was assumed beyond the quantities."""
    case, found = choice.case, [f"a run costs {choice.case.cost} FLOPs"]
    for name, quantity in case.means.quantities.items():
        if quantity.origin == "default" and name == "mfu":
            found.append(
                f"mfu {quantity.words} is assumed; reported runs reach {quantity.lowest:g} to {quantity.highest:g}"
            )
        elif quantity.origin == "table" and case.means.accelerator is not None:
            entry = case.means.accelerator
            found.append(f"price {quantity.words} dollars per hour of {entry.id}, as offered in {entry.price_date}")
    ones = [name for name in ("goodput", "final_run_share") if name in case.means.quantities]
    ones = [name for name in ones if case.means.quantities[name].origin == "default"]
    if ones and case.means.limits and case.means.accelerator is not None:
        found.append(f"{' and '.join(ones)} 1: no time is lost, nothing is kept for smaller runs")
    if served is not None:
        found.append(
            f"the means pay for training and for serving {format_count(served)} tokens at {case.serving} FLOPs"
        )
    if unique is not None and "U" not in case.law.variables:
        found.append(
            f"{case.name} does not know of repeated data, so D stays within {format_count(unique)} unique tokens"
        )
    if case.means.accelerator is not None and "pue" in case.means.quantities:
        entry = case.means.accelerator
        found.append(f"{entry.id}: {entry.peak / 1e12:g} TFLOP/s dense {entry.format}, table of {entry.date}")
    if not choice.uncertain:
        found.append(
            f"{case.name} comes without draws and nothing else is uncertain: there is no interval and no regret"
        )
    elif not case.parameters:
        found.append(f"{case.name} comes without draws: intervals and regret are those of the hardware alone")
    if choice.deciding:
        found.append("D is what the central values pay for; in each draw it is what that draw pays for")
    return tuple(found)


def _count(value: float) -> str:
    return format_count(value, 3)


def _flops(value: float) -> str:
    return format_flops(value, 3)


def _three(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= value < 1e6 else f"{value:.3g}"


def _percent(share: float) -> str:
    if share < _NOTHING:
        return "less than 0.01 %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def _energy(kwh: float) -> str:
    return f"{kwh / 1e6:.3g} GWh" if kwh >= 1e6 else f"{kwh / 1e3:.3g} MWh" if kwh >= 1e3 else f"{kwh:.3g} kWh"


def _epochs(row: Mapping[str, Any]) -> str:
    return f", {row['epochs']:.2g} epochs" if row["epochs"] is not None and row["epochs"] > 1 else ""


def _range(row: Mapping[str, Any], name: str, show: Any = None) -> str:
    """The interval in brackets, where it has a width."""
    low, high = row[f"{name}_q05"], row[f"{name}_q95"]
    if low is None or high is None or high - low <= 1e-9 * abs(high):
        return ""
    show = show or _count
    return f" [{show(low)} to {show(high)}]"
