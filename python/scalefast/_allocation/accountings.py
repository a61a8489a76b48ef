"""Accounting rules side by side: what a token costs by each, and what a budget then buys.

Stage: over costs and sweeps. In: a `Transformer` as the example, a law, budgets. Out: a frame of one row per rule (and budget).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from scalefast._allocation.sweep import sweep
from scalefast._base.errors import SettingsError
from scalefast._costs.accounting import ACCOUNTINGS
from scalefast._costs.family import counts_of, serving_cost, training_cost
from scalefast._costs.lifetime import lifetime_cost
from scalefast._costs.transformer import Transformer, per_token
from scalefast._laws.arguments import DEFAULT_LAW, law_name, one_law
from scalefast._optimum.frontier import is_frontier

__all__ = ["accountings"]


def accountings(
    like: Transformer,
    *,
    law: Any = None,
    budget: Any = None,
    counts: str | None = None,
    given: Mapping[str, float | str] | None = None,
    lifetime: Mapping[str, Any] | None = None,
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
) -> pl.DataFrame:
    """Every accounting rule side by side: what a token of `like` costs and, with a budget, what the budget buys.

    Parameters
    ----------
    like: the shape, and with a budget the family of shapes of every size that look like it.
    law, budget, given, draws, quantiles: as in `sweep`; `law` is one law. None for both: no allocation.
    lifetime: arguments of `lifetime_cost`, for the cost of training and serving by each rule; None: training alone.
    counts: what the law's N counts; None: what its `n_definition` says, else all parameters.

    Returns one row per rule (and budget): accounting; flops_per_token of `like`, and its ratio to 6 N as `per_6N`; the cost as
    a formula of N and D; then, with a budget, the columns of a sweep's summary.

    >>> import scalefast as sf
    >>> shape = sf.Transformer(layers=32, width=4096, heads=32, vocabulary=32000, context=4096)
    >>> sf.accountings(shape).select("accounting", "flops_per_token").row(2)
    ('palm', 46872944640)
    """
    chosen = counts or counts_of(law)
    costs = {name: training_cost(rule, like, counts=chosen) for name, rule in ACCOUNTINGS.items()}
    if lifetime:
        costs = {
            name: lifetime_cost(training=cost, serving=serving_cost(name, like, counts=chosen), **lifetime)
            for name, cost in costs.items()
        }
    flops = [per_token(like, name) for name in costs]
    table = pl.DataFrame(
        {
            "accounting": list(costs),
            "flops_per_token": pl.Series(flops, dtype=pl.Int64),
            "per_6N": [value / per_token(like, "6N") for value in flops],
            "cost": list(costs.values()),
        }
    )
    if budget is None:
        return table
    found = one_law(law or DEFAULT_LAW)
    if is_frontier(found):
        message = f"`{law_name(found)}` gives N and D at a compute itself: no accounting changes them"
        raise SettingsError(message, code="bad-given", hint="take a law of L, or leave out the budget")
    swept = [
        sweep(found, budget, cost=cost, given=given, draws=draws, quantiles=quantiles).summary.with_columns(
            accounting=pl.lit(name)
        )
        for name, cost in costs.items()
    ]
    return table.join(pl.concat(swept), on="accounting", how="left", maintain_order="left_right")
