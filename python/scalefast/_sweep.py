"""Sweeps: the best size and data at each budget, with the spread over draws and over laws.

Stage: after laws and fits. In: laws with values, budgets in FLOPs. Out: `Sweep`, whose summary has one row a law and
budget. The optimum is the core's closed form where there is one, else found by its Newton method.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast import _catalogue
from scalefast._allocate import Bound, Question, binding
from scalefast._errors import LawError, SettingsError
from scalefast._frames import FloatArray, collect, read_frame, to_array
from scalefast._frontier import Frontier, is_frontier
from scalefast._law import Law, resolve
from scalefast._longcall import LongCall, check_long_call
from scalefast._names import listing
from scalefast._progress import Progress
from scalefast._scale import refuse_scaled
from scalefast._units import read_grid

if TYPE_CHECKING:
    from scalefast._fit import Fit

__all__ = [
    "DEFAULT_LAW",
    "Sweep",
    "choose_draws",
    "chosen_laws",
    "decades_outside",
    "epochs",
    "label",
    "law_name",
    "one_law",
    "stated_cost",
    "sweep",
]

#: What answers when no law is named: the refit of Chinchilla's data with stored draws.
DEFAULT_LAW = "epoch-2024-huber"


@dataclass(frozen=True, eq=False)
class Sweep:
    """The best split of each budget under each law.

    Attributes
    ----------
    summary: one row a law and budget: law, C, then each of N, D, D_per_N, L as a point and as quantiles over draws
        (`N_q05`, …), `epochs` before L where unique tokens U are given, status, at_bound, extrapolation_decades,
        uncertainty. `status` is `interior`, `at-bound`, `infeasible` (nothing within the bounds costs the budget) or
        `no-finite-optimum`; `at_bound` names the bound that binds (`N_max`), null where none does;
        `extrapolation_decades` is how far, in decades, the budget lies outside the range that the law was fitted on (0
        inside, null where that is not known); `uncertainty` is `draws`, or `none` with null quantiles.
    spread: one row a budget: C, laws, lowest and highest N and D over the laws. Not an interval, and no loss: losses of
        different corpora and tokenisers do not compare.
    laws: the laws, in the order of the summary.
    costs: the cost formula used for each law; null for laws that give N and D at a budget themselves.
    """

    summary: pl.DataFrame
    spread: pl.DataFrame
    laws: tuple[Law, ...]
    costs: tuple[str | None, ...]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sweep)
            and self.laws == other.laws
            and self.costs == other.costs
            and self.summary.equals(other.summary)
            and self.spread.equals(other.spread)
        )

    def __hash__(self) -> int:
        return hash((self.laws, self.costs))

    def __repr__(self) -> str:
        return f"Sweep({len(self.laws)} laws, {self.summary.height} rows)\n{self.summary}"


def sweep(
    law: Law | Fit | str | Path | Sequence[Law | Fit | str | Path] | None = None,
    budget: float | str | Iterable[float] | None = None,
    *,
    cost: str | None = None,
    bounds: Mapping[str, Bound] | None = None,
    given: Mapping[str, float | str] | None = None,
    optimise: tuple[str, str] = ("N", "D"),
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    threads: int | None = None,
    progress: Progress = None,
    timeout_s: float | None = None,
) -> Sweep:
    """The N and D that minimise the loss under `cost = budget`, for every law and budget.

    Parameters
    ----------
    law: one or several ids, files, formulas with values, Laws or Fits. None: the answer of `epoch-2024-huber`, and after
        it every other published law of the same conventions.
    budget: FLOPs: a number, several, or a log grid such as "1e20..1e26:61".
    cost: formula of the FLOPs; None: the law's own.
    bounds: lowest and highest value of a variable to choose, None where it has none: {"N": (None, 8e9)}.
    given: variables that are settled: pinned to numbers, {"U": 25e9}, or derived from others, {"D": "20*N"}. A variable to
        choose that is given leaves the other to follow from the budget.
    optimise: the two variables to choose, or, of a law that gives them at a compute itself, two of its outputs.
    draws: None uses every stored draw once; a number uses the first so many, 0 none; a frame of parameters replaces them.
    quantiles: which quantiles over the draws.
    progress: as in `sf.fit`; counts budgets. timeout_s: give up after so many seconds.

    Raises SettingsError (`bad-budget`, `bad-quantile`, `bad-bounds`, `bad-given`, `missing-given`, `contradictory`),
    LawError (`no-values`, `no-cost`, `unknown-symbol`, `no-tradeoff`), UnitsError (`looks-scaled`).

    >>> import scalefast as sf
    >>> row = sf.sweep("hoffmann-2022", budget=5.76e23).summary.row(0, named=True)
    >>> f"{row['N']:.4g} {row['D']:.4g} {row['L']:.6g}"
    '4.036e+10 2.379e+12 1.91841'
    >>> row = sf.sweep("hoffmann-2022", budget=5.76e23, bounds={"N": (None, 8e9)}).summary.row(0, named=True)
    >>> f"{row['N']:.4g} {row['D']:.4g} {row['L']:.6g} {row['at_bound']}"
    '8e+09 1.2e+13 1.94837 N_max'
    """
    budgets = _budgets(budget)
    for quantile in quantiles:
        if not 0 < quantile < 1:
            raise SettingsError(
                f"a quantile must lie between 0 and 1, not {quantile!r}",
                code="bad-quantile",
                value=float(quantile),
                limit=1.0,
            )
    if len(set(optimise)) != 2:
        raise SettingsError("optimise takes two different variables", code="bad-optimise")
    laws = chosen_laws(law)
    costs: list[str | None] = []
    frames = []
    check_long_call(progress, timeout_s)
    with LongCall(progress, timeout_s) as call:
        for found in laws:
            name = law_name(found)
            refuse_scaled(found.fitted_range, name)
            matrix = choose_draws(found, draws)
            if is_frontier(found):
                frontier = Frontier(found, name, optimise)
                frontier.refuse(given=given, bounds=bounds)
                costs.append(None)
                columns = frontier.answer("C", budgets, matrix, quantiles, threads, call.stage(name))
            else:
                costs.append(stated_cost(found, cost))
                question = Question(found, name, str(costs[-1]), optimise, given or {}, bounds or {})
                columns = question.budget(budgets, matrix, quantiles, threads, call.stage(name))
            uncertainty = "none" if matrix is None else "draws"
            frame = _frame(found, budgets, columns, optimise, quantiles, uncertainty)
            frames.append(epochs(frame, given or {}, optimise[1], before="L"))
    summary = pl.concat(frames)
    return Sweep(summary, _spread(summary, optimise), tuple(laws), tuple(costs))


def _budgets(budget: Any) -> FloatArray:
    if budget is None:
        raise SettingsError("no budget is given", code="bad-budget", hint="budget=1e24, in FLOPs")
    try:
        entries = [budget] if isinstance(budget, int | float | str) else list(budget)
        values = [
            point for entry in entries for point in (read_grid(entry) if isinstance(entry, str) else [float(entry)])
        ]
    except (TypeError, ValueError, OverflowError) as error:
        raise SettingsError(f"budget: {budget!r:.60} is not a number of FLOPs", code="bad-budget") from error
    if not values:
        raise SettingsError("no budget is given", code="bad-budget", hint="budget=1e24, in FLOPs")
    for value in values:
        if not (math.isfinite(value) and value > 0):
            raise SettingsError(
                f"budget: {value:g} is not a positive, finite number of FLOPs",
                code="bad-budget",
                value=value,
                limit=0.0,
            )
    return np.array(values, dtype=np.float64)


def chosen_laws(law: Any) -> list[Law]:
    """The laws of an argument, with values; None: the default one and those that stand beside it."""
    if law is None:
        default = resolve(DEFAULT_LAW)
        return [default, *_alike(default)]
    given = list(law) if isinstance(law, list | tuple) else [law]
    if not given:
        raise SettingsError("no law is given", code="no-law")
    return [one_law(entry) for entry in given]


def one_law(law: Law | Fit | str | Path) -> Law:
    """The law of an argument, with values. Raises LawError (`no-values`) where it has none."""
    found = law.law if not isinstance(law, Law | str | Path) else resolve(law)
    if found.values is None:
        sets = f"use one of its published sets, {listing(found.sets)}, or " if found.sets else ""
        hint = f"{sets}fit it to runs with sf.fit{'' if found.sets else ', or give parameters= to sf.law'}"
        raise LawError(f"`{law_name(found)}` has no values for its parameters", code="no-values", hint=hint)
    return found


def _alike(law: Law) -> list[Law]:
    """The other published laws of the same variables, meaning of N, corpus and cost, but no rounded copies.

    Losses of different corpora do not compare, so a law of another corpus stands beside these only where it is asked for.
    """
    found = []
    for entry in _catalogue.entries():
        other = resolve(entry.id)
        if (
            other.published is not None
            and law.published is not None
            and other.values is not None
            and other.id != law.id
            and not other.published.rounded
            and other.published.n_definition == law.published.n_definition
            and other.published.corpus == law.published.corpus
            and other.cost == law.cost
            and set(other.variables) == set(law.variables)
        ):
            found.append(other)
    return found


def stated_cost(law: Law, cost: str | None) -> str:
    """The cost asked for, else the law's own. Raises LawError (`no-cost`) where there is neither."""
    if cost is None and law.cost is None:
        raise LawError(
            f"`{law_name(law)}` declares no cost",
            code="no-cost",
            hint='say what a run costs, such as cost="6*N*D" (FLOPs)',
        )
    return str(cost or law.cost)


