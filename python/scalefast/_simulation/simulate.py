"""Simulated runs: a law, a design, noise.

Stage: before a fit, to see what a design can tell. In: a law with values. Out: a frame of `m` rows with the variables, L
in nats per token, and what the design adds (C in FLOPs, run, evaluation). The same seed gives the same bytes on every
machine: random numbers and elementary functions are the core's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from scalefast._base.errors import DataError, LawError, SettingsError
from scalefast._data.frames import to_array
from scalefast._laws.arguments import one_law
from scalefast._laws.law import Law
from scalefast._simulation.design import Design, design_frame
from scalefast._simulation.noise import LogNormal, Noise, RunLevel, add_noise

if TYPE_CHECKING:
    from scalefast._fitting.fit import Fit

__all__ = ["simulate"]


def simulate(
    law: Law | Fit | str | Path,
    design: Design,
    noise: Noise | None = LogNormal(0.01),  # noqa: B008 (frozen)
    seed: int = 0,
    *,
    columns: Mapping[str, str | pl.Expr] | None = None,
) -> pl.DataFrame:
    """Runs drawn from a law: the points of the design with their loss `L`, in nats per token.

    Parameters
    ----------
    law: an id, a file, a formula with values, a Law or a Fit.
    design: sf.IsoFLOP, sf.FixedRatio, sf.Sobol (over the law's fitted range unless it has ranges), or any frame, whose
        rows and columns are kept.
    noise: sf.LogNormal, sf.Additive, sf.StudentT, sf.RunLevel or sf.Residuals; None for the law itself.
    seed: from 0 to 2**64 - 1; the same seed gives the same bytes.
    columns: variable to column of a frame; recognised without binding: N, n_params, D, tokens, …

    Raises LawError (`no-values`, `several-outputs`), SettingsError (`bad-design`, `bad-noise`, `bad-seed`), DataError.

    >>> import scalefast as sf
    >>> runs = sf.simulate("hoffmann-2022", sf.IsoFLOP("1e19..1e21:5", sizes=7), sf.LogNormal(0.005), seed=1)
    >>> runs.shape, runs.columns
    ((35, 4), ['N', 'D', 'C', 'L'])
    >>> sf.fit(runs, "chinchilla").status
    'converged'
    """
    found = one_law(law)
    if found.outputs != ("L",):
        raise LawError("a law of several outputs gives no loss", code="several-outputs")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**64:
        message = f"seed must be a whole number from 0 to 2**64 - 1; got {seed!r:.60}"
        raise SettingsError(message, code="bad-seed", argument="seed")
    points = design_frame(design, found)
    if points.is_empty():
        raise DataError("the design has no points", code="no-rows", value=0.0)
    if isinstance(noise, RunLevel):
        points = _evaluated(points, noise.evaluations)
    runs = points["run"].rank("dense").cast(pl.Float64) - 1 if "run" in points.columns else None
    exact = found.predict(points, columns=columns)
    clean = to_array(exact["L"])
    if not np.isfinite(clean).all():
        row = int(np.flatnonzero(~np.isfinite(clean))[0])
        raise DataError("the law has no finite loss at every point", code="invalid-rows", row=row)
    places = np.arange(points.height, dtype=np.float64) if runs is None else to_array(runs)
    return exact.with_columns(pl.Series("L", add_noise(clean, noise, seed, places)))


def _evaluated(points: pl.DataFrame, evaluations: int) -> pl.DataFrame:
    """Each point as one run of several evaluations; a frame that says which rows are one run is left as it is."""
    if "run" in points.columns:
        if evaluations > 1:
            raise SettingsError("the design has a column `run`: its rows are the evaluations", code="bad-noise")
        if points["run"].null_count():
            raise DataError("column `run` has nulls", code="null-run", column="run")
        return points
    order = np.repeat(np.arange(points.height), evaluations)
    repeated = points[order].with_columns(pl.Series("run", order))
    if evaluations == 1:
        return repeated
    return repeated.with_columns(pl.Series("evaluation", np.tile(np.arange(evaluations), points.height)))
