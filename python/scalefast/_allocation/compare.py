"""Plans side by side: what changes when size, data, compute or loss do.

Stage: after inverse questions. In: a law and several questions, each as `solve` takes it. Out: a frame of one row per question,
with its answer and how it compares with the first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._allocation.laws import chosen_laws
from scalefast._allocation.solve import solve
from scalefast._base.errors import LawError, SettingsError
from scalefast._base.numbers import label
from scalefast._base.statuses import INFEASIBLE, NO_FINITE_OPTIMUM
from scalefast._core import System
from scalefast._data.describe import quantiles as quantiles_of
from scalefast._data.frames import FloatArray
from scalefast._laws.arguments import choose_draws, law_name, stated_cost
from scalefast._laws.law import Law
from scalefast._optimum.frontier import is_frontier
from scalefast._optimum.question import Bound, Question

if TYPE_CHECKING:
    from scalefast._fitting.fit import Fit

__all__ = ["compare"]

#: Errors that say that a question has no answer, which here is the status of a row.
_UNANSWERED = (INFEASIBLE, "infeasible-loss", NO_FINITE_OPTIMUM)


def compare(
    law: Law | Fit | str | Path | Sequence[Law | Fit | str | Path] | None,
    plans: Sequence[Mapping[str, Any]],
    *,
    cost: str | None = None,
    bounds: Mapping[str, Bound] | None = None,
    given: Mapping[str, float | str] | None = None,
    optimise: tuple[str, str] = ("N", "D"),
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    threads: int | None = None,
    timeout_s: float | None = None,
) -> pl.DataFrame:
    """Several plans under one law or more, each compared with the first of its law.

    Parameters
    ----------
    law: one or several ids, files, formulas with values, Laws or Fits; None: those of `sweep`.
    plans: what is known of each, as `solve` takes it: {"N": 10e9} at its best data, {"N": 10e9, "D": 2e11}, {"C": 1e24},
        {"L": 2.0}, …
    cost, bounds, given, optimise, draws, quantiles: as in `solve`. timeout_s: for all plans together.

    Returns one row per law and plan: plan, its number from 1; the columns of `solve`; and against the first plan C_ratio,
    N_ratio, D_ratio, L_change (nats per token, with quantiles `L_change_q05`, …), perplexity_ratio, exp(L_change), and
    share_better, the share of the draws under which the plan has the lower loss; and compute_excess, by how much C exceeds the
    least compute of its loss (0.25: a quarter more). A change over the draws is that between the rows' own sizes and data: far
    narrower than the losses, which move together. A plan without an answer is a row of nulls whose status says why.

    Raises what `solve` raises for plans that are not questions; SettingsError (`bad-question`) for no plans, and LawError
    where the first has no answer.

    >>> import scalefast as sf
    >>> two = sf.compare("epoch-2024", [{"C": 1e23}, {"C": 1e24}])
    >>> [round(two[name][1], 2) for name in ("N_ratio", "D_ratio")]
    [3.26, 3.07]
    """
    if not plans:
        raise SettingsError(
            "there is nothing to compare", code="bad-question", hint='give plans, such as [{"N": 10e9}]'
        )
    settled: dict[str, Any] = {"cost": cost, "bounds": bounds, "given": given, "optimise": optimise}
    settled |= {"draws": draws, "quantiles": quantiles, "threads": threads}
    end = None if timeout_s is None else time.monotonic() + timeout_s

    def left() -> float | None:
        """Seconds that remain; none left is a limit that is over at once."""
        return None if end is None else max(end - time.monotonic(), 1e-9)

    tables = []
    for found in chosen_laws(law):
        rows: list[pl.DataFrame] = []
        for plan in plans:
            try:
                rows.append(solve(found, **settled, **plan, timeout_s=left()))
            except LawError as error:
                if error.code not in _UNANSWERED or not rows:
                    raise
                rows.append(_unanswered(rows[0], plan, error.code))
        table = _compared(pl.concat(rows), ("C", *optimise))
        matrix = None if is_frontier(found) else choose_draws(found, draws)
        losses: list[FloatArray | None] = [None] * table.height
        if matrix is not None:
            question = Question(found, law_name(found), stated_cost(found, cost), optimise, dict(given or {}), {})
            losses = [
                None if None in split else question.loss_under(matrix, *split)
                for split in table.select(optimise).rows()
            ]
        tables.append(_over_draws(table, losses, quantiles))
    return pl.concat(tables)


def _over_draws(table: pl.DataFrame, losses: Sequence[FloatArray | None], quantiles: Sequence[float]) -> pl.DataFrame:
    """The table with the changes of the loss over the draws, plan by plan, after the changes themselves."""
    names = [f"L_change_q{label(quantile)}" for quantile in quantiles]
    rows: list[dict[str, float | None]] = []
    for place, loss in enumerate(losses):
        row: dict[str, float | None] = dict.fromkeys([*names, "share_better"])
        if loss is not None and losses[0] is not None:
            change = loss - losses[0]
            known = int(np.count_nonzero(~np.isnan(change)))
            row |= dict(zip(names, quantiles_of(change, quantiles), strict=True))
            row["share_better"] = np.count_nonzero(change < 0) / known if place and known else None
        rows.append(row)
    added = pl.DataFrame(rows, schema=dict.fromkeys([*names, "share_better"], pl.Float64))
    order = [*table.columns, *added.columns]
    for name in (*names, "share_better"):
        order.remove(name)
    after = order.index("L_change") + 1
    order[after:after] = names
    order.insert(order.index("perplexity_ratio") + 1, "share_better")
    return pl.concat([table, added], how="horizontal").select(order)


def _unanswered(like: pl.DataFrame, plan: Mapping[str, Any], status: str) -> pl.DataFrame:
    """A row with what the plan says, and else nulls."""
    known = {"law": like["law"][0], "status": status, "uncertainty": like["uncertainty"][0], **plan}
    return pl.DataFrame([{name: known.get(name) for name in like.columns}], schema=like.schema)


def _compared(table: pl.DataFrame, multiples: tuple[str, ...]) -> pl.DataFrame:
    """The plans of one law, with how they compare; `multiples` names what is compared by a ratio."""
    answered = table["status"].is_in(_UNANSWERED).not_()
    names = [*multiples, "L"]
    columns = {
        name: table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().copy() for name in (*names, "C_least")
    }
    first = {f"{name}_first": float(columns[name][0]) for name in names}
    outputs = [(f"{name}_ratio", f"{name}/{name}_first") for name in multiples]
    outputs += [
        ("L_change", "L - L_first"),
        ("perplexity_ratio", "exp(L - L_first)"),
        ("compute_excess", "C/C_least - 1"),
    ]
    found = System.parse(outputs, []).evaluate(columns, first)
    numbers = pl.Series("plan", range(1, table.height + 1), dtype=pl.Int64)
    return table.insert_column(1, numbers).with_columns(
        pl.Series(name, np.where(answered, found[name], np.nan), nan_to_null=True) for name, _ in outputs
    )
