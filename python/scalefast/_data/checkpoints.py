"""Which rows belong to one run, and whether its checkpoints may be used as runs.

Stage: after rows are read, before the fit. In: rows, the names in `run=` and `checkpoints=`. Out: the rows to use and the
run of each. With a decaying learning rate an intermediate checkpoint is a biased point of L(N, D): its loss is higher than
that of a run that ends there. Clustering mends variance, not bias, so checkpoints are never used unasked.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from scalefast._base.errors import DataError, SettingsError
from scalefast._base.suggest import did_you_mean
from scalefast._base.wording import Advice, Argument
from scalefast._data.rows import Rows

__all__ = ["Runs", "choose_checkpoints", "codes"]


@dataclass(frozen=True)
class Runs:
    """What `run=` and `checkpoints=` came to.

    Attributes
    ----------
    column: the column of the run. count: distinct runs in use.
    checkpoints: `final`, `all`, or None where no run has several points.
    n_left_out: intermediate checkpoints left out.
    """

    column: str
    count: int
    checkpoints: str | None
    n_left_out: int


def choose_checkpoints(rows: Rows, run: str, checkpoints: str | None, variables: list[str]) -> tuple[Rows, Runs]:
    """The rows to fit. Variables that change within a run order its checkpoints; the last of them is the final one.

    Raises DataError: `unknown-column`, `null-run`, `checkpoints-unsaid` where runs have several points and nothing says
    what to do with them; `checkpoint-order` where `final` cannot tell which row is last.
    """
    groups = pl.Series("run", codes(rows.frame, run, "run"))
    values = pl.DataFrame({name: rows.arrays[name] for name in variables})
    spreads = values.with_columns(groups).group_by("run").agg(pl.all().n_unique()).drop("run")
    moving = [name for name in variables if int(spreads[name].max() or 0) > 1]  # type: ignore[arg-type]
    count = groups.n_unique()
    if not moving:
        return rows, Runs(run, count, None, 0)
    several = int((spreads.select(pl.max_horizontal(moving)).to_series() > 1).sum())
    if checkpoints is None:
        raise DataError(
            f"{several} of {count} runs have rows at several {' and '.join(moving)}: intermediate checkpoints lie above "
            "the loss of a run that ends there when the learning rate decays",
            code="checkpoints-unsaid",
            column=run,
            value=float(several),
            limit=0.0,
            argument="checkpoints",
            hint=Advice(
                Argument("checkpoints", "final"),
                " keeps the last row of each run, ",
                Argument("checkpoints", "all"),
                " uses every row",
            ),
        )
    if checkpoints == "all":
        return rows, Runs(run, count, "all", 0)
    if len(moving) > 1:
        raise DataError(
            f"{' and '.join(moving)} change within a run, so which row is final is not clear",
            code="checkpoint-order",
            column=run,
            argument="checkpoints",
            hint=Advice("choose the rows with ", Argument("where"), ", or use ", Argument("checkpoints", "all")),
        )
    last = values.select(pl.col(moving[0]) == pl.col(moving[0]).max().over(groups)).to_series()
    kept = dataclasses.replace(
        rows,
        arrays={name: np.ascontiguousarray(array[last.to_numpy()]) for name, array in rows.arrays.items()},
        frame=rows.frame.filter(last),
    )
    return kept, Runs(run, count, "final", rows.frame.height - kept.frame.height)


def codes(frame: pl.DataFrame, column: str, argument: str) -> Any:
    """A number from 0 for each distinct value of a column, in order of the values, as uint32 (`m`)."""
    if column not in frame.columns:
        raise DataError(
            f"{argument}: there is no column `{column}`",
            code="unknown-column",
            argument=argument,
            column=column,
            hint=did_you_mean(column, frame.columns, "columns"),
        )
    series = frame[column]
    if series.null_count():
        row = int(series.is_null().arg_true()[0])
        raise DataError(
            f"{argument}: `{column}` is null in {series.null_count()} rows, the first is row {row}",
            code="null-run",
            argument=argument,
            column=column,
            row=row,
            hint=Advice("name every row's group, or leave the rows out with ", Argument("where")),
        )
    if series.dtype.is_nested():
        raise SettingsError(
            f"{argument}: `{column}` holds {series.dtype}", code="bad-resample", argument=argument, column=column
        )
    return np.ascontiguousarray((series.rank("dense") - 1).cast(pl.UInt32).to_numpy())
