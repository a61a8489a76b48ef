"""What each row, run or budget does to a fit, from its jackknife.

Stage: after a fit with `resample=sf.Jackknife()`, when asked for. In: the fit and its replicates, one for each unit that
was left out. Out: a frame of changes. Robust losses guard against noise in the loss, not against leverage: five rows of
245 move the exponents of the Chinchilla points, also under Huber(1e-3), and this table is where that shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from scalefast._base.errors import LawError, ScalefastError
from scalefast._base.wording import Advice, Phrase
from scalefast._data.checkpoints import codes
from scalefast._fitting.resampling import Jackknife
from scalefast._optimum.best import best_size

if TYPE_CHECKING:
    from scalefast._fitting.replicates import Replicates
    from scalefast._fitting.state import FitState
    from scalefast._laws.law import Law

__all__ = ["influence"]


def influence(fit: FitState, replicates: Replicates) -> pl.DataFrame:
    """See `Fit.influence`."""
    settings = replicates.settings
    if not isinstance(settings, Jackknife):
        raise ScalefastError(
            "the table of influence needs every unit left out once",
            code="no-draws",
            hint=Advice("fit with ", Phrase("resample=sf.Jackknife()", "--resample jackknife")),
        )
    draws = replicates.draws
    size = _sizes(fit, replicates)
    columns = [_labels(replicates), pl.Series("n_rows", size[draws["replicate"].to_numpy()], dtype=pl.Int64)]
    for name, value in fit.law.parameters.items():
        columns.append((draws[name] - value).alias(f"change.{name}"))
    if settings.budget is not None:
        best = _best(fit.law, settings.budget)
        others = []
        for row in draws.select(replicates.parameters).iter_rows(named=True):
            usable = all(value is not None for value in row.values())
            others.append(_best(fit.law.with_values(row), settings.budget) if usable else None)
        changes = [None if n is None or best is None else n - best for n in others]
        columns.append(pl.Series("change.N", changes, dtype=pl.Float64))
    return pl.DataFrame([*columns, draws["status"]])


def _best(law: Law, budget: float) -> float | None:
    """The best N at the budget, None where there is none."""
    try:
        return best_size(law, [budget])[0]
    except LawError:
        return None


def _labels(replicates: Replicates) -> pl.Series:
    """What is left out, as text: the value of the column, or the number of the row."""
    numbers = replicates.draws["replicate"]
    if replicates.labels is None:
        return numbers.cast(pl.String).alias("left_out")
    return replicates.labels.gather(numbers.to_list()).cast(pl.String).alias("left_out")


def _sizes(fit: FitState, replicates: Replicates) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows of each unit."""
    if replicates.labels is None:
        return np.ones(replicates.units, dtype=np.int64)
    return np.bincount(codes(fit._rows.frame, replicates.labels.name, "by"), minlength=replicates.units)
