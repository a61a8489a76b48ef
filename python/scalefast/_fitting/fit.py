"""Fits: a spec and runs in, the estimate and the evidence for it out.

Stage: after binding, around the core. In: `m` rows and a `FitSpec`. Out: `Fit`, whose frames have one row per parameter
(`p`), a start (`S`) or a run (`m`). Not converging is data (`status`); misuse raises. All arithmetic is the core's.

Longer than the rule, because every argument of `fit` has an entry in its docstring.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from scalefast._base.errors import DataError, ScalefastError, SettingsError
from scalefast._base.statuses import USABLE
from scalefast._calls.longcall import LongCall
from scalefast._calls.progress import Progress
from scalefast._calls.running import OnInterrupt
from scalefast._core import restore_result, result_state
from scalefast._data.binding import SIGMA
from scalefast._data.checkpoints import choose_checkpoints
from scalefast._data.drawsfile import check_draws_path
from scalefast._data.levels import check_levels
from scalefast._fitting.diagnostics import diagnose, unit_findings
from scalefast._fitting.influence import influence as influence_of
from scalefast._fitting.levels import expand, with_indicators
from scalefast._fitting.manifest import Manifest
from scalefast._fitting.problem import Ranges, bind_problem, read_runs
from scalefast._fitting.profile import Profile
from scalefast._fitting.profile import profile as profile_of
from scalefast._fitting.replicates import run_replicates
from scalefast._fitting.resampling import Jackknife
from scalefast._fitting.result import Certificate
from scalefast._fitting.saved import save_fit
from scalefast._fitting.spec import HOW_IT_RUNS, FitSpec, Residual
from scalefast._fitting.starts import start_matrix
from scalefast._fitting.state import FitState
from scalefast._fitting.uncertainty import of_state
from scalefast._forms.losses import Loss, loss_fields, settled_loss
from scalefast._laws.evaluate import predict
from scalefast._laws.intervals import Interval, add_interval
from scalefast._laws.law import Law

if TYPE_CHECKING:
    from scalefast._fitting.resampling import Resample
    from scalefast._fitting.starts import Starts

__all__ = ["Fit", "fit", "run_fit"]

_LOG = logging.getLogger("scalefast")


@dataclass(frozen=True, eq=False)
class Fit(FitState):
    """A fitted law with its evidence.

    Attributes
    ----------
    spec
        The settings of the fit.
    law
        The law with the estimates as values; predicts and sweeps like any other.
    objective
        The weighted sum of w * rho(r) over the rows.
    status
        `converged`, `unconfirmed` (too few independent starts found this optimum), `unbounded` (the objective falls
        towards parameters at infinity), `at-bound`, `ill-determined`, `saddle`, `stalled`, `iterations` or `undefined`.
    certificate
        The evidence that the estimate is the optimum.
    loss
        The loss, its threshold settled.
    sigma
        Robust scale of the residuals, 1.4826 times their median absolute value; with `sigma=` of residual/sigma.
    quadratic_share
        Share of the rows in the quadratic zone of the loss.
    n_rows
        Rows used.
    n_read
        Rows read.
    n_filtered
        Rows left out by `where`.
    n_dropped
        Rows dropped as invalid.
    sources
        Symbol to the column that it was taken from.
    runs
        The runs and checkpoints in use, None without `run=`.
    """

    @cached_property
    def residuals(self) -> pl.DataFrame:
        """The rows used, with L_fit, residual, weight, leverage, influence; with `sigma=` also sigma, last.

        `residual` is prediction minus data (of logs under the log residual); `influence` is the largest change of a
        parameter, in standard errors, that leaving the row out makes to first order, null where there are none.
        """
        found = self._problem.residuals(self._result)
        predicted = self.law.system.evaluate(self._variables(), self._values(), self.spec.threads)[self.law.outputs[0]]
        added = {"L_fit": predicted, **found}
        if SIGMA in self._rows.arrays and self._rows.sources[SIGMA] != "sigma":
            added["sigma"] = self._rows.arrays[SIGMA]
        clash = [name for name in added if name in self._rows.frame.columns]
        if clash:
            raise DataError(
                f"the runs have a column `{clash[0]}` already",
                code="column-exists",
                column=clash[0],
                hint="rename it before the fit: the frame of residuals needs the name",
            )
        return self._rows.frame.with_columns(
            pl.Series(name, values, nan_to_null=True) for name, values in added.items()
        )

    @property
    def draws(self) -> pl.DataFrame:
        """One row per replicate: replicate, parameters, objective, status, moved.

        `status` is `converged`, `at-bound`, `stalled`, `iterations`, `undefined` or `too-few-points` (parameters are null in
        the last two); `moved` says that the replicate's optimum is another one than the estimate's leads to. With
        `draws_to=` they are read from the file. Raises ScalefastError: `no-draws` for a fit without `resample=`,
        `draws-moved`.
        """
        return self._resampled("draws").draws

    @cached_property
    def influence(self) -> pl.DataFrame:
        """What leaving out each row, run or budget changes: left_out, n_rows, change.* of every parameter, status.

        With `sf.Jackknife(budget=...)` also change.N, of the number of parameters that is best at that budget. Raises
        ScalefastError (`no-draws`) unless the fit was made with `resample=sf.Jackknife()`.
        """
        return influence_of(self, self._resampled("influence"))

    @cached_property
    def diagnostics(self) -> pl.DataFrame:
        """What is worth knowing about the fit: code, severity (`info`, `warning`), message, value, limit."""
        jackknifed = self._replicates is not None and isinstance(self.spec.resample, Jackknife)
        return diagnose(self, self.influence if jackknifed else None)

    @property
    def unit_faults(self) -> list[str]:
        """What says that N, D or C were in other units; a fit with any is refused where its law would be scaled up."""
        return [finding.message for finding in unit_findings(self) if finding.code == "looks-scaled"]

    def profile(self, formula: str, *, level: float | None = None) -> Profile:
        """The profile likelihood of a parameter, or of any formula of the parameters, with its interval.

        The best N at 1e24 FLOPs under `chinchilla` is `(alpha*A/(beta*B))**(1/(alpha+beta)) * (1e24/6)**(beta/(alpha+beta))`.
        `level` is that of the fit unless given. The squared loss states a normal likelihood with a free scale; others state
        none and raise SettingsError (`no-likelihood`). Raises LawError (`unbound-symbol`), SettingsError (`not-profiled`).

        >>> import scalefast as sf
        >>> x = [1.0, 2.0, 3.0, 4.0, 5.0]
        >>> fit = sf.fit({"x": x, "L": [1.1, 1.9, 3.2, 3.9, 5.1]}, "a + b*x", columns={"x": "x"})
        >>> found = fit.profile("b")
        >>> round(found.lower, 4), round(found.upper, 4)
        (0.8847, 1.1153)
        """
        return profile_of(self, formula, level)

    def predict(
        self,
        points: Any,
        *,
        interval: Interval | None = None,
        columns: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
        threads: int | None = None,
    ) -> pl.DataFrame:
        """The points with `L_fit` added, and `L_lower`, `L_upper` where an interval is asked for; see `Law.predict`.

        `interval`, at the level of the fit: "confidence" is where the law itself lies, from draws or to first order;
        "prediction" where one more run like those of the data would fall; "new_run" where a repeat of the same run would
        fall, by the spread of repeated runs alone. None of them sees that the law may be the wrong one beyond the data.
        `interval_method` names how the law's part and the scatter were found, such as `gauss-newton+normal`. With
        `sigma=` the points need that column too. Raises what `Law.predict` raises; ScalefastError with the code of a
        refused covariance, DataError (`too-few-residuals`), SettingsError (`no-repeats`: no configuration was run twice;
        `bad-interval`).

        >>> import scalefast as sf
        >>> x = [1.0, 2.0, 3.0, 4.0, 5.0]
        >>> fit = sf.fit({"x": x, "L": [1.1, 1.9, 3.2, 3.9, 5.1]}, "a + b*x", columns={"x": "x"})
        >>> row = fit.predict({"x": [3.0]}, interval="confidence").row(0, named=True)
        >>> round(row["L_lower"], 3), round(row["L_upper"], 3)
        (2.877, 3.203)
        """
        named = {self.law.outputs[0]: "L_fit"}
        law = self.law
        found = predict(
            law.form, law.system, law.values, points, columns=columns, units=units, threads=threads, names=named
        )
        return found if interval is None else add_interval(of_state(self), found, interval, columns, units)

    def save(self, path: str | Path, *, name: str | None = None) -> None:
        """Writes the fitted law as `.parquet` or `.toml`; `sf.law(path)` reads either.

        `name` is the id that the law goes by; None: the file's name without its suffix. Raises SettingsError
        (`unknown-suffix`), OSError.
        """
        save_fit(self, self.diagnostics, Path(path), name or Path(path).stem)

    @property
    def manifest(self) -> Manifest:
        """What the fit was made of: version, spec, data hash, kernel; `sf.repeat(fit.manifest, runs)` makes it again."""
        return Manifest.of(self)

    def raise_for_status(self) -> Fit:
        """This fit, if it converged (also at a bound); else ScalefastError with the status as its code."""
        if self.status in USABLE:
            return self
        raise ScalefastError(
            f"the fit ended with status `{self.status}`", code=self.status, hint="see .certificate and .diagnostics"
        )

    def __eq__(self, other: object) -> bool:
        """Whether spec, rows and results are the same, draws included."""
        return isinstance(other, Fit) and self._key() == other._key() and self._same_frames(other)

    def __hash__(self) -> int:
        return hash((self.law, self.objective))

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del fields["_problem"]
        return (_restore, ({**fields, "_result": result_state(self._result)},))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.6g}" for name, value in self._values().items())
        return f"Fit({self.status}, objective {self.objective:.10g}, {self.n_rows} rows, {values})"

    def _key(self) -> tuple[Any, ...]:
        # As text, since what is not a number equals itself there; how a fit runs changes no result.
        found = {**result_state(self._result), "threads": None}
        return (self.spec.replace(**HOW_IT_RUNS), self.law, repr(found))

    def _same_frames(self, other: Fit) -> bool:
        own, theirs = self._rows.arrays, other._rows.arrays
        if list(own) != list(theirs) or not all(np.array_equal(own[name], theirs[name]) for name in own):
            return False
        if self._replicates is None or other._replicates is None:
            return self._replicates is other._replicates
        return self._replicates.draws.equals(other._replicates.draws)

    def _variables(self) -> dict[str, Any]:
        return {name: self._rows.arrays[name] for name in self.law.variables}


def fit(
    runs: Any,
    law: Law | FitSpec | str | Path,
    *,
    columns: Mapping[str, str | pl.Expr] | None = None,
    y: str | pl.Expr | None = None,
    where: str | pl.Expr | None = None,
    drop_invalid: bool = False,
    residual: Residual | None = None,
    loss: Loss | None = None,
    weights: str | pl.Expr | None = None,
    sigma: str | pl.Expr | None = None,
    units: Mapping[str, str] | None = None,
    run: str | None = None,
    checkpoints: Literal["final", "all"] | None = None,
    starts: Starts | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    per: Mapping[str, str] | None = None,
    resample: Resample | None = None,
    level: float = 0.90,
    seed: int = 0,
    threads: int | None = None,
    draws_to: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = None,
    on_interrupt: OnInterrupt = "raise",
    timeout_s: float | None = None,
) -> Fit:
    """Fits `law` to `runs`, by default at the global optimum.

    Parameters
    ----------
    runs
        Any frame, a dict of arrays, or a path; one row per run.
    law
        An id, a law file, a formula, or a Law (its values are not used); or a FitSpec, which settles all that follows.
    columns
        Variable to column name, formula of columns or Polars expression; names in it are variables of a formula.
    y
        Column of the loss; recognised without binding: L, loss, val_loss.
    where
        Rows to use, a Polars expression or an SQL condition.
    drop_invalid
        Drop unusable rows, and count them.
    residual
        "log" (ln of prediction minus ln of data) or "identity" (prediction minus data).
    loss
        A loss such as `sf.Huber(1e-3)`. None: the law's own recipe, else identity and sf.Squared().
    weights
        Relative weights; a common factor changes no estimate and no standard error.
    sigma
        Column of the known standard deviation of each row's residual (nats per token; of ln L under the log residual):
        the cost is the sum of w * rho(r/sigma), and under the squared loss standard errors take the noise as stated.
    units
        Variable to the unit of its column, such as {"N": "millions"}.
    run
        Column that says which rows belong to one run; the default cluster of resampling.
    checkpoints
        "final" keeps the last row of each run, "all" uses every row; needed where runs have rows at several points.
    starts
        None for the global strategy; sf.Grid, sf.Sobol or a frame for those starts only, each solved locally.
    bounds
        Range of a parameter: {"alpha": (0, 1)}.
    fixed
        Value of a parameter that is not estimated: {"E": 1.69}.
    tied
        Formula of a parameter in others: {"beta": "alpha"}.
    per
        {"E": "corpus"} gives every level of the column corpus an E of its own, `E[c4]`, `E[rpj]`, beside the parameters
        that all rows share; `fit.law.at_level(corpus="c4")` is the law of one level.
    resample
        `sf.Bootstrap(4000)` or sf.Jackknife(); draws, standard errors and intervals then come from refits.
    level
        Level of the intervals.
    seed
        Seed of the random numbers; the same seed gives the same bytes.
    draws_to
        A Parquet file for the draws, which are then not kept in memory; an existing one is refused unless `overwrite`.
    overwrite
        Replace the file of draws where it exists.
    threads
        None for all the process may use.
    progress
        Work of more than a second shows on stderr how far it is: None where that is a terminal, True, False; or a
        function of (done, total), called a few times per second, whose counts begin again with each stage of the work.
    on_interrupt
        "partial" keeps the replicates, or the given starts, that were finished when Ctrl-C, SIGTERM, the time limit or
        a CancelToken ended the call, and says so in `diagnostics`.
    timeout_s
        Give up after so many seconds.

    Raises
    ------
    ScalefastError
        DataError, LawError, FormulaError, SettingsError, UnitsError for misuse; not converging is a status.

    Examples
    --------
    >>> import scalefast as sf
    >>> grid = [(n, d) for n in (1e8, 1e9, 1e10) for d in (1e10, 1e11, 1e12)]
    >>> points = {"N": [n for n, _ in grid], "D": [d for _, d in grid]}
    >>> runs = sf.law("hoffmann-2022").predict(points)
    >>> fit = sf.fit(runs, "chinchilla")
    >>> fit.status, round(fit.law.parameters["alpha"], 6)
    ('converged', 0.339171)
    """
    settings = {
        "columns": columns,
        "y": y,
        "where": where,
        "drop_invalid": drop_invalid,
        "residual": residual,
        "loss": loss,
        "weights": weights,
        "sigma": sigma,
        "units": units,
        "run": run,
        "checkpoints": checkpoints,
        "starts": starts,
        "bounds": bounds,
        "fixed": fixed,
        "tied": tied,
        "per": per,
        "resample": resample,
        "level": level,
        "seed": seed,
        "threads": threads,
        "draws_to": draws_to,
        "overwrite": overwrite,
        "progress": progress,
        "on_interrupt": on_interrupt,
        "timeout_s": timeout_s,
    }
    return run_fit(_spec_of(law, settings), runs)


def _spec_of(law: Law | FitSpec | str | Path, settings: Mapping[str, Any]) -> FitSpec:
    """The spec of a call. Raises SettingsError, `contradictory`, for settings beside a spec."""
    if not isinstance(law, FitSpec):
        return FitSpec(law, **settings)
    unset = {field.name: field.default for field in dataclasses.fields(FitSpec)}
    for name, value in settings.items():
        # By type first: whether an expression equals None is an expression.
        if type(value) is not type(unset[name]) or value != unset[name]:
            message = f"the FitSpec settles how the law is fitted, and {name}= is given too"
            raise SettingsError(message, code="contradictory", column=name, hint=f"spec.replace({name}=...) changes it")
    return law


def run_fit(spec: FitSpec, runs: Any) -> Fit:
    """See `fit`."""
    if spec.draws_to is not None:
        check_draws_path(Path(spec.draws_to), spec.overwrite)
    rows, grouping = read_runs(spec, spec.resolved_law, runs), None
    if spec.per:
        spec = expand(spec, rows.frame)
        rows = with_indicators(rows, spec.resolved_law)
    law = spec.resolved_law
    check_levels(law.form, rows.frame)
    if spec.run is not None:
        rows, grouping = choose_checkpoints(rows, spec.run, spec.checkpoints, list(law.variables))
    parameters = spec.parameters
    problem = bind_problem(spec, rows)
    starts = None if spec.starts is None else start_matrix(spec.starts, parameters, spec.free)
    replicates = None
    with LongCall(spec.running, tidy=spec.draws_to is not None) as call:
        result, stopped = problem.fit(loss_fields(spec.loss), starts, spec.threads, call.stage("starts"))
        # Once all starts have ended, an interruption hits the resampling, of which nothing is finished.
        solved, count = result.solved
        interrupted = call.keeps(stopped, 0 if spec.resample and solved == count else solved)
        _LOG.info("%s, objective %.10g, %d of %d rows", result.status, result.objective, rows.frame.height, rows.n_read)
        if spec.resample is not None and not interrupted:
            replicates = run_replicates(spec, rows, problem, result, list(parameters), call)
    values = dict(zip(parameters, result.parameters, strict=True))
    draws = None if replicates is None else replicates.for_law
    return Fit(
        # How a fit was shown is not part of what it is, and a function need not pickle.
        spec=spec.replace(progress=None),
        law=law.with_values(values, observed_range=Ranges(law, rows), draws=draws),
        objective=result.objective,
        status=result.status,
        certificate=Certificate(**result.certificate()),
        loss=settled_loss(result.loss),
        sigma=result.sigma,
        quadratic_share=result.quadratic_share,
        n_rows=rows.frame.height,
        n_read=rows.n_read,
        n_filtered=rows.n_filtered,
        n_dropped=rows.n_dropped,
        sources=rows.sources,
        runs=grouping,
        _rows=rows,
        _problem=problem,
        _result=result,
        _replicates=replicates,
    )


def _restore(fields: dict[str, Any]) -> Fit:
    """The inverse of `Fit.__reduce__`."""
    problem = bind_problem(fields["spec"], fields["_rows"])
    return Fit(**{**fields, "_problem": problem, "_result": restore_result(fields["_result"])})