def choose_draws(law: Law, draws: int | Any | None) -> FloatArray | None:
    """Draws as `p` rows of `K` values, or None."""
    if isinstance(draws, int):
        if draws < 0:
            raise SettingsError("draws must not be negative", code="bad-draws", value=float(draws), limit=0.0)
        stored = law.draws
        if draws == 0 or stored is None:
            return None
        if draws > stored.height:
            raise SettingsError(
                f"`{law_name(law)}` comes with {stored.height} draws",
                code="bad-draws",
                value=float(draws),
                limit=float(stored.height),
                hint="ask for at most so many; without a number all are used",
            )
        frame = stored.head(draws)
    elif draws is None:
        if law.draws is None:
            return None
        frame = law.draws
    else:
        frame = collect(read_frame(draws))
    missing = [name for name in law.parameters if name not in frame.columns]
    if missing:
        raise SettingsError(f"draws: no column for {listing(missing)}", code="bad-draws", column=missing[0])
    if frame.height == 0:
        raise SettingsError("the frame of draws has no rows", code="bad-draws", value=0.0)
    return np.stack([to_array(frame[name]) for name in law.parameters])


def _frame(
    law: Law,
    budgets: FloatArray,
    columns: Mapping[str, Any],
    optimise: tuple[str, str],
    quantiles: Sequence[float],
    uncertainty: str,
) -> pl.DataFrame:
    rows = len(budgets)
    first, second = optimise
    series = [pl.Series("law", [law_name(law)] * rows, dtype=pl.String), pl.Series("C", budgets)]
    for name, key in ((first, "first"), (second, "second"), (f"{second}_per_{first}", "ratio"), ("L", "loss")):
        series.append(_floats(name, columns.get(key), rows))
        spread = columns.get(f"{key}_quantiles")
        for position, quantile in enumerate(quantiles):
            series.append(_floats(f"{name}_q{label(quantile)}", None if spread is None else spread[position], rows))
    found = columns.get("status")
    if found is None:
        found = ["interior" if ok else "no-finite-optimum" for ok in series[2].is_not_null()]
    ends = [binding(status, optimise) for status in found]
    return pl.DataFrame(series).with_columns(
        pl.Series("status", [status for status, _ in ends], dtype=pl.String),
        pl.Series("at_bound", [bound for _, bound in ends], dtype=pl.String),
        _extrapolation(law, budgets),
        pl.lit(uncertainty).alias("uncertainty"),
    )


