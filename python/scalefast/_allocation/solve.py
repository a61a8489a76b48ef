"""Inverse questions: from any one or two of compute, size, data and loss to the rest.

Stage: after laws, beside sweeps. In: laws with values, and numbers for some of C, N, D, L. Out: a frame with a row per law:
all four, their quantiles over the law's draws, and how far the split lies from the best one. Questions without an answer
are errors that say why. Laws that give N and D at a compute themselves answer what they can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._allocation.laws import chosen_laws
from scalefast._allocation.summary import decades_outside, epochs, training_compute
from scalefast._base.errors import LawError, SettingsError
from scalefast._base.numbers import label
from scalefast._base.scale import refuse_scaled
from scalefast._base.statuses import INFEASIBLE, INTERIOR, NO_FINITE_OPTIMUM
from scalefast._base.suggest import did_you_mean
from scalefast._base.wording import Advice, Argument
from scalefast._calls.longcall import LongCall
from scalefast._calls.progress import Progress
from scalefast._calls.running import Running
from scalefast._laws.arguments import choose_draws, law_name, stated_cost
from scalefast._laws.law import Law
from scalefast._optimum.frontier import Frontier, is_frontier
from scalefast._optimum.question import Bound, Columns, Over, Question, binding

if TYPE_CHECKING:
    from scalefast._fitting.fit import Fit

__all__ = ["solve"]

#: So much of a variable stands for no limit at all.
_UNLIMITED = 1e60
#: What is known of compute, size, data and loss, and which question of the core that makes.
_AIMS = {
    ("compute",): "budget",
    ("loss",): "loss",
    ("size",): "companion",
    ("data",): "companion",
    ("compute", "size"): "budget",
    ("compute", "data"): "budget",
    ("size", "loss"): "loss",
    ("data", "loss"): "loss",
    ("size", "data"): "budget",
}


def solve(
    law: Law | Fit | str | Path | Sequence[Law | Fit | str | Path] | None = None,
    *,
    C: float | None = None,
    N: float | None = None,
    D: float | None = None,
    L: float | None = None,
    cost: str | None = None,
    bounds: Mapping[str, Bound] | None = None,
    given: Mapping[str, float | str] | None = None,
    optimise: tuple[str, str] = ("N", "D"),
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    threads: int | None = None,
    progress: Progress = None,
    timeout_s: float | None = None,
    **sizes: float,
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
    law: one or several ids, files, formulas with values, Laws or Fits; None: those of `sweep`.
    C: training FLOPs, or whatever the cost counts. N: parameters. D: tokens. L: nats per token.
    cost: formula of the FLOPs, such as "6*N*D + 2*N*T" with tokens served; None: the law's own.
    bounds, given, draws: as in `sweep`.
    optimise: the symbols that stand for size and data, such as ("M", "D") with FLOPs per token; a size of another name than
        N is given by that name: `M=4e11`.
    quantiles: which quantiles over the draws; null where the law has none.
    progress, timeout_s: as in `sweep`.

    Returns a row per law: law; C, N, D, D_per_N, L, each with quantiles (`N_q05`, …), and `epochs` where unique tokens U are
    given; `C_least`, the least compute of this loss; `L_least`, the least loss of this compute (both at the estimate, null
    where nothing is to choose); status, at_bound, extrapolation_decades, uncertainty as in `sweep`. A law that gives N and D
    at a compute itself (`kaplan-frontier`, `rule-20-to-1`) answers from C, N or D alone, and from L where it has one.

    Raises SettingsError (`bad-question` for other combinations, `not-positive`, and those of `sweep`), LawError
    (`infeasible-loss` below what the law can reach, with the floor as `limit`; `infeasible`; `no-finite-optimum`; `no-loss`
    where the law gives none and the question needs one).

    Source: the first-order condition of Hoffmann et al. 2022, section 3.3; with tokens served, of Sardana et al. 2024.

    >>> import scalefast as sf
    >>> row = sf.solve("hoffmann-2022", N=10e9).row(0, named=True)
    >>> f"{row['D']:.4g} tokens, {row['C']:.3g} FLOPs"
    '4.518e+11 tokens, 2.71e+22 FLOPs'
    >>> row = sf.solve("hoffmann-2022", L=2.0, cost="6*N*D + 2*N*T", given={"T": 1e12}).row(0, named=True)
    >>> f"{row['N']:.3g} {row['D']:.3g}"
    '1.12e+10 1.22e+12'
    >>> rows = sf.solve(["rule-20-to-1", "llama3-2024"], N=70e9)
    >>> [f"{d:.4g}" for d in rows["D"]]
    ['1.4e+12', '2.231e+12']
    """
    running = Running(threads, progress, timeout_s)
    known = _known({"C": C, "N": N, "D": D, "L": L, **sizes}, optimise)
    settled = dict(given or {})
    frames = []
    with LongCall(running) as call:
        for found in chosen_laws(law):
            name = law_name(found)
            refuse_scaled(found.fitted_range, name)
            matrix = choose_draws(found, draws)
            over = Over(matrix, quantiles, threads, call.stage(name))
            least: tuple[float | None, float | None] = (None, None)
            if is_frontier(found):
                frontier = Frontier(found, name, optimise)
                frontier.refuse(given=given, bounds=bounds, cost=cost)
                columns, ending = _along(frontier, known, over)
            else:
                question = _question(found, known, optimise, cost, settled, bounds or {})
                columns, ending = _ask(question, known, over)
                least = _best(replace(question, given=settled), known, columns)
            frames.append(
                _row(found, optimise, known, columns, quantiles, matrix is not None, settled, least, ending, cost)
            )
    return pl.concat(frames)


