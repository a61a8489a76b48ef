"""Sweeps: the best size and data at each budget, with the spread over draws and over laws.

Stage: after laws and fits. In: laws with values, budgets in FLOPs, scenarios. Out: `Sweep`, whose summary has one row a
law, scenario and budget. The optimum is the core's closed form where there is one, else found by its Newton method.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial as partial_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._allocation.cells import CellRun, Cells
from scalefast._allocation.laws import chosen_laws
from scalefast._allocation.questions import ask, budgets_of, questions_of, scenarios_of
from scalefast._allocation.scenarios import BUDGET_COLUMNS, Scenarios
from scalefast._allocation.sinks import Kept, PartFolder
from scalefast._allocation.summary import epochs, spread_over_laws, summary_of
from scalefast._base.errors import SettingsError
from scalefast._base.scale import refuse_scaled, refuse_small
from scalefast._calls.longcall import LongCall
from scalefast._calls.progress import Progress
from scalefast._calls.running import OnInterrupt, Running
from scalefast._data.frames import FloatArray
from scalefast._laws.arguments import choose_draws, law_name, stated_cost
from scalefast._laws.law import Law
from scalefast._optimum.frontier import Frontier, is_frontier
from scalefast._optimum.question import Bound, Over, Question

if TYPE_CHECKING:
    from scalefast._fitting.fit import Fit

__all__ = ["Sweep", "sweep"]


@dataclass(frozen=True, eq=False)
class Sweep:
    """The best split of each budget under each law.

    Attributes
    ----------
    summary
        One row per law, scenario and budget: law, where there are scenarios their number and columns, C, then each of
        N, D, D_per_N, L as a point and as quantiles over draws (`N_q05`, …), `epochs` before L where unique tokens U
        are given, status, at_bound, extrapolation_decades, uncertainty, n_draws, n_solved. `L_q05` and the like are
        over each draw's own optimum; `L_plan_q05` and the like over the draws at the row's own N and D: what a plan for
        them is to expect. `status` is `interior`, `at-bound`, `infeasible` (nothing within the bounds costs the
        budget), `no-finite-optimum`, or `not-reached` where the sweep was ended early; `at_bound` names the bound that
        binds (`N_max`), null where none does; `extrapolation_decades` is how far, in decades, the training compute by
        the law's own cost lies outside the range that the law was fitted on (0 inside, null where that is not known);
        `uncertainty` is `draws`, or `none` with null quantiles.
    spread
        One row per scenario and budget: C, laws, lowest and highest N and D over the laws. Not an interval, and no
        loss: losses of different corpora and tokenisers do not compare.
    laws
        The laws, in the order of the summary.
    costs
        The cost formula used for each law; null for laws that give N and D at a budget themselves.
    draws
        With `keep_draws` one row per law, scenario, budget and draw, else None.
    draws_path
        The folder of the data set of the same rows, with `draws_to`, else None.
    """

    summary: pl.DataFrame
    spread: pl.DataFrame
    laws: tuple[Law, ...]
    costs: tuple[str | None, ...]
    draws: pl.DataFrame | None = None
    draws_path: Path | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sweep) or (self.draws is None) != (other.draws is None):
            return False
        frames = [(self.summary, other.summary), (self.spread, other.spread)]
        if self.draws is not None and other.draws is not None:
            frames.append((self.draws, other.draws))
        return (
            self.laws == other.laws
            and self.costs == other.costs
            and all(mine.equals(theirs) for mine, theirs in frames)
        )

    def __hash__(self) -> int:
        return hash((self.laws, self.costs))

    def __repr__(self) -> str:
        return f"Sweep({len(self.laws)} laws, {self.summary.height} rows)\n{self.summary}"


def sweep(
    law: Law | Fit | str | Path | Sequence[Law | Fit | str | Path] | None = None,
    budget: float | str | Iterable[float] | None = None,
    *,
    scenarios: Any | None = None,
    cost: str | None = None,
    bounds: Mapping[str, Bound] | None = None,
    given: Mapping[str, float | str] | None = None,
    optimise: tuple[str, str] = ("N", "D"),
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    plan_loss: bool = True,
    keep_draws: bool = False,
    draws_to: str | Path | None = None,
    overwrite: bool = False,
    threads: int | None = None,
    progress: Progress = None,
    timeout_s: float | None = None,
    on_interrupt: OnInterrupt = "raise",
) -> Sweep:
    """The N and D that minimise the loss under `cost = budget`, for every law, scenario and budget.

    Parameters
    ----------
    law
        One or several ids, files, formulas with values, Laws or Fits. None: the answer of `epoch-2024-huber`, and after
        it every other published law of the same conventions.
    budget
        FLOPs: a number, several, or a log grid such as "1e20..1e26:61". None where scenarios have their own.
    scenarios
        A frame, a path or a dict of columns; each row pins (numbers) or derives (formulas) the variables that its
        columns are named after, bounds them (`N_min`, `N_max`, `D_min`, `D_max`), may have its own budget (`C` or
        `budget`), and carries labels, which come back. Every law and budget is asked in every scenario.
    cost
        Formula of the FLOPs; None: the law's own.
    bounds
        Lowest and highest value of a variable to choose, None where it has none: {"N": (None, 8e9)}.
    given
        Variables that are settled: pinned to numbers, {"U": 25e9}, or derived from others, {"D": "20*N"}. A variable to
        choose that is given leaves the other to follow from the budget.
    optimise
        The two variables to choose, or, of a law that gives them at a compute itself, two of its outputs.
    draws
        None uses every stored draw once; a number uses the first so many, 0 none; a frame of parameters replaces them.
    quantiles
        Which quantiles over the draws.
    plan_loss
        Also the quantiles of the loss at the row's own N and D.
    keep_draws
        Keep every allocation, as `draws`.
    draws_to
        Write every allocation to the Parquet data set of this folder instead, a file after the other; it must not exist, unless
        `overwrite`. Memory is bounded by the draws, not by their allocations.
    overwrite
        Replace the data set where it exists.
    threads
        None for all the process may use.
    progress
        As in `sf.fit`; counts budgets.
    timeout_s
        Give up after so many seconds.
    on_interrupt
        "partial" keeps what was finished when Ctrl-C, SIGTERM, the time limit or a CancelToken ended the sweep early:
        other rows are `not-reached`.

    Raises
    ------
    ScalefastError
        SettingsError (`bad-budget`, `bad-quantile`, `bad-bounds`, `bad-given`, `bad-scenarios`, `missing-given`,
        `contradictory`, `file-exists`), DataError (`bad-scenarios`, `no-rows`), LawError (`no-values`, `no-cost`,
        `unknown-symbol`, `no-tradeoff`), UnitsError (`looks-scaled`).

    Examples
    --------
    >>> import scalefast as sf
    >>> row = sf.sweep("hoffmann-2022", budget=5.76e23).summary.row(0, named=True)
    >>> f"{row['N']:.4g} {row['D']:.4g} {row['L']:.6g}"
    '4.036e+10 2.379e+12 1.91841'
    >>> row = sf.sweep("hoffmann-2022", budget=5.76e23, bounds={"N": (None, 8e9)}).summary.row(0, named=True)
    >>> f"{row['N']:.4g} {row['D']:.4g} {row['L']:.6g} {row['at_bound']}"
    '8e+09 1.2e+13 1.94837 N_max'
    >>> served = {"product": ["search", "chat"], "T": [0, 5e12]}
    >>> found = sf.sweep("hoffmann-2022", 1e24, scenarios=served, cost="6*N*D + 2*N*T").summary
    >>> [f"{product}: {size / 1e9:.1f}B" for product, size in found.select("product", "N").iter_rows()]
    ['search: 51.9B', 'chat: 27.1B']
    """
    _check_settings(quantiles, optimise, keep_draws, draws_to)
    running = Running(threads, progress, timeout_s, on_interrupt)

    laws = chosen_laws(law)
    costs = [None if is_frontier(found) else stated_cost(found, cost) for found in laws]
    given, bounds = given or {}, bounds or {}
    table = None if scenarios is None else scenarios_of(scenarios, laws, costs, given, bounds, optimise, quantiles)
    budgets = budgets_of(budget, table)
    cells = Cells.of(budgets, table)
    if cost is None:
        refuse_small("budget", "C", float(cells.budgets.max()))
    frames = []
    kept = Kept() if keep_draws else None
    with ExitStack() as stack:
        folder = None if draws_to is None else stack.enter_context(PartFolder(draws_to, overwrite=overwrite))

        call = stack.enter_context(LongCall(running, tidy=folder is not None))
        run = CellRun(cells, call, quantiles, optimise, partial=running.keeps_parts, sink=folder or kept)
        for found, spent in zip(laws, costs, strict=True):
            name = law_name(found)
            refuse_scaled(found.fitted_range, name)
            matrix = choose_draws(found, draws)
            count = 0 if matrix is None else matrix.shape[1]
            over = Over(matrix, quantiles, threads, plan_loss=plan_loss and count > 0, keep=run.keeps)
            questions = _questions(found, name, spent, optimise, given, bounds, table)
            columns = run.ask(
                name, ((rows, pinned, partial_of(ask, over, question)) for rows, pinned, question in questions), count
            )
            if not plan_loss:
                del columns["plan_quantiles"]
            described = cells.described([*optimise, *BUDGET_COLUMNS])
            frame = summary_of(found, name, described, columns, optimise, quantiles, count, spent)
            unique = frame["U"] if table is not None and "U" in table.pinned else given.get("U")
            frames.append(epochs(frame, unique, optimise[1], before="L"))
    summary = pl.concat(frames)
    spread = spread_over_laws(summary, optimise, ["C"] if table is None else ["scenario", "C"])
    allocations, path = None if kept is None else kept.frame, None if folder is None else folder.folder
    return Sweep(summary, spread, tuple(laws), tuple(costs), allocations, path)


def _check_settings(
    quantiles: Sequence[float], optimise: tuple[str, str], keep_draws: bool, draws_to: str | Path | None
) -> None:
    for quantile in quantiles:
        if not 0 < quantile < 1:
            raise SettingsError(
                f"quantiles must lie between 0 and 1; got {quantile!r}",
                code="bad-quantile",
                argument="quantiles",
                value=float(quantile),
                limit=1.0,
            )
    if len(set(optimise)) != 2:
        raise SettingsError("optimise must be two different variables", code="bad-optimise", argument="optimise")
    if keep_draws and draws_to is not None:
        message = "keep_draws and draws_to are two places for the same rows"
        raise SettingsError(message, code="contradictory", hint="draws_to writes them, keep_draws keeps them in memory")


def _questions(
    law: Law,
    name: str,
    spent: str | None,
    optimise: tuple[str, str],
    given: Mapping[str, float | str],
    bounds: Mapping[str, Bound],
    table: Scenarios | None,
) -> Iterator[tuple[Any, Mapping[str, FloatArray], Question | Frontier]]:
    """What one law is asked: the rows of the scenarios, their pinned numbers, the question."""
    if spent is None:
        frontier = Frontier(law, name, optimise)
        frontier.refuse(given=given, bounds=bounds, scenarios=table is not None and table.settles)
        yield np.arange(1 if table is None else table.frame.height), {}, frontier
        return
    for group, question in questions_of(law, name, spent, optimise, given, bounds, table):
        yield group.rows, group.pinned, question
