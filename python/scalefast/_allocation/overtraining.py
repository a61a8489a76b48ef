"""Over-training curves: what a smaller model that is as good costs in data and compute.

Stage: after laws, beside inverse questions. In: a law with values, a budget, sizes as multiples of the best one. Out: a
frame of one row per size. Each draw of the law has its own best size and its own curve. Source: de Vries 2023, "Go smol or go
home"; under an additive law data = (1 - (beta/alpha)*(size**-alpha - 1))**(-1/beta), at any budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._allocation.laws import chosen_laws
from scalefast._base.errors import LawError, SettingsError
from scalefast._base.numbers import label
from scalefast._base.scale import refuse_scaled
from scalefast._base.statuses import INFEASIBLE, INTERIOR
from scalefast._core import Call, System, answer
from scalefast._data.frames import FloatArray
from scalefast._laws.arguments import choose_draws, law_name, stated_cost
from scalefast._laws.law import Law
from scalefast._optimum.question import Columns, Over, Question

if TYPE_CHECKING:
    from scalefast._fitting.fit import Fit

__all__ = ["overtraining"]

#: Names of what is known of each draw; no formula of a user's has a space in a name by accident.
_N, _D, _L, _C = "`best N`", "`best D`", "`best L`", "`best C`"


def overtraining(
    law: Law | Fit | str | Path | Sequence[Law | Fit | str | Path] | None,
    budget: float,
    sizes: Sequence[float] = (0.75, 0.5, 0.4, 0.3, 0.2),
    *,
    cost: str | None = None,
    given: Mapping[str, float | str] | None = None,
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    threads: int | None = None,
) -> pl.DataFrame:
    """What models of other sizes than the best one need to be as good as it.

    Parameters
    ----------
    law: one or several ids, files, formulas with values, Laws or Fits; None: those of `sweep`.
    budget: FLOPs whose best split is the model to equal.
    sizes: multiples of its size: 0.5 is half of it.
    cost, given, draws, quantiles: as in `sweep`.

    Returns one row per law and size: law; size; data and compute as multiples of the best split's; N, D, D_per_N, C and L; and
    least_size, below which no amount of data is enough (each but L also as quantiles over the draws, of which each has its
    own best split). status: `interior`, or `infeasible` with nulls at sizes below the least one.

    Raises SettingsError (`bad-budget`, `bad-sizes`, and those of `sweep`), LawError as `sweep` and `solve` do.

    >>> import scalefast as sf
    >>> curve = sf.overtraining("hoffmann-2022-rounded", 1e23, sizes=(0.75, 0.5))
    >>> [(round(data, 3), round(compute, 3)) for data, compute in curve.select("data", "compute").rows()]
    [(1.371, 1.028), (2.416, 1.208)]
    """
    if not (np.isfinite(budget) and budget > 0):
        message = f"budget must be positive and finite; got {budget:g}"
        raise SettingsError(message, code="bad-budget", argument="budget", value=float(budget))
    multiples = np.array(list(sizes), dtype=np.float64)
    if not len(multiples) or not np.all(np.isfinite(multiples) & (multiples > 0)):
        hint = "0.5 is half of the best size"
        message = "sizes must be multiples above zero, at least one"
        raise SettingsError(message, code="bad-sizes", argument="sizes", hint=hint)
    rows = []
    for found in chosen_laws(law):
        refuse_scaled(found.fitted_range, law_name(found))
        question = Question(found, law_name(found), stated_cost(found, cost), ("N", "D"), given or {}, {})
        if len(question.free) != 2:
            raise SettingsError("N and D must both be free", code="contradictory", hint="leave them out of given")
        curve = _Curve(question, float(budget), choose_draws(found, draws), quantiles, threads)
        least = curve.least()
        rows += [curve.row(size, least) for size in multiples]
    texts = ("law", "status", "uncertainty")
    return pl.DataFrame(rows, schema={name: pl.String if name in texts else pl.Float64 for name in rows[0]})


class _Curve:
    """The best split of the estimate and of every draw, and questions about models that equal it."""

    def __init__(
        self,
        question: Question,
        budget: float,
        draws: FloatArray | None,
        quantiles: Sequence[float],
        threads: int | None,
    ) -> None:
        self.question, self.budget, self.quantiles, self.threads = question, budget, quantiles, threads
        best, spread = _best(question, budget, draws, threads)
        self.loss = best[2]
        self.names = [*(question.law.values or {}), *(name.strip("`") for name in (_N, _D, _L, _C)), *question.numbers]
        self.values = np.array([*(question.law.values or {}).values(), *best, budget, *question.numbers.values()])
        solved = None if spread is None else np.isfinite(spread).all(axis=0)
        self.draws = None
        if draws is not None and spread is not None and solved is not None and solved.any():
            rows = [draws[:, solved], spread[:, solved], np.full((1, int(solved.sum())), budget)]
            self.draws = np.ascontiguousarray(np.concatenate(rows))

    def least(self) -> Columns:
        """The least size: the one that equals the best split with data without end, whatever they would cost."""
        return self._ask("N", {"D": "1e300"}, ("1", f"N/{_N}"), cost="1")

    def row(self, size: float, least: Columns) -> dict[str, Any]:
        """One size, in multiples and in numbers."""
        held = {"N": f"{float(size)!r}*{_N}"}
        absolute = self._ask("D", held, ("N", "D"))
        relative = self._ask("D", held, ("1", f"D/{_D}"), cost=f"({self.question.cost})/{_C}")
        row: dict[str, Any] = {"law": self.question.name, "size": float(size)}
        for name, columns, key in (
            ("data", relative, "second"),
            ("compute", relative, "cost"),
            ("N", absolute, "first"),
            ("D", absolute, "second"),
            ("D_per_N", absolute, "ratio"),
            ("C", absolute, "cost"),
        ):
            row.update(self._cells(name, columns, key))
        known = row["data"] is not None
        row["L"] = self.loss if known else None
        row.update(self._cells("least_size", least, "second"))
        row["status"] = INTERIOR if known else INFEASIBLE
        row["uncertainty"] = "none" if self.draws is None else "draws"
        return row

    def _cells(self, name: str, columns: Columns, key: str) -> dict[str, float | None]:
        """A point and its quantiles; null where there is none."""
        cells = {name: float(columns[key][0])}
        for place, quantile in enumerate(self.quantiles):
            cells[f"{name}_q{label(quantile)}"] = float(columns[f"{key}_quantiles"][place][0])
        return {cell: value if np.isfinite(value) else None for cell, value in cells.items()}

    def _ask(self, free: str, held: Mapping[str, str], reported: tuple[str, str], cost: str | None = None) -> Columns:
        """Where the loss is that of the best split, with one variable free."""
        law, definitions = self.question.law, {**held, **self.question.formulas}
        output = law.outputs[0]
        system = System.parse(
            [(output, f"({law.form.outputs[output]})/{_L}")], [*definitions.items(), *law.definitions.items()]
        )
        outputs = [("$cost", cost or self.question.cost), ("$first", reported[0]), ("$second", reported[1])]
        spending = System.parse(outputs, list(definitions.items()))
        return answer(
            system,
            output,
            spending,
            "loss",
            [free],
            [(None, None)],
            self.names,
            self.values,
            self.draws,
            np.ones(1),
            list(self.quantiles),
            self.threads,
            Call(),
        )


def _best(
    question: Question, budget: float, draws: FloatArray | None, threads: int | None
) -> tuple[list[float], FloatArray | None]:
    """N, D and L of the best split of the estimate, and of each draw as three rows; NaN where a draw has none."""
    target = np.array([budget])
    columns = question.budget(target)
    best = [float(columns[key][0]) for key in ("first", "second", "loss")]
    if not np.isfinite(best).all():
        raise LawError(
            f"under `{question.name}` and C = {question.cost} the budget has no best split",
            code="no-finite-optimum",
            value=budget,
            hint="an over-training curve starts from the best size",
        )
    if draws is None:
        return best, None
    kept = question.budget(target, Over(draws, threads=threads, keep=True))["kept"]
    return best, np.array([kept[place] for place in range(3)])
