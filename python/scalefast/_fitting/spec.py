"""What is to be fitted, and how, as one frozen value.

Stage: before a fit. In: a law and settings. Out: `FitSpec`, checked, comparable and picklable; the same spec fits many
data sets. Loads neither NumPy nor Polars.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scalefast._base.errors import LawError, SettingsError
from scalefast._base.suggest import did_you_mean
from scalefast._base.wording import Advice, Argument, Phrase
from scalefast._calls.progress import Progress
from scalefast._calls.running import OnInterrupt, Running
from scalefast._forms.form import Parameter
from scalefast._forms.losses import Loss, Squared
from scalefast._laws.find import resolve
from scalefast._laws.law import Law

if TYPE_CHECKING:
    import polars as pl

    from scalefast._fitting.resampling import Resample
    from scalefast._fitting.starts import Starts

__all__ = ["HOW_IT_RUNS", "FitSpec"]

Residual = Literal["log", "identity"]
#: What the settings that are named by symbol look like.
_EXAMPLES: dict[str, dict[str, Any]] = {
    "columns": {"N": "n_params"},
    "units": {"N": "millions"},
    "bounds": {"alpha": (0, 1)},
    "fixed": {"E": 1.69},
    "tied": {"beta": "alpha"},
}


#: Settings of how a fit runs, as they are unless given: they change nothing in what it finds.
HOW_IT_RUNS: dict[str, Any] = {
    "threads": None,
    "draws_to": None,
    "overwrite": False,
    "progress": None,
    "on_interrupt": "raise",
    "timeout_s": None,
}


@dataclass(frozen=True, eq=False)
class FitSpec:
    """The settings of `sf.fit`; see there. `sf.fit(runs, spec)` fits, any number of times.

    What is left out is settled here, so that equal specs mean equal fits.

    >>> import scalefast as sf
    >>> sf.FitSpec("chinchilla") == sf.FitSpec("chinchilla", residual="log", loss=sf.Huber(1e-3))
    True
    """

    law: Law | str | Path
    columns: Mapping[str, str | pl.Expr] | None = None
    y: str | pl.Expr | None = None
    where: str | pl.Expr | None = None
    drop_invalid: bool = False
    residual: Residual | None = None
    loss: Loss | None = None
    weights: str | pl.Expr | None = None
    sigma: str | pl.Expr | None = None
    units: Mapping[str, str] | None = None
    run: str | None = None
    checkpoints: Literal["final", "all"] | None = None
    starts: Starts | None = None
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None
    fixed: Mapping[str, float] | None = None
    tied: Mapping[str, str] | None = None
    per: Mapping[str, str] | None = None
    resample: Resample | None = None
    level: float = 0.90
    seed: int = 0
    threads: int | None = None
    draws_to: str | Path | None = None
    overwrite: bool = False
    progress: Progress = None
    on_interrupt: OnInterrupt = "raise"
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("columns", "units", "bounds", "fixed", "tied"):
            if not isinstance(getattr(self, name), Mapping | None):
                message = f"{name} must be a dict; got {getattr(self, name)!r:.60}"
                raise SettingsError(
                    message, code="no-dict", argument=name, hint=Advice("such as ", Argument(name, _EXAMPLES[name]))
                )
        law = _law_to_fit(self.law, self.columns)
        recipe = law.recipe
        settled = {
            "law": law,
            "residual": self.residual or (recipe.residual if recipe else "identity"),
            "loss": self.loss or (recipe.loss if recipe else Squared()),
            "columns": dict(self.columns or {}),
            "units": dict(self.units or {}),
            "bounds": {name: _interval(name, ends) for name, ends in (self.bounds or {}).items()},
            "fixed": {name: _finite(name, value) for name, value in (self.fixed or {}).items()},
            "tied": dict(self.tied or {}),
            "per": dict(self.per or {}),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)
        _check(self)
        _running(self)

    def replace(self, **changes: Any) -> FitSpec:
        """The same spec with some settings changed."""
        return replace(self, **changes)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The law's parameters under the bounds of this spec."""
        form = self.resolved_law.form.parameters
        bounds = {name: _interval(name, ends) for name, ends in (self.bounds or {}).items()}
        return {
            name: replace(entry, bounds=bounds[name], **_within(entry, bounds[name])) if name in bounds else entry
            for name, entry in form.items()
        }

    @property
    def plain_parameters(self) -> list[tuple[Any, ...]]:
        """The parameters as the core takes them."""
        from scalefast._fitting.per import plain_level

        variables = self.resolved_law.form.variables
        return [
            (
                name,
                entry.bounds,
                (self.fixed or {}).get(name),
                (self.tied or {}).get(name),
                entry.transform,
                entry.start,
                plain_level(entry, variables),
            )
            for name, entry in self.parameters.items()
        ]

    @property
    def running(self) -> Running:
        """How a fit of this spec runs."""
        return _running(self)

    @property
    def free(self) -> list[str]:
        """Names of the parameters that are estimated."""
        held = {**(self.fixed or {}), **(self.tied or {})}
        return [name for name in self.resolved_law.form.parameters if name not in held]

    @property
    def resolved_law(self) -> Law:
        """The law, whatever it was given as."""
        assert isinstance(self.law, Law)
        return self.law

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FitSpec) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self.resolved_law)

    def _key(self) -> tuple[Any, ...]:
        return tuple(_plain(getattr(self, name)) for name in self.__dataclass_fields__)


