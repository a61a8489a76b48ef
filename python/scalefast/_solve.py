"""Inverse questions: from any one or two of compute, size, data and loss to the rest.

Stage: after laws, beside sweeps. In: a law with values, and numbers for some of C, N, D, L. Out: a frame of one row with
all four, their quantiles over the law's draws, and how far the split lies from the best one. Questions without an answer
are errors that say why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._allocate import Bound, Columns, Question, binding
from scalefast._errors import LawError, SettingsError
from scalefast._law import Law
from scalefast._longcall import LongCall, check_long_call
from scalefast._progress import Progress
from scalefast._scale import refuse_scaled
from scalefast._sweep import choose_draws, decades_outside, label, law_name, one_law, stated_cost

if TYPE_CHECKING:
    from scalefast._fit import Fit

__all__ = ["solve"]

#: So much of a variable stands for no limit at all.
_UNLIMITED = 1e60
#: The known symbols, and which question of the core they make.
_AIMS = {
    ("C",): "budget",
    ("L",): "loss",
    ("N",): "companion",
    ("D",): "companion",
    ("C", "N"): "budget",
    ("C", "D"): "budget",
    ("L", "N"): "loss",
    ("D", "L"): "loss",
    ("D", "N"): "budget",
}


def solve(
    law: Law | Fit | str | Path,
    *,
    C: float | None = None,
    N: float | None = None,
    D: float | None = None,
    L: float | None = None,
    cost: str | None = None,
    bounds: Mapping[str, Bound] | None = None,
    given: Mapping[str, float | str] | None = None,
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    threads: int | None = None,
    progress: Progress = None,
    timeout_s: float | None = None,
) -> pl.DataFrame:
    """The rest of compute, size, data and loss, from one or two of them.

    ========== =================================================================
    known      answer
    ========== =================================================================
    C          the N and D of least loss
    L          the N and D that reach it with the least compute
    N          the D, and so the compute, at which this size is the best one
    D          the N at which this much data is the best choice
    C and N/D  what the compute leaves for the other
    L and N/D  how much of the other reaches the loss
    N and D    compute and loss
    ========== =================================================================

    Parameters
    ----------
    law: an id, a file, a formula with values, a Law or a Fit.
    C: training FLOPs, or whatever the cost counts. N: parameters. D: tokens. L: nats per token.
    cost: formula of the FLOPs, such as "6*N*D + 2*N*T" with tokens served; None: the law's own.
    bounds, given, draws: as in `sweep`.
    quantiles: which quantiles over the draws; null where the law has none.
    progress, timeout_s: as in `sweep`.

    Returns one row: law; C, N, D, D_per_N, L, each with quantiles (`N_q05`, …); `C_least`, the least compute of this loss;
    `L_least`, the least loss of this compute (both at the estimate, null where nothing is to choose); status, at_bound,
    extrapolation_decades, uncertainty as in `sweep`.

    Raises SettingsError (`bad-question` for other combinations, `not-positive`, and those of `sweep`), LawError
    (`infeasible-loss` below what the law can reach, with the floor as `limit`; `infeasible`; `no-finite-optimum`).

    Source: the first-order condition of Hoffmann et al. 2022, section 3.3; with tokens served, of Sardana et al. 2024.

    >>> import scalefast as sf
    >>> row = sf.solve("hoffmann-2022", N=10e9).row(0, named=True)
    >>> f"{row['D']:.4g} tokens, {row['C']:.3g} FLOPs"
    '4.518e+11 tokens, 2.71e+22 FLOPs'
    >>> row = sf.solve("hoffmann-2022", L=2.0, cost="6*N*D + 2*N*T", given={"T": 1e12}).row(0, named=True)
    >>> f"{row['N']:.3g} {row['D']:.3g}"
    '1.12e+10 1.22e+12'
    """
    found = one_law(law)
    refuse_scaled(found.fitted_range, law_name(found))
    known = {name: float(value) for name, value in (("C", C), ("D", D), ("L", L), ("N", N)) if value is not None}
    aim = _AIMS.get(tuple(known))
    if aim is None:
        hint = "give C, N, D or L, or two of them but not C with L"
        stated = ", ".join(known) or "nothing"
        raise SettingsError(f"{stated} is no question with one answer", code="bad-question", hint=hint)
    for name, value in known.items():
        if not (np.isfinite(value) and value > 0):
            raise SettingsError(f"{name} must be positive and finite", code="not-positive", column=name, value=value)
    settled = dict(given or {})
    for name in ("N", "D"):
        if name in known and name in settled:
            raise SettingsError(f"`{name}` is given twice", code="contradictory", column=name)
    pinned: dict[str, float | str] = {name: known[name] for name in ("N", "D") if name in known}
    if len(pinned) == 2:
        del pinned["D"]
    question = Question(
        found,
        law_name(found),
        stated_cost(found, cost),
        ("N", "D"),
        {**settled, **pinned},
        {name: bound for name, bound in (bounds or {}).items() if name not in known},
    )
    target = known.get("L" if aim == "loss" else "C", 1.0)
    if "N" in known and "D" in known:
        target = question.cost_of(known["N"], known["D"])
    matrix = choose_draws(found, draws)
    check_long_call(progress, timeout_s)
    with LongCall(progress, timeout_s) as call:
        columns = question.answer(aim, np.array([target]), matrix, quantiles, threads, call.stage(question.name))
    status, bound = binding(columns["status"][0], ("N", "D") if len(question.free) == 2 else (question.free[0], ""))
    if status in ("infeasible", "no-finite-optimum"):
        raise _refusal(question, aim, target, known, status)
    return _row(question, columns, settled, known, quantiles, (status, bound), matrix is not None)


def _row(
    question: Question,
    columns: Columns,
    settled: Mapping[str, float | str],
    known: Mapping[str, float],
    quantiles: Sequence[float],
    ending: tuple[str, str | None],
    with_draws: bool,
) -> pl.DataFrame:
    row: dict[str, Any] = {"law": question.name}
    keys = (("C", "cost"), ("N", "first"), ("D", "second"), ("D_per_N", "ratio"), ("L", "loss"))
    for name, key in keys:
        row[name] = known.get(name, float(columns[key][0]))
        for place, quantile in enumerate(quantiles):
            spread = float(columns[f"{key}_quantiles"][place][0])
            row[f"{name}_q{label(quantile)}"] = spread if with_draws and np.isfinite(spread) else None
    row["C_least"], row["L_least"] = _best(replace(question, given=settled), row)
    row["status"], row["at_bound"] = ending
    row["extrapolation_decades"] = decades_outside(question.law, row["C"])
    row["uncertainty"] = "draws" if with_draws else "none"
    texts = ("law", "status", "at_bound", "uncertainty")
    schema = {name: pl.String if name in texts else pl.Float64 for name in row}
    return pl.DataFrame([row], schema=schema)


def _best(question: Question, row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The least compute of the row's loss, the least loss of its compute."""
    if len(question.free) < 2:
        return None, None
    found = []
    for aim, target, key in (("loss", row["L"], "cost"), ("budget", row["C"], "loss")):
        value = float(question.answer(aim, np.array([target]), None, ())[key][0])
        found.append(value if np.isfinite(value) else None)
    return found[0], found[1]


