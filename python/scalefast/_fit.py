"""Fits: a spec and runs in, the estimate and the evidence for it out.

Stage: after binding, around the core. In: `m` rows and a `FitSpec`. Out: `Fit`, whose frames have one row a parameter
(`p`), a start (`S`) or a run (`m`). Not converging is data (`status`); misuse raises. All arithmetic is the core's.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from scalefast import _core
from scalefast._binding import RESPONSE, SIGMA, WEIGHTS, Column, bind, bind_one
from scalefast._diagnostics import diagnose
from scalefast._drawsfile import check_draws_path
from scalefast._errors import DataError, FormulaError, ScalefastError
from scalefast._law import Law
from scalefast._levels import check_levels, expand, with_indicators
from scalefast._longcall import LongCall, OnInterrupt
from scalefast._losses import LOSSES, Loss
from scalefast._names import did_you_mean, likeness
from scalefast._progress import Progress
from scalefast._replicates import Replicates, run_replicates
from scalefast._rows import Rows, read_rows
from scalefast._runs import Runs, choose_checkpoints, codes
from scalefast._spec import HOW_IT_RUNS, FitSpec, Residual
from scalefast._starts import start_matrix
from scalefast._undefined import undefined_rows

if TYPE_CHECKING:
    from scalefast._intervals import Interval, Uncertainty
    from scalefast._manifest import Manifest
    from scalefast._profile import Profile
    from scalefast._resampling import Resample
    from scalefast._starts import Starts

__all__ = ["Certificate", "Fit", "fit", "run_fit"]

_LOG = logging.getLogger("scalefast")


@dataclass(frozen=True)
class Certificate:
    """Why the estimate is believed to be the optimum.

    Attributes
    ----------
    gradient: the decrease that a Newton step still promises, as a share of the objective.
    curvature: smallest eigenvalue of the Hessian over the free parameters off their bounds, diagonal scaled to one.
    condition: ratio of the extreme singular values of the scaled Jacobian.
    starts, agreeing: starts solved, and how many of them ended in the best optimum.
    spread: largest relative difference of the objective among those.
    """

    gradient: float
    curvature: float
    condition: float
    starts: int
    agreeing: int
    spread: float


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted law with its evidence.

    Attributes
    ----------
    spec: what was fitted, and how.
    law: the law with the estimates as values; predicts and sweeps like any other.
    objective: the weighted sum of w * rho(r) over the rows.
    status: `converged`, `at-bound`, `ill-determined`, `saddle`, `stalled`, `iterations` or `undefined`.
    loss: the loss, its threshold settled.
    sigma: robust scale of the residuals, 1.4826 times their median absolute value; with `sigma=` of residual/sigma.
    quadratic_share: share of the rows in the quadratic zone of the loss.
    n_rows, n_read, n_filtered, n_dropped: rows used, read, left out by `where`, dropped as invalid.
    sources: symbol to the column that it was taken from.
    runs: the runs and checkpoints in use, None without `run=`.
    """

    spec: FitSpec
    law: Law
    objective: float
    status: str
    certificate: Certificate
    loss: Loss
    sigma: float
    quadratic_share: float
    n_rows: int
    n_read: int
    n_filtered: int
    n_dropped: int
    sources: Mapping[str, str]
    runs: Runs | None
    _rows: Rows
    _problem: _core.Problem
    _result: _core.FitResult
    _replicates: Replicates | None

    @cached_property
    def parameters(self) -> pl.DataFrame:
        """One row a parameter: parameter, estimate, std_error, lower, upper, interval_method, level, status.

        `status` is `free`, `at-bound`, `fixed` or `tied`. Standard error and interval come from the draws where the fit was
        resampled; they are null where they are refused, and `interval_method` then holds the reason.
        """
        estimates = self._problem.estimates(self._result, self.spec.level)
        names = list(self.law.form.parameters)
        if self._replicates is not None:
            found = self._replicates.of_parameters(self._values(), self.spec.level)
            resampled = [self._role(name) != "fixed" for name in names]
            estimates = _replaced(estimates, found, resampled, self._replicates.method)
        roles = pl.Series("status", [self._role(name) for name in names])
        return pl.DataFrame([pl.Series("parameter", names), *_interval_columns(estimates, self.spec.level), roles])

    @cached_property
    def starts(self) -> pl.DataFrame:
        """One row a start: start.*, end.* of the free parameters, objective, status, evaluations.

        Starts that an interruption left unsolved have the status `interrupted` and no end.
        Starts of a robust loss that meet at a larger threshold go on as one from there; `evaluations` counts each start's
        whole path, shared parts included.
        """
        free, found = self.spec.free, self._result.starts()
        return pl.DataFrame(
            [
                *(pl.Series(f"start.{name}", column) for name, column in zip(free, found["start"], strict=True)),
                *(
                    pl.Series(f"end.{name}", column, nan_to_null=True)
                    for name, column in zip(free, found["end"], strict=True)
                ),
                pl.Series("objective", found["objective"], nan_to_null=True),
                pl.Series(found["statuses"], dtype=pl.String).gather(found["status"]).alias("status"),
                pl.Series("evaluations", found["evaluations"], dtype=pl.Int64),
            ]
        )

    @cached_property
    def residuals(self) -> pl.DataFrame:
        """The rows used, with L_fit, residual, weight, leverage, influence; with `sigma=` also sigma, last.

        `residual` is prediction minus data (of logs under the log residual); `influence` is the largest change of a
        parameter, in standard errors, that leaving the row out makes to first order, null where there are none.
        """
        found = self._problem.residuals(self._result)
        predicted = self.law._system.evaluate(self._variables(), self._values(), self.spec.threads)[self.law.outputs[0]]
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
        """One row a replicate: replicate, parameters, objective, status, moved.

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
        from scalefast._influence import influence

        return influence(self, self._resampled("influence"))

    @cached_property
    def diagnostics(self) -> pl.DataFrame:
        """What is worth knowing about the fit: code, severity (`info`, `warning`), message, value, limit."""
        return diagnose(self)

    def covariance(self) -> pl.DataFrame:
        """Covariance of the free parameters: `parameter` and one column for each of them.

        Gauss-Newton for the squared loss, a sandwich with a kernel estimate of the curvature for others. Raises
        ScalefastError with the reason as its code where no covariance can be trusted.
        """
        matrix, method, code = self._problem.covariance(self._result)
        if matrix is None:
            raise ScalefastError(
                f"the {method} covariance is refused: {str(code).replace('-', ' ')}",
                code=str(code),
                hint="give more rows, fix or tie parameters, or take a larger threshold of the loss",
            )
        free = self.spec.free
        columns = {name: matrix[:, position] for position, name in enumerate(free)}
        return pl.DataFrame({"parameter": free, **columns})

    def derive(self, formula: str) -> pl.DataFrame:
        """One row for any formula of the parameters: formula, estimate, std_error, lower, upper, interval_method, level.

        From the draws where the fit was resampled; else the standard error is propagated to first order and the interval
        is symmetric about the estimate.
        """
        system = _core.System.parse([("formula", formula)], [])
        estimates = self._problem.derive(self._result, system, self.spec.level)
        if self._replicates is not None:
            found = self._replicates.of_formula(system, self._values(), self.spec.level)
            estimates = _replaced(estimates, found, [True], self._replicates.method)
        return pl.DataFrame([pl.Series("formula", [formula]), *_interval_columns(estimates, self.spec.level)])

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
        from scalefast._profile import profile

        return profile(self, formula, level)

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
        from scalefast._predict import predict

        named = {self.law.outputs[0]: "L_fit"}
        found = predict(self.law, points, columns=columns, units=units, threads=threads, names=named)
        if interval is None:
            return found
        from scalefast._intervals import add_interval

        return add_interval(self._uncertainty, found, interval, columns, units)

    def save(self, path: str | Path, *, name: str | None = None) -> None:
        """Writes the fitted law as `.parquet` or `.toml`; `sf.law(path)` reads either.

        `name` is the id that the law goes by; None: the file's name without its suffix. Raises SettingsError
        (`unknown-suffix`), OSError.
        """
        from scalefast._artifact import save_fit

        save_fit(self, Path(path), name or Path(path).stem)

    @property
    def manifest(self) -> Manifest:
        """What the fit was made of: version, spec, data hash, kernel; `fit.manifest.repeat(runs)` makes it again."""
        from scalefast._manifest import Manifest

        return Manifest.of(self)

    def raise_for_status(self) -> Fit:
        """This fit, if it converged (also at a bound); else ScalefastError with the status as its code."""
        if self.status in ("converged", "at-bound"):
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
        return (_restore, ({**fields, "_result": _core.result_state(self._result)},))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.6g}" for name, value in self._values().items())
        return f"Fit({self.status}, objective {self.objective:.10g}, {self.n_rows} rows, {values})"

    @property
    def _uncertainty(self) -> Uncertainty:
        from scalefast._intervals import of_fit

        def runs() -> Any:
            return None if self.spec.run is None else codes(self._rows.frame, self.spec.run, "run")

        return of_fit(
            self.law,
            self.spec,
            self._replicates,
            self.covariance,
            lambda: self._problem.quantile(self._result, self.spec.level),
            lambda repeat: self._problem.scatter(self._result, self.spec.level, repeat, runs() if repeat else None),
            self._problem.covariance(self._result)[1],
        )

    def _resampled(self, wanted: str) -> Replicates:
        if self._replicates is None:
            raise ScalefastError(
                f"the fit has no {wanted}: it was not resampled",
                code="no-draws",
                hint="fit with resample=sf.Bootstrap(4000) or sf.Jackknife()",
            )
        return self._replicates

    def _key(self) -> tuple[Any, ...]:
        # As text, since what is not a number equals itself there; how a fit runs changes no result.
        found = {**_core.result_state(self._result), "threads": None}
        return (self.spec.replace(**HOW_IT_RUNS), self.law, repr(found))

    def _same_frames(self, other: Fit) -> bool:
        own, theirs = self._rows.arrays, other._rows.arrays
        if list(own) != list(theirs) or not all(np.array_equal(own[name], theirs[name]) for name in own):
            return False
        if self._replicates is None or other._replicates is None:
            return self._replicates is other._replicates
        return self._replicates.draws.equals(other._replicates.draws)

    def _role(self, name: str) -> str:
        if name in (self.spec.fixed or {}):
            return "fixed"
        if name in (self.spec.tied or {}):
            return "tied"
        return "at-bound" if self._result.at_bound[self.spec.free.index(name)] else "free"

    def _values(self) -> dict[str, float]:
        return dict(self.law.values or {})

    def _variables(self) -> dict[str, Any]:
        return {name: self._rows.arrays[name] for name in self.law.variables}


def fit(
    runs: Any,
    law: Law | str | Path,
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
    bounds: Mapping[str, tuple[float, float]] | None = None,
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
    runs: any frame, a dict of arrays, or a path; one row a run.
    law: an id, a law file, a formula, or a Law (its values are not used).
    columns: variable to column name, formula of columns or Polars expression; names in it are variables of a formula.
    y: column of the loss; recognised without binding: L, loss, val_loss.
    where: rows to use, a Polars expression or an SQL condition. drop_invalid: drop unusable rows, and count them.
    residual: "log" (ln of prediction minus ln of data) or "identity" (prediction minus data). loss: such as
        sf.Huber(1e-3). None: the law's own recipe, else identity and sf.Squared().
    weights: relative weights; a common factor changes no estimate and no standard error.
    sigma: column of the known standard deviation of each row's residual (nats per token; of ln L under the log residual):
        the cost is the sum of w * rho(r/sigma), and under the squared loss standard errors take the noise as stated.
    units: variable to the unit of its column, such as {"N": "millions"}.
    run: column that says which rows belong to one run; the default cluster of resampling. checkpoints: "final" keeps the
        last row of each run, "all" uses every row; needed where runs have rows at several points.
    starts: None for the global strategy; sf.Grid, sf.Sobol or a frame for those starts only, each solved locally.
    bounds, fixed, tied: {"alpha": (0, 1)}, {"E": 1.69}, {"beta": "alpha"}.
    per: {"E": "corpus"} gives every level of the column corpus an E of its own, `E[c4]`, `E[rpj]`, beside the parameters
        that all rows share; `fit.law.at_level(corpus="c4")` is the law of one level.
    resample: sf.Bootstrap(4000) or sf.Jackknife(); draws, standard errors and intervals then come from refits.
    level: of the intervals. seed: of the random numbers; the same seed gives the same bytes.
    draws_to: a Parquet file for the draws, which are then not kept in memory; an existing one is refused unless `overwrite`.
    threads: None for all the process may use.
    progress: what takes more than a second shows how far it is on stderr: None where that is a terminal, True, False; or a
        function of (done, total), called a few times a second, whose counts begin again with each stage of the work.
    on_interrupt: "partial" keeps the replicates, or the given starts, that were finished when Ctrl-C, SIGTERM, the time
        limit or a CancelToken ended the call, and says so in `diagnostics`. timeout_s: give up after so many seconds.

    Raises DataError, LawError, FormulaError, SettingsError, UnitsError for misuse; not converging is a status.

    >>> import scalefast as sf
    >>> grid = [(n, d) for n in (1e8, 1e9, 1e10) for d in (1e10, 1e11, 1e12)]
    >>> points = {"N": [n for n, _ in grid], "D": [d for _, d in grid]}
    >>> runs = sf.law("hoffmann-2022").predict(points)
    >>> fit = sf.fit(runs, "chinchilla")
    >>> fit.status, round(fit.law.parameters["alpha"], 6)
    ('converged', 0.339171)
    """
    return FitSpec(
        law,
        columns=columns,
        y=y,
        where=where,
        drop_invalid=drop_invalid,
        residual=residual,
        loss=loss,
        weights=weights,
        sigma=sigma,
        units=units,
        run=run,
        checkpoints=checkpoints,
        starts=starts,
        bounds=bounds,
        fixed=fixed,
        tied=tied,
        per=per,
        resample=resample,
        level=level,
        seed=seed,
        threads=threads,
        draws_to=draws_to,
        overwrite=overwrite,
        progress=progress,
        on_interrupt=on_interrupt,
        timeout_s=timeout_s,
    ).fit(runs)