def _law_to_fit(law: Law | str | Path, columns: Mapping[str, Any] | None) -> Law:
    """Names that are bound to columns are variables of a typed formula."""
    if isinstance(law, Law):
        if law.form.id or not columns or all(name in law.variables for name in columns):
            return law
        law = law.formula
    return resolve(law, variables=_bound_symbols(str(law), columns))


def _bound_symbols(text: str, columns: Mapping[str, Any] | None) -> list[str]:
    """The bound names that the formula has; others are reported when columns are chosen, with the nearest names."""
    from scalefast._base.errors import FormulaError
    from scalefast._core import System

    if not columns:
        return []
    try:
        system, definitions, _ = System.typed(text)
    except FormulaError:
        return []
    # A definition that is bound as well is reported with the formula.
    known = [*system.symbols(), *(name for name, _ in definitions)]
    return [name for name in columns if name in known]


def _check(spec: FitSpec) -> None:
    law = spec.resolved_law
    if len(law.outputs) != 1:
        raise LawError(
            "a law with several outputs cannot be fitted to one response",
            code="several-outputs",
            hint="fit the formula of one output",
        )
    if spec.residual not in ("log", "identity"):
        message = f"residual must be `log` or `identity`; got {spec.residual!r}"
        hint = "`log` is ln of prediction minus ln of data, `identity` prediction minus data"
        raise SettingsError(message, code="bad-residual", argument="residual", hint=hint)
    if not isinstance(spec.loss, Loss):
        hint = "give a value such as sf.Huber(1e-3) or sf.Squared()"
        message = f"loss must be a loss; got {spec.loss!r}"
        raise SettingsError(message, code="bad-loss", argument="loss", hint=hint)
    for argument in ("bounds", "fixed", "tied"):
        for name in getattr(spec, argument):
            if name not in law.form.parameters:
                raise SettingsError(
                    f"{argument}: the law has no parameter `{name}`",
                    code="unknown-parameter",
                    argument=argument,
                    column=name,
                    hint=did_you_mean(name, law.form.parameters, "parameters"),
                )
    for name in spec.fixed or {}:
        if name in (spec.tied or {}):
            raise SettingsError(f"`{name}` is both fixed and tied", code="fixed-and-tied", column=name)
    for name, formula in (spec.tied or {}).items():
        if not isinstance(formula, str):
            raise SettingsError(
                f"tied: `{name}` must be the text of a formula; got {formula!r:.40}",
                code="bad-tie",
                argument="tied",
                column=name,
            )
        _check_formula(name, formula)
    if spec.per:
        from scalefast._fitting.per import check_per

        check_per(spec.per, law.form.parameters, spec.fixed or {}, spec.tied or {})
    _check_resampling(spec)
    if not 0 < spec.level < 1:
        raise SettingsError(
            f"level must lie between 0 and 1; got {spec.level:g}",
            code="bad-level",
            argument="level",
            value=float(spec.level),
            limit=1.0,
            hint=Advice(Argument("level", 0.9), " gives intervals of 90 %"),
        )


def _running(spec: FitSpec) -> Running:
    return Running(spec.threads, spec.progress, spec.timeout_s, spec.on_interrupt)