def _known(stated: Mapping[str, float | None], optimise: tuple[str, str]) -> dict[str, float]:
    """What is given, each checked to be a symbol of the question and a number above zero."""
    if len(set(optimise)) != 2:
        raise SettingsError("optimise must be two different variables", code="bad-optimise", argument="optimise")
    known = {}
    for name, value in stated.items():
        if value is None:
            continue
        if name not in ("C", "L", *optimise):
            hint = did_you_mean(name, ("C", "L", *optimise, "optimise"), "symbols of the question")
            raise SettingsError(f"`{name}` is not asked about", code="unknown-symbol", column=name, hint=hint)
        known[name] = float(value)
        if not (np.isfinite(known[name]) and known[name] > 0):
            raise SettingsError(f"{name} must be positive and finite", code="not-positive", column=name, value=value)
    if _aim(known, optimise) is None:
        first, second = optimise
        hint = f"give C, {first}, {second} or L, or two of them but not C with L"
        raise SettingsError(
            f"{', '.join(known) or 'nothing'} is not a question with one answer", code="bad-question", hint=hint
        )
    return known


def _aim(known: Mapping[str, float], optimise: tuple[str, str]) -> str | None:
    """The question of the core."""
    roles = {"C": "compute", optimise[0]: "size", optimise[1]: "data", "L": "loss"}
    return _AIMS.get(tuple(role for name, role in roles.items() if name in known))


def _question(
    law: Law,
    known: Mapping[str, float],
    optimise: tuple[str, str],
    cost: str | None,
    given: Mapping[str, float | str],
    bounds: Mapping[str, Bound],
) -> Question:
    """The question with what is known of size and data pinned."""
    pinned: dict[str, float | str] = {name: known[name] for name in optimise if name in known}
    for name in pinned:
        if name in given:
            raise SettingsError(f"`{name}` is given twice", code="contradictory", column=name)
    if len(pinned) == 2:
        del pinned[optimise[1]]
    limits = {name: bound for name, bound in bounds.items() if name not in known}
    return Question(law, law_name(law), stated_cost(law, cost), optimise, {**given, **pinned}, limits)


def _ask(
    question: Question,
    known: Mapping[str, float],
    over: Over,
) -> tuple[Columns, tuple[str, str | None]]:
    """The answer of a law of the loss, and how it ended."""
    first, second = question.optimise
    aim = str(_aim(known, question.optimise))
    target = known.get("L" if aim == "loss" else "C", 1.0)
    if first in known and second in known:
        target = question.cost_of(known[first], known[second])
    columns = question.answer(aim, np.array([target]), over)
    ending = binding(columns["status"][0], question.optimise if len(question.free) == 2 else (question.free[0], ""))
    if ending[0] in (INFEASIBLE, NO_FINITE_OPTIMUM):
        raise _refusal(question, aim, target, known, ending[0])
    return columns, ending