def run_fit(spec: FitSpec, runs: Any) -> Fit:
    """See `FitSpec.fit`."""
    if spec.draws_to is not None:
        check_draws_path(Path(spec.draws_to), spec.overwrite)
    rows, grouping = _read(spec, spec.resolved_law, runs), None
    if spec.per:
        spec = expand(spec, rows.frame)
        rows = with_indicators(rows, spec.resolved_law)
    law = spec.resolved_law
    check_levels(law.form, rows.frame)
    if spec.run is not None:
        rows, grouping = choose_checkpoints(rows, spec.run, spec.checkpoints, list(law.variables))
    parameters = spec.parameters
    problem = _bind(spec, rows)
    starts = None if spec.starts is None else start_matrix(spec.starts, parameters, spec.free)
    replicates = None
    partial, tidy = spec.on_interrupt == "partial", spec.draws_to is not None
    with LongCall(spec.progress, spec.timeout_s, partial=partial, tidy=tidy) as call:
        result, stopped = problem.fit(loss_fields(spec.loss), starts, spec.threads, call.stage("starts"))
        interrupted = call.keeps(stopped, result.solved[0])
        _LOG.info("%s, objective %.10g, %d of %d rows", result.status, result.objective, rows.frame.height, rows.n_read)
        if spec.resample is not None and not interrupted:
            replicates = run_replicates(spec, rows, problem, result, list(parameters), call)
    values = dict(zip(parameters, result.parameters, strict=True))
    draws = None if replicates is None else replicates.for_law
    return Fit(
        # How a fit was shown is no part of what it is, and a function need not pickle.
        spec=spec.replace(progress=None),
        law=law.with_values(values, observed_range=_Ranges(law, rows), draws=draws),
        objective=result.objective,
        status=result.status,
        certificate=Certificate(**result.certificate()),
        loss=_settled_loss(result.loss),
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


def _bind(spec: FitSpec, rows: Rows) -> _core.Problem:
    """The rows under the law and the settings of its parameters."""
    law = spec.resolved_law
    return _core.Problem(
        law._system,
        law.outputs[0],
        {name: rows.arrays[name] for name in law.variables},
        rows.arrays[RESPONSE],
        rows.arrays.get(WEIGHTS),
        rows.arrays.get(SIGMA),
        spec.plain_parameters,
        [variable.positive for variable in law.variables.values()],
        str(spec.residual),
        _clusters(spec, rows),
    )


def _clusters(spec: FitSpec, rows: Rows) -> Any:
    """The run of each row where some run has several, for standard errors that allow for it."""
    if spec.run is None:
        return None
    runs = codes(rows.frame, spec.run, "run")
    return runs if len(runs) > int(runs.max()) + 1 else None


def _restore(fields: dict[str, Any]) -> Fit:
    """The inverse of `Fit.__reduce__`."""
    problem = _bind(fields["spec"], fields["_rows"])
    return Fit(**{**fields, "_problem": problem, "_result": _core.restore_result(fields["_result"])})


def loss_fields(loss: Loss | None) -> tuple[str, list[float]]:
    """Name and constants of a loss for the core; `Huber("auto")` has no constant."""
    for name, (kind, constants) in LOSSES.items():
        if isinstance(loss, kind):
            values = [getattr(loss, constant) for constant in constants]
            return name, [] if values == ["auto"] else [float(value) for value in values]
    raise TypeError(f"not a loss: {loss!r}")


def _settled_loss(fields: tuple[str, list[float]]) -> Loss:
    name, values = fields
    return LOSSES[name][0](*values)


def _read(spec: FitSpec, law: Law, runs: Any) -> Rows:
    def choose(available: list[str]) -> dict[str, Column]:
        _ask_about_parameters(spec, law, available)
        columns = bind(law.variables, available, spec.columns, spec.units)
        columns[RESPONSE] = bind_one(RESPONSE, spec.y, available)
        if spec.weights is not None:
            columns[WEIGHTS] = bind_one(WEIGHTS, spec.weights, available)
        if spec.sigma is not None:
            columns[SIGMA] = bind_one(SIGMA, spec.sigma, available)
        return columns

    positive = {name for name, variable in law.variables.items() if variable.positive} | {SIGMA}
    if spec.residual == "log":
        positive.add(RESPONSE)
    return read_rows(
        runs,
        choose,
        positive=frozenset(positive),
        undefined=lambda arrays: undefined_rows(law, arrays, bounds=spec.bounds, values=spec.fixed),
        where=spec.where,
        drop_invalid=spec.drop_invalid,
    )


def _ask_about_parameters(spec: FitSpec, law: Law, available: list[str]) -> None:
    """A name that a typed formula leaves open must not be a column of the data."""
    settled = {*(spec.bounds or {}), *(spec.fixed or {}), *(spec.tied or {})}
    for name in law.form.typed:
        if name in available:
            raise DataError(
                f"`{name}` is defined in the formula and is a column of the data",
                code="ambiguous-symbol",
                column=name,
                hint="give the definition another name, or leave it out to use the column",
            )
    for name, entry in law.form.parameters.items():
        if entry.inferred and name in available and name not in settled:
            raise DataError(
                f"`{name}` is a symbol of the formula and a column of the data",
                code="ambiguous-symbol",
                column=name,
                hint=f'columns={{"{name}": "{name}"}} makes it a variable; as a parameter, name it in '
                f'sf.law(formula, parameters=["{name}"]), or rename the column',
            )
    for name, entry in law.form.parameters.items():
        if not entry.inferred or name in settled or len(name) < _TELLING_LENGTH:
            continue
        if likeness(name, available) >= _MISSPELT:
            begin = len(law.formula[: law.formula.index(name)].encode()) if name in law.formula else 0
            raise FormulaError(
                f"`{name}` is not a column of the data",
                code="misspelt-column",
                text=law.formula,
                span=(begin, begin + len(name.encode())),
                column=name,
                hint=f"{did_you_mean(name, available)} If it is a parameter, name it in "
                f'sf.law(formula, parameters=["{name}"]) or give it bounds',
            )


#: A name of a formula that is this like a column (ratio of matching characters) is taken for a slip of the pen.
_MISSPELT = 0.8
#: Shorter names say too little to be likened to anything.
_TELLING_LENGTH = 4


class _Ranges(Mapping[str, tuple[float, float]]):
    """Range of each variable in the data, and of C by the law's own cost; found when first asked for."""

    def __init__(self, law: Law, rows: Rows) -> None:
        self._law, self._arrays = law, {name: rows.arrays[name] for name in law.measured}

    @cached_property
    def _found(self) -> dict[str, tuple[float, float]]:
        arrays, cost = self._arrays, self._law.cost
        ranges = {name: (float(values.min()), float(values.max())) for name, values in arrays.items()}
        if cost is not None and "C" not in ranges:
            system = _core.System.parse([("C", cost)], [])
            if all(name in arrays for name in system.symbols()):
                flops = system.evaluate({name: arrays[name] for name in system.symbols()}, {})["C"]
                ranges["C"] = (float(flops.min()), float(flops.max()))
        return ranges

    def __getitem__(self, name: str) -> tuple[float, float]:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __reduce__(self) -> tuple[Any, ...]:
        return (dict, (self._found,))


def _replaced(
    estimates: Mapping[str, Any], found: Mapping[str, Any], resampled: list[bool], method: str
) -> dict[str, Any]:
    """Estimates with standard errors and intervals of the draws wherever `resampled` says so."""
    ends = {name: np.where(resampled, found[name], estimates[name]) for name in ("std_error", "lower", "upper")}
    methods = [method if use else old for old, use in zip(estimates["method"], resampled, strict=True)]
    return {"estimate": estimates["estimate"], **ends, "method": methods}


def _interval_columns(estimates: Mapping[str, Any], level: float) -> list[pl.Series]:
    return [
        *(pl.Series(name, estimates[name], nan_to_null=True) for name in ("estimate", "std_error", "lower", "upper")),
        pl.Series("interval_method", estimates["method"], dtype=pl.String),
        pl.Series("level", [level] * len(estimates["method"]), dtype=pl.Float64),
    ]