def _refusal(question: Question, aim: str, target: float, known: Mapping[str, float], status: str) -> LawError:
    """Why there is no answer."""
    if aim == "loss":
        limits = {name: (question.bounds.get(name) or (None, None))[1] or _UNLIMITED for name in ("N", "D")}
        at = {**limits, **{name: known[name] for name in ("N", "D") if name in known}}
        floor = question.loss_of(at["N"], at["D"])
        held = [f"{name} = {value:.4g}" for name, value in at.items() if value < _UNLIMITED]
        if target <= floor:
            what = f"what {' and '.join(held)} can reach" if held else "the irreducible loss"
            return LawError(
                f"no run reaches {target:g} nats per token under `{question.name}`: that lies below {what}, {floor:.6g}",
                code="infeasible-loss",
                value=target,
                limit=floor,
                hint=f"ask for more than {floor:.6g} nats per token",
            )
    if status == "no-finite-optimum":
        return LawError(
            f"under `{question.name}` and C = {question.cost} the loss keeps falling: there is no best split",
            code="no-finite-optimum",
            hint='bounds={"N": (1e8, 1e12)} limits the choice',
        )
    asked = ", ".join(f"{name} = {value:g}" for name, value in known.items())
    return LawError(
        f"nothing within the bounds answers {asked} under `{question.name}` with C = {question.cost}",
        code="infeasible",
        value=target,
        hint="widen the bounds, or change what is given",
    )