def _along(
    frontier: Frontier,
    known: Mapping[str, float],
    over: Over,
) -> tuple[Columns, tuple[str, str | None]]:
    """The answer of a law that gives size and data at a compute, and how it ended."""
    [name, *more] = known
    if more or (name == "L" and "L" not in frontier.law.outputs):
        raise frontier.needs_loss(list(known))
    columns = frontier.answer(name, np.array([known[name]]), over)
    if columns["status"][0] == INTERIOR:
        return columns, (INTERIOR, None)
    if name == "L":
        floor = frontier.floor()
        if known["L"] <= floor:
            raise _below(frontier.name, known["L"], floor, [])
    raise LawError(
        f"at no compute does `{frontier.name}` give {name} = {known[name]:g}", code="infeasible", value=known[name]
    )


def _row(
    law: Law,
    optimise: tuple[str, str],
    known: Mapping[str, float],
    columns: Columns,
    quantiles: Sequence[float],
    with_draws: bool,
    given: Mapping[str, float | str],
    least: tuple[float | None, float | None],
    ending: tuple[str, str | None],
    cost: str | None,
) -> pl.DataFrame:
    first, second = optimise
    row: dict[str, Any] = {"law": law_name(law)}
    keys = (("C", "cost"), (first, "first"), (second, "second"), (f"{second}_per_{first}", "ratio"), ("L", "loss"))
    for name, key in keys:
        row[name] = known.get(name, float(columns[key][0]) if key in columns else None)
        for place, quantile in enumerate(quantiles):
            spread = known.get(name, float(columns[f"{key}_quantiles"][place][0]) if key in columns else np.nan)
            row[f"{name}_q{label(quantile)}"] = spread if with_draws and np.isfinite(spread) else None
    row["C_least"], row["L_least"] = least
    row["status"], row["at_bound"] = ending
    splits = {name: np.array([row[name]]) for name in optimise}
    trained = training_compute(law, cost, np.array([row["C"]]), splits)
    row["extrapolation_decades"] = decades_outside(law, float(trained[0]))
    row["uncertainty"] = "draws" if with_draws else "none"
    texts = ("law", "status", "at_bound", "uncertainty")
    frame = pl.DataFrame([row], schema={name: pl.String if name in texts else pl.Float64 for name in row})
    return epochs(frame, given.get("U"), second, before="L")


def _best(question: Question, known: Mapping[str, float], columns: Columns) -> tuple[float | None, float | None]:
    """The least compute of the answer's loss, the least loss of its compute."""
    if len(question.free) < 2:
        return None, None
    found = []
    for aim, name, own, key in (("loss", "L", "loss", "cost"), ("budget", "C", "cost", "loss")):
        target = known.get(name, float(columns[own][0]))
        value = float(question.answer(aim, np.array([target]))[key][0])
        found.append(value if np.isfinite(value) else None)
    return found[0], found[1]


def _below(law: str, target: float, floor: float, held: Sequence[str]) -> LawError:
    """A loss that cannot be reached, with the least that can."""
    what = f"what {' and '.join(held)} can reach" if held else "the irreducible loss"
    return LawError(
        f"no run reaches {target:g} nats per token under `{law}`: that lies below {what}, {floor:.6g}",
        code="infeasible-loss",
        value=target,
        limit=floor,
        hint=f"ask for more than {floor:.6g} nats per token",
    )


def _refusal(question: Question, aim: str, target: float, known: Mapping[str, float], status: str) -> LawError:
    """Why there is no answer."""
    if aim == "loss":
        limits = {name: (question.bounds.get(name) or (None, None))[1] or _UNLIMITED for name in question.optimise}
        at = {**limits, **{name: known[name] for name in question.optimise if name in known}}
        floor = question.loss_of(*at.values())
        if target <= floor:
            held = [f"{name} = {value:.4g}" for name, value in at.items() if value < _UNLIMITED]
            return _below(question.name, target, floor, held)
    if status == NO_FINITE_OPTIMUM:
        return LawError(
            f"under `{question.name}` and C = {question.cost} the loss keeps falling: there is no best split",
            code="no-finite-optimum",
            hint=Advice(Argument("bounds", {question.optimise[0]: (1e8, 1e12)}), " limits the choice"),
        )
    asked = ", ".join(f"{name} = {value:g}" for name, value in known.items())
    return LawError(
        f"nothing within the bounds answers {asked} under `{question.name}` with C = {question.cost}",
        code="infeasible",
        value=target,
        hint="widen the bounds, or change what is given",
    )
