"""Many small fits: one law fitted to every group of rows, one row per group out.

Stage: after binding, around the core. In: a frame of `m` rows and the columns that tell groups apart. Out: a frame of one
row a group, in the order in which groups first appear. A group that cannot be fitted gets a status and nulls, never an
exception; misuse of the call raises. All arithmetic is the core's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scalefast._base.errors import DataError, SettingsError
from scalefast._base.statuses import INTERRUPTED
from scalefast._base.suggest import did_you_mean, listing
from scalefast._base.wording import Advice, Argument, Phrase
from scalefast._calls.longcall import LongCall
from scalefast._calls.progress import Progress
from scalefast._calls.running import OnInterrupt
from scalefast._core import Call, group_statuses, group_trusts, log_gaps
from scalefast._core import fit_groups as core_fit_groups
from scalefast._data.binding import RESPONSE, WEIGHTS, Column, bind, bind_one
from scalefast._data.frames import FloatArray, collect, read_frame, to_array
from scalefast._data.rows import evaluate_columns, filter_rows
from scalefast._data.undefined import undefined_rows
from scalefast._fitting.problem import ask_about_parameters
from scalefast._fitting.spec import FitSpec, Residual
from scalefast._forms.losses import Loss, Squared, loss_fields
from scalefast._laws.law import Law

__all__ = ["fit_groups"]

Errors = Literal["independent", "checked", "block"]


@dataclass(frozen=True)
class _Groups:
    """Rows brought together: `G` groups, group `i` being the rows `offsets[i]` to `offsets[i + 1]`."""

    keys: pl.DataFrame
    offsets: np.ndarray[Any, np.dtype[np.uint64]]
    order: np.ndarray[Any, np.dtype[np.uint32]] | None

    def arrange(self, values: FloatArray) -> FloatArray:
        """A column group after group; no copy where it is so already."""
        return values if self.order is None else values[self.order]


def fit_groups(
    runs: Any,
    law: Law | str | Path,
    *,
    by: str | Sequence[str],
    columns: Mapping[str, str | pl.Expr] | None = None,
    y: str | pl.Expr | None = None,
    where: str | pl.Expr | None = None,
    residual: Residual | None = None,
    loss: Loss | None = None,
    weights: str | pl.Expr | None = None,
    units: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    errors: Errors = "checked",
    spacing: str | None = None,
    threads: int | None = None,
    progress: Progress = None,
    on_interrupt: OnInterrupt = "raise",
    timeout_s: float | None = None,
) -> pl.DataFrame:
    """Fits `law` to every group of rows that agree in the columns `by`.

    Parameters
    ----------
    runs
        Any frame, a dict of arrays, or a path; one row per run.
    law
        As in `fit`.
    by
        Name of a column, or several, that tell groups apart.
    columns
        As in `fit`.
    y
        As in `fit`.
    where
        As in `fit`.
    residual
        As in `fit`.
    loss
        As in `fit`. Under other losses than the squared one, groups are fitted one by one.
    weights
        As in `fit`.
    units
        As in `fit`.
    bounds
        As in `fit`.
    fixed
        As in `fit`.
    tied
        As in `fit`.
    errors
        What standard errors rest on; rows of a group count in the order in which they stand, such as the points of a
        learning curve. "checked": residuals are independent unless a Durbin-Watson test at 1 % finds that they follow each
        other (`se_status` is `autocorrelated`), or more than a quarter of the rows are copies of others (`duplicate-rows`);
        the errors are then null. "block": sums over blocks of rows, whitened by
        the autocorrelation found (null and `too-few-rows` below 20 rows more than parameters; squared loss only).
        "independent": not checked.
    spacing
        Name of a column such as the step of a curve: each row is weighted by its share of the logarithm of that column, so
        that a curve logged every thousand steps is fitted over its decades instead of its end.
    threads
        As in `fit`.
    progress
        As in `fit`.
    on_interrupt
        "partial" keeps the groups that were fitted when the call was ended early.
    timeout_s
        Give up after so many seconds.

    Returns
    -------
    pl.DataFrame
        One row per group in the order of first appearance: the columns `by`, every parameter, its standard error as
        `<parameter>_se` (null where it is refused), `objective`, `n_rows`, `status`, `se_status`. It feeds `law.predict`,
        whose parameters it holds.

    Raises
    ------
    ScalefastError
        DataError, LawError, FormulaError, SettingsError, UnitsError for misuse; nothing that is wrong with a group raises.

    Notes
    -----
    A group's row depends on nothing but its own rows. Made for up to millions of groups of 5 to 50 rows under a squared
    loss; groups of more than 512 rows are fitted one by one, as by `sf.fit`.

    `status` is `converged`, `at-bound`, `unconfirmed` (too few independent starts found the optimum), `unbounded` (the
    objective falls towards parameters at infinity), `ill-determined` (the rows do not determine all parameters),
    `not-converged`, `undefined` (the law has no value on these rows), or without an estimate `too-few-points` (fewer
    distinct points than parameters plus one), `too-few-values` (a variable takes fewer than three), `invalid-values` (null,
    NaN, infinite, not positive where it must be, or one at which the law is undefined), `constant-response`, `interrupted`
    (the call was ended before this group was fitted).

    Examples
    --------
    >>> import scalefast as sf
    >>> x = [1e6, 1e7, 1e8, 1e9, 1e10]
    >>> curve = [2 + 50 * v**-0.4 for v in x]
    >>> runs = {"task": ["code"] * 5 + ["flat"] * 5, "x": x + x, "L": curve + [2.5] * 5}
    >>> found = sf.fit_groups(runs, "power-offset", by="task")
    >>> found["status"].to_list(), round(found["alpha"][0], 6)
    (['converged', 'constant-response'], 0.4)
    """
    spec = FitSpec(
        law,
        columns=columns,
        y=y,
        where=where,
        residual=residual,
        loss=loss,
        weights=weights,
        units=units,
        bounds=bounds,
        fixed=fixed,
        tied=tied,
        threads=threads,
        progress=progress,
        on_interrupt=on_interrupt,
        timeout_s=timeout_s,
    )
    _check_errors(errors, spec)
    frame = collect(read_frame(runs))
    keys = _keys(by, frame.columns, list(spec.resolved_law.form.parameters))
    if where is not None:
        frame = filter_rows(frame, where)
    if frame.height == 0:
        raise DataError("there are no rows", code="no-rows", value=0.0)
    bound = evaluate_columns(frame, _choose(spec, frame.columns))
    groups = _group(frame.select(keys))
    arrays = {name: groups.arrange(to_array(bound[name])) for name in bound.columns}
    arrays[RESPONSE] = _marked(spec, arrays, groups.offsets.astype(np.int64))
    with LongCall(spec.running) as call:
        if spacing is not None:
            gaps = _log_gaps(groups, frame, spacing, spec.threads, call.stage("spacing"))
            arrays[WEIGHTS] = gaps * arrays.get(WEIGHTS, 1.0)
        found = _solved(spec, errors, arrays, groups.offsets, call.stage("groups"))
        names = group_statuses()
        call.keeps(found["stopped"], int((found["status"] != names.index(INTERRUPTED)).sum()))
    return _frame(groups, list(spec.parameters), found, names)


def _marked(spec: FitSpec, arrays: Mapping[str, FloatArray], offsets: NDArray[np.int64]) -> FloatArray:
    """The response, NaN where the law is undefined in a group that has other rows; a group of nothing else is found
    undefined when it is fitted."""
    law = spec.resolved_law
    outside = undefined_rows(law.form, law.system, arrays, bounds=spec.bounds, values=spec.fixed)
    if outside is None:
        return arrays[RESPONSE]
    whole = np.minimum.reduceat(outside.mask, offsets[:-1])
    marked: FloatArray = np.where(outside.mask & ~np.repeat(whole, np.diff(offsets)), np.nan, arrays[RESPONSE])
    return marked


def _solved(
    spec: FitSpec, errors: str, arrays: Mapping[str, FloatArray], offsets: NDArray[np.uint64], call: Call
) -> dict[str, Any]:
    """What the core finds for every group."""
    law = spec.resolved_law
    return core_fit_groups(
        law.system,
        law.outputs[0],
        {name: arrays[name] for name in law.variables},
        arrays[RESPONSE],
        arrays.get(WEIGHTS),
        offsets,
        spec.plain_parameters,
        [variable.positive for variable in law.variables.values()],
        str(spec.residual),
        loss_fields(spec.loss),
        errors,
        spec.threads,
        call,
    )


def _frame(groups: _Groups, parameters: list[str], found: Mapping[str, Any], names: list[str]) -> pl.DataFrame:
    """One row per group; `names` are the statuses by their codes."""
    statuses = pl.Series("status", names, dtype=pl.String)
    trusts = pl.Series("se_status", group_trusts(), dtype=pl.String)
    return groups.keys.with_columns(
        *(
            pl.Series(name, values, nan_to_null=True)
            for name, values in zip(parameters, found["parameters"], strict=True)
        ),
        *(
            pl.Series(f"{name}_se", values, nan_to_null=True)
            for name, values in zip(parameters, found["std_errors"], strict=True)
        ),
        pl.Series("objective", found["objective"], nan_to_null=True),
        pl.Series("n_rows", np.diff(groups.offsets).astype(np.int64)),
        statuses.gather(pl.Series(found["status"])),
        trusts.gather(pl.Series(found["trust"])),
    )


def _keys(by: str | Sequence[str], available: list[str], parameters: list[str]) -> list[str]:
    keys = [by] if isinstance(by, str) else list(by)
    if not keys or len(set(keys)) < len(keys):
        raise SettingsError("by must name the columns that tell groups apart, each once", code="bad-by", argument="by")
    for key in keys:
        if key not in available:
            raise DataError(
                f"by: there is no column `{key}`",
                code="unknown-column",
                argument="by",
                column=key,
                hint=did_you_mean(key, available, "columns"),
            )
    added = [*parameters, *(f"{name}_se" for name in parameters), "objective", "n_rows", "status", "se_status"]
    for key in keys:
        if key in added:
            raise DataError(
                f"by: the result has a column `{key}` of its own",
                code="column-exists",
                argument="by",
                column=key,
                hint="rename the column before the fit",
            )
    return keys


def _check_errors(errors: str, spec: FitSpec) -> None:
    known = get_args(Errors)
    if errors not in known:
        hint = did_you_mean(str(errors), known, "kinds of errors")
        message = f"errors must be one of {listing(known)}; got {errors!r:.40}"
        raise SettingsError(message, code="bad-errors", argument="errors", hint=hint)
    if errors == "block" and not isinstance(spec.loss, Squared):
        raise SettingsError(
            f"errors: blocks go with the squared loss, not with {spec.loss}",
            code="bad-errors",
            argument="errors",
            hint=Advice(Phrase("loss=sf.Squared()", "--loss squared"), ", or ", Argument("errors", "checked")),
        )


def _log_gaps(groups: _Groups, frame: pl.DataFrame, column: str, threads: int | None, call: Call) -> FloatArray:
    """Half the distance of the logarithms of both neighbours of each row within its group, of mean one; NaN throughout a
    group in which a value has no logarithm. `m` values, group after group."""
    values = groups.arrange(
        to_array(evaluate_columns(frame, {WEIGHTS: bind_one(WEIGHTS, column, frame.columns)})[WEIGHTS])
    )
    return log_gaps(values, groups.offsets, threads, call)


def _choose(spec: FitSpec, available: list[str]) -> dict[str, Column]:
    law = spec.resolved_law
    ask_about_parameters(spec, law, available)
    columns = bind(law.variables, available, spec.columns, spec.units)
    columns[RESPONSE] = bind_one(RESPONSE, spec.y, available)
    if spec.weights is not None:
        columns[WEIGHTS] = bind_one(WEIGHTS, spec.weights, available)
    return columns


def _group(keys: pl.DataFrame) -> _Groups:
    """Groups by equal keys; null is a key like any other. Rows that lie together already stay where they are."""
    names = keys.columns
    changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in names)
    begins = np.flatnonzero(keys.select(changed).to_series().to_numpy())
    if not len(begins) or begins[0] != 0:
        begins = np.concatenate([[0], begins])
    heads = keys[begins]
    if heads.n_unique() == heads.height:
        return _Groups(heads, np.append(begins, keys.height).astype(np.uint64), None)
    row = "row of the group="
    gathered = keys.with_row_index(row).group_by(names, maintain_order=True).agg(pl.col(row))
    lengths = gathered[row].list.len().to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.uint64)]).astype(np.uint64)
    return _Groups(gathered.drop(row), offsets, gathered[row].explode().to_numpy())