def epochs(frame: pl.DataFrame, given: Mapping[str, float | str], data: str, before: str) -> pl.DataFrame:
    """The frame with `epochs`, tokens seen over the unique ones, and its quantiles, where U is given as a number."""
    unique = given.get("U")
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


def _floats(name: str, values: FloatArray | None, rows: int) -> pl.Series:
    if values is None:
        return pl.Series(name, [None] * rows, dtype=pl.Float64)
    return pl.Series(name, values, nan_to_null=True)


def label(quantile: float) -> str:
    """`05` for 0.05, `50` for 0.5, `97.5` for 0.975."""
    text = f"{100 * quantile:.10g}"
    return text.zfill(2) if "." not in text else text


def decades_outside(law: Law, budget: float) -> float | None:
    """How far a budget lies outside the compute that the law was fitted on, in decades; None where that is not known."""
    known = law.fitted_range.get("C")
    if known is None:
        return None
    low, high = known
    return max(0.0, math.log10(budget / high), math.log10(low / budget))


def _extrapolation(law: Law, budgets: FloatArray) -> pl.Series:
    decades = [decades_outside(law, budget) for budget in budgets]
    return pl.Series("extrapolation_decades", decades, dtype=pl.Float64)


def _spread(summary: pl.DataFrame, optimise: tuple[str, str]) -> pl.DataFrame:
    first, second = optimise
    return (
        summary.filter(pl.col(first).is_not_null())
        .group_by("C", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("laws"),
            *(
                part
                for name in (first, second)
                for part in (pl.col(name).min().alias(f"{name}_lowest"), pl.col(name).max().alias(f"{name}_highest"))
            ),
        )
    )


def law_name(law: Law) -> str:
    """The id; a fit of a catalogued form goes by the form."""
    return law.id or (f"{law.form.id} (own values)" if law.form.id else law.formula)
