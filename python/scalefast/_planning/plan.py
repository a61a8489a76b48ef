"""Plans: from dollars, accelerators and time to one size and its data.

Stage: after laws, budgets and decisions. In: any consistent set of limits and of N, D and L. Out: `Plan`: the (N, D) of
least expected regret over draws of the law and of the hardware, its loss with an interval, what it costs to be wrong, what
binds, what was assumed. Sources: the decision rule of Savage 1951; budgets in hours of accelerators as in Hoffmann et al.
2022 and Sardana et al. 2024.

Longer than the rule, because `plan` names every setting twice: in its signature, and where it is handed on by its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scalefast._allocation.laws import chosen_laws
from scalefast._allocation.solve import solve
from scalefast._base.errors import LawError
from scalefast._base.numbers import Accelerators, Uncertain
from scalefast._calls.longcall import LongCall
from scalefast._calls.progress import Progress
from scalefast._calls.running import Running
from scalefast._laws.law import Law
from scalefast._optimum.frontier import is_frontier
from scalefast._optimum.question import Bound
from scalefast._planning import frames
from scalefast._planning.asked import Asked, check_numbers, check_question, read_weights
from scalefast._planning.buildable import buildable
from scalefast._planning.case import Calls
from scalefast._planning.choice import Choice, choose
from scalefast._planning.means import not_scaled
from scalefast._planning.resources import Hardware, Serving, read_means
from scalefast._planning.words import notes, words

if TYPE_CHECKING:
    from scalefast._fitting.fit import Fit

__all__ = ["Plan", "plan"]

#: FLOPs of serving: two a parameter and token (Kaplan et al. 2020, table 1).
SERVING_COST = "2*N*T"

AnyLaw = Any
#: A quantity: a number, a range, text such as "normal(0.4, 0.03)", or `Uncertain`.
Given = float | str | tuple[float, float] | Uncertain | None


@dataclass(frozen=True, eq=False)
class Plan:
    """One size and its data, and what is known of it.

    Attributes
    ----------
    decision
        One row: N, D, compute, loss, regret, hours, days, dollars, energy, each with quantiles over the draws where
        they differ; what binds; how far the compute lies outside of the law's data.
    constraints
        One row per limit: what it pays for, how much is taken, whether and how often it binds.
    assumptions
        One row per quantity: value, origin, and the plan at its lowest and highest value.
    alternatives
        One row per choice that others would make: other laws' optima, the median of the draws, 20 tokens per parameter;
        its regret if the plan's law is right, and the plan's regret if the other law is.
    sources
        One row per source of uncertainty: how far the loss and the best size spread when it alone varies.
    draws
        One row per draw: quantities, best split, and the plan there.
    law
        The law that predicts.
    cost
        The formula of a run's training FLOPs.
    laws
        Every law that was asked.
    words
        The answer in sentences.
    notes
        Assumptions beyond the quantities.
    shapes
        The transformers nearest to N that can be built, as of `buildable`; None without a vocabulary.
    """

    decision: pl.DataFrame
    constraints: pl.DataFrame
    assumptions: pl.DataFrame
    alternatives: pl.DataFrame
    sources: pl.DataFrame
    draws: pl.DataFrame
    law: Law
    cost: str
    laws: tuple[Law, ...]
    words: str
    notes: tuple[str, ...]
    shapes: pl.DataFrame | None = None

    @property
    def N(self) -> float:
        """Parameters."""
        return float(self.decision["N"][0])

    @property
    def D(self) -> float:
        """Training tokens, at the central values of what is uncertain."""
        return float(self.decision["D"][0])

    @property
    def C(self) -> float:
        """Training FLOPs of the run."""
        return float(self.decision["C"][0])

    @property
    def L(self) -> float:
        """Predicted loss, nats per token."""
        return float(self.decision["L"][0])

    def __eq__(self, other: object) -> bool:
        frames = ("decision", "constraints", "assumptions", "alternatives", "sources", "draws")
        return (
            isinstance(other, Plan)
            and self.laws == other.laws
            and self.cost == other.cost
            and all(getattr(self, name).equals(getattr(other, name)) for name in frames)
            and (self.shapes is None) == (other.shapes is None)
            and (self.shapes is None or other.shapes is None or self.shapes.equals(other.shapes))
        )

    def __hash__(self) -> int:
        return hash((self.laws, self.cost, self.N, self.D))

    def __repr__(self) -> str:
        return f"Plan(N={self.N:.4g}, D={self.D:.4g}, C={self.C:.4g}, L={self.L:.6g})\n{self.words}"


def plan(
    law: Law | Fit | str | Path | Sequence[Law | Fit | str | Path] | None = None,
    *,
    budget: float | str | None = None,
    dollars: float | None = None,
    energy_kwh: float | None = None,
    accelerator_hours: float | None = None,
    accelerators: str | Accelerators | None = None,
    days: float | str | None = None,
    mfu: Given = None,
    goodput: Given = None,
    final_run_share: Given = None,
    price: Given = None,
    N: float | None = None,
    D: float | None = None,
    L: float | None = None,
    served_tokens: float | None = None,
    serving_mfu: Given = None,
    serving_price: Given = None,
    serving_cost: str = SERVING_COST,
    unique_tokens: float | None = None,
    pue: Given = None,
    co2_per_kwh: float | None = None,
    vocabulary: int | None = None,
    accelerators_file: str | Path | None = None,
    cost: str | None = None,
    bounds: Mapping[str, Bound] | None = None,
    given: Mapping[str, float | str] | None = None,
    weights: Sequence[float] | None = None,
    draws: int | Any | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = None,
    timeout_s: float | None = None,
) -> Plan:
    """One feasible N and D: those of least expected regret over draws of the law and of the hardware.

    Parameters
    ----------
    law
        As in `sweep`. The first one predicts and decides; the others show what they would choose and what this plan
        loses if they are right. With `weights`, one per law, the expected regret is taken over all of them.
    budget
        Training FLOPs, or text such as "3640 PF-days".
    dollars
        Dollars for the whole programme.
    energy_kwh
        Energy for the whole programme, in kWh.
    accelerator_hours
        Hours of one accelerator, for the whole programme.
    accelerators
        A name, "H100-SXM", or a count and a name, "100xA100"; with `days` (a number, or "6w") the two are a limit too.
        Of several limits the one that pays for the least binds, in each draw.
    days
        Days of training: a number, or text such as "6w".
    mfu
        Model FLOP utilisation, 0.4 where not given. Like goodput, final_run_share, price and pue it is a number, a range
        (0.35, 0.45), or a distribution: "normal(0.4, 0.03)", "lognormal(2.5, 0.2)" or `sf.Uncertain`.
    goodput
        Share of the time in which the accelerators train.
    final_run_share
        Share of the means that is left for the final run.
    price
        Dollars per accelerator-hour, else the range in the table of accelerators.
    pue
        Energy of the site over that of the accelerators' rated power.
    N
        Parameters. With a limit, N or D settles that variable, and both settle the run; without one, N, D and L ask the
        inverse questions of `solve`.
    D
        Training tokens.
    L
        Loss in nats per token; with a limit, asks how likely the plan reaches it.
    served_tokens
        Tokens to serve after training; then money, energy and FLOPs pay for both, at `serving_mfu` and `serving_price`
        (else those of training).
    serving_mfu
        Utilisation in serving; else that of training.
    serving_price
        Dollars per accelerator-hour in serving; else those of training.
    serving_cost
        FLOPs of serving, a formula of N, D and T, the tokens served.
    unique_tokens
        Unique tokens at hand. A law of U gets them; under others they bound D: no token is repeated.
    co2_per_kwh
        Kilograms of CO2 per kWh, for the answer in CO2.
    vocabulary
        Size of the tokeniser's vocabulary, for the shapes nearest to N that can be built, as in `buildable`.
    accelerators_file
        A table of yours.
    cost
        As in `sweep`.
    bounds
        As in `sweep`, for N and D.
    given
        As in `sweep`, for other variables than N and D.
    weights
        One weight per law: how much its regret counts.
    draws
        None uses every stored draw of the law (4,000 of the hardware where it has none); a number the first so many, 0
        none; a frame of parameters replaces those of the first law.
    seed
        Seed of the hardware's draws.
    threads
        None for all the process may use.
    progress
        As in `fit`.
    timeout_s
        Give up after so many seconds.

    Raises
    ------
    ScalefastError
        SettingsError (`bad-question`, `not-positive`, `bad-quantity`, `missing-accelerator`, `missing-count`,
        `missing-price`, `missing-power`, `unknown-accelerator`, `ambiguous-accelerator`, `bad-weights`, and those of
        `sweep`), LawError (`infeasible`, `infeasible-loss`, `no-finite-optimum`, `no-loss`, and those of `sweep`),
        UnitsError (`looks-scaled`).

    Examples
    --------
    >>> import scalefast as sf
    >>> plan = sf.plan("hoffmann-2022", dollars=10e6, accelerators="H100-SXM", price=2.0, mfu=0.4)
    >>> f"{plan.N:.3g} {plan.D:.3g} {plan.C:.3g}"
    '1.27e+11 9.33e+12 7.12e+24'
    >>> plan = sf.plan(accelerators="100xA100", days=30, mfu="uniform(0.35, 0.45)")
    >>> row = plan.decision.row(0, named=True)
    >>> row["N_low"] < plan.N < row["N_high"], row["binds"], row["uncertainty"]
    (True, 'time', 'parameters and hardware')
    """
    running = Running(threads, progress, timeout_s)

    check_numbers(seed, bounds)
    known = {name: not_scaled(name, value) for name, value in (("N", N), ("D", D), ("L", L))}
    stated = {name: value for name, value in known.items() if value is not None}
    unique = not_scaled("unique_tokens", unique_tokens)
    serving = Serving(not_scaled("served_tokens", served_tokens), serving_cost, serving_mfu, serving_price)
    yields = {"mfu": mfu, "goodput": goodput, "final_run_share": final_run_share, "price": price, "pue": pue}
    hardware = Hardware(accelerators, days, yields, accelerators_file, co2_per_kwh)
    limits = {"budget": budget, "dollars": dollars, "energy_kwh": energy_kwh, "accelerator_hours": accelerator_hours}
    means = read_means(limits, hardware, serving)
    check_question(stated, means)
    laws = chosen_laws(law)
    own = read_weights(weights, laws)
    with LongCall(running) as call:
        calls = Calls(threads, call.stage("plan"))
        asked = Asked(means, stated, calls, cost, serving, unique, given or {}, bounds or {}, draws, seed)
        frontiers = [found for found in laws[1:] if is_frontier(found)]
        cases = [asked.case(found, place == 0) for place, found in enumerate(laws) if found not in frontiers]
        own = [weight for found, weight in zip(laws, own, strict=True) if not is_frontier(found)]
        search = {"bounds": cases[0].bounds, "threads": threads}
        choice = choose(cases, own, stated, search)
        reached = _reached(choice, stated.get("L"), search)
        shapes = None
        if vocabulary is not None:
            spent = None if cost is not None else float(choice.point.run[0])
            case = choice.case
            shapes = buildable(
                choice.size, vocabulary=vocabulary, law=case.law, budget=spent, given=case.given, count=5
            )
        return _plan(choice, asked, reached, tuple(laws), frontiers, shapes)


def _plan(
    choice: Choice,
    asked: Asked,
    reached: Mapping[str, float | None],
    laws: tuple[Law, ...],
    frontiers: Sequence[Law],
    shapes: pl.DataFrame | None,
) -> Plan:
    stated, unique, served = asked.stated, asked.unique, asked.serving.tokens
    tables: dict[str, pl.DataFrame] = {
        "decision": frames.decision(choice, stated.get("L"), reached, unique),
        "constraints": frames.constraints(choice, unique),
        "assumptions": frames.assumptions(choice),
        "alternatives": frames.alternatives(choice, frontiers),
        "sources": frames.sources(choice),
        "draws": frames.draws(choice),
    }
    said = words(tables, stated, served, shapes)
    case = choice.case
    return Plan(
        **tables,
        law=case.law,
        cost=case.cost,
        laws=laws,
        words=said,
        notes=notes(choice, served, unique, len(frontiers)),
        shapes=shapes,
    )


def _reached(choice: Choice, target: float | None, limits: Mapping[str, Any]) -> dict[str, float | None]:
    """The least compute that reaches the target, serving included, with quantiles over the law's draws."""
    if target is None:
        return {}
    case = choice.case
    cost = f"({case.cost}) + ({case.serving})" if case.serving else case.cost
    draws = pl.DataFrame(dict(case.parameters)) if case.parameters and case.draws else 0
    try:
        row = solve(case.law, L=target, cost=cost, given={**case.given, **case.served}, draws=draws, **limits)
    except LawError as error:
        if error.code not in ("infeasible-loss", "infeasible"):
            raise
        return {}
    return {name: row[name][0] for name in ("C", "C_q05", "C_q95")}