def _check_formula(name: str, formula: str) -> None:
    """The formula of a tie can be read; its symbols are checked with those of the law."""
    from scalefast._base.errors import FormulaError
    from scalefast._core import System

    try:
        System.parse([(name, formula)], [])
    except FormulaError as error:
        error.message, error.argument = f"tied: {name}: {error.message}", "tied"
        raise


def _check_resampling(spec: FitSpec) -> None:
    from scalefast._fitting.resampling import Bootstrap, Jackknife

    given: dict[str, Any] = {name: getattr(spec, name) for name in ("resample", "run")}
    if not isinstance(given["resample"], Bootstrap | Jackknife | None):
        message = f"resample must be a way to resample; got {spec.resample!r:.60}"
        hint = "give a value such as sf.Bootstrap(4000) or sf.Jackknife()"
        raise SettingsError(message, code="bad-resample", argument="resample", hint=hint)
    if not _is_whole(spec.seed) or not 0 <= spec.seed < 2**64:
        message = f"seed must be a whole number from 0 to 2**64 - 1; got {spec.seed!r:.60}"
        raise SettingsError(message, code="bad-seed", argument="seed")
    if spec.draws_to is not None and spec.resample is None:
        hint = Advice("add ", Phrase("resample=sf.Bootstrap(4000)", "--resample 4000"), ", or leave it out")
        raise SettingsError(
            "draws_to: nothing is resampled, so there are no draws", code="bad-draws-to", argument="draws_to", hint=hint
        )
    if not isinstance(given["run"], str | None):
        message = f"run must be the name of a column; got {spec.run!r:.60}"
        raise SettingsError(message, code="bad-column", argument="run", column="run")
    if spec.checkpoints not in (None, "final", "all"):
        message = f"checkpoints must be `final` or `all`; got {spec.checkpoints!r:.60}"
        hint = "`final` keeps the last row of each run, `all` uses every row"
        raise SettingsError(message, code="bad-checkpoints", argument="checkpoints", hint=hint)
    if spec.checkpoints is not None and spec.run is None:
        message = "checkpoints are those of a run, and no column of runs is given"
        hint = Advice(Argument("run", "column"), " says which rows belong to one run")
        raise SettingsError(message, code="bad-checkpoints", argument="checkpoints", hint=hint)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _interval(name: str, ends: Any) -> tuple[float, float]:
    try:
        low, high = ends
        low = -math.inf if low is None else float(low)
        high = math.inf if high is None else float(high)
    except (TypeError, ValueError) as error:
        hint = "write (0, 1), or None for an end without a bound: (0, None)"
        message = f"bounds of `{name}` must be two numbers; got {ends!r:.40}"
        raise SettingsError(message, code="bad-bounds", argument="bounds", column=name, hint=hint) from error
    if not low < high:
        raise SettingsError(
            f"bounds of `{name}`: {low:g} is not below {high:g}",
            code="bad-bounds",
            argument="bounds",
            column=name,
            value=low,
            limit=high,
        )
    return (low, high)


def _finite(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"fixed: the value of `{name}` must be a number; got {value!r:.40}",
            code="bad-fixed-value",
            argument="fixed",
            column=name,
        ) from error
    if not math.isfinite(number):
        message = f"fixed: the value of `{name}` must be finite; got {number}"
        raise SettingsError(message, code="bad-fixed-value", argument="fixed", column=name)
    return number


def _within(entry: Parameter, bounds: tuple[float, float]) -> dict[str, Any]:
    """What new bounds change beside themselves: the range of starts is cut to them, and a log scale needs positive ends."""
    low, high = bounds
    start = entry.start
    if start is not None:
        start = (max(start[0], low), min(start[1], high))
        start = start if start[0] < start[1] else None
    return {"start": start, "transform": "auto" if entry.transform == "log" and low < 0 else entry.transform}


def _plain(value: Any) -> Any:
    """A comparable stand-in: Polars expressions and frames compare by what they say."""
    if isinstance(value, Mapping):
        return tuple((name, _plain(entry)) for name, entry in value.items())
    kind = type(value)
    if kind.__module__.startswith("polars") and hasattr(value, "meta"):
        return value.meta.serialize()
    if kind.__module__.startswith(("polars", "pandas", "numpy")):
        return repr(value.to_dict()) if hasattr(value, "to_dict") else repr(value.tolist())
    return value
