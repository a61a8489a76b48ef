"""Noise models of simulated runs, as values.

Stage: settings of a simulation. In: constants in relative units (of the loss) or nats per token. Out: frozen values, each
of which says how the loss of a row departs from the law. Random numbers are a function of the seed, the kind of noise and
the place of the row or run, so a row's noise depends neither on the other rows nor on the machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from scalefast._base.errors import DataError, SettingsError

if TYPE_CHECKING:
    from scalefast._data.frames import FloatArray
    from scalefast._fitting.fit import Fit

__all__ = ["Additive", "LogNormal", "Noise", "Residuals", "RunLevel", "StudentT", "add_noise"]

#: Numbers of the kinds of noise, which keep them apart; a Student t takes one more for each degree of freedom.
_ROWS, _RUNS, _CHOICES, _SQUARES = 0, 1, 2, 16
#: Degrees of freedom beyond which a Student t is a normal law for every purpose here.
_MOST_DEGREES = 1000


@dataclass(frozen=True)
class LogNormal:
    """L = law · exp(sigma · z): relative noise, the same share of every loss.

    Attributes
    ----------
    sigma
        Standard deviation of the logarithm of the loss, zero or more.

    Examples
    --------
    >>> LogNormal(0.01)
    LogNormal(sigma=0.01)
    """

    sigma: float

    def __post_init__(self) -> None:
        _scale(self, "sigma")


@dataclass(frozen=True)
class Additive:
    """L = law + sigma · z: noise of one size.

    Attributes
    ----------
    sigma
        Standard deviation in nats per token, zero or more.

    Examples
    --------
    >>> Additive(0.02)
    Additive(sigma=0.02)
    """

    sigma: float

    def __post_init__(self) -> None:
        _scale(self, "sigma")


@dataclass(frozen=True)
class StudentT:
    """L = law · exp(scale · t), with t of a Student law: now and then a row lies far off.

    Attributes
    ----------
    scale
        What t is multiplied by, zero or more.
    degrees
        Degrees of freedom of the Student law, at least 1.

    Examples
    --------
    >>> StudentT(0.01)
    StudentT(scale=0.01, degrees=3)
    """

    scale: float
    degrees: int = 3

    def __post_init__(self) -> None:
        _scale(self, "scale")
        _count(self, "degrees", _MOST_DEGREES)


@dataclass(frozen=True)
class RunLevel:
    """L = law · exp(run · u + evaluation · z): u is one number per run, z one per evaluation.

    Rows with the same `run` in a frame share a run; otherwise each point of the design is a run of its own, evaluated
    `evaluations` times: as many rows, told apart by the columns `run` and `evaluation`.

    Attributes
    ----------
    run
        Standard deviation of the logarithm of the loss between runs, zero or more.
    evaluation
        The same between evaluations of one run.
    evaluations
        Rows of each point of the design, at least 1.

    Examples
    --------
    >>> RunLevel(0.01, 0.002, evaluations=3)
    RunLevel(run=0.01, evaluation=0.002, evaluations=3)
    """

    run: float
    evaluation: float
    evaluations: int = 1

    def __post_init__(self) -> None:
        _scale(self, "run")
        _scale(self, "evaluation")
        _count(self, "evaluations", 1_000_000)


@dataclass(frozen=True)
class Residuals:
    """The residuals of a fit, drawn with replacement: relative ones after a log residual, else in nats per token.

    Attributes
    ----------
    fit
        A fit, or the frame of its residuals (a column `residual`), such as a file that `fit --residuals` wrote.
    kind
        `log` or `identity`, the residual of that fit; None takes it from the fit, and `log` for a frame.

    Examples
    --------
    >>> Residuals({"residual": [-0.01, 0.0, 0.01]}).kind is None
    True
    """

    fit: Fit | Any
    kind: Literal["log", "identity"] | None = None

    def __post_init__(self) -> None:
        if self.kind not in (None, "log", "identity"):
            hint = "kind is `log` or `identity`, the residual of the fit"
            raise SettingsError(f"Residuals: kind {self.kind!r:.40} is not known", code="bad-noise", hint=hint)

    def read(self) -> tuple[FloatArray, bool]:
        """The residuals, and whether they are relative. Raises DataError (`bad-noise`) where some are not finite."""
        import numpy as np

        from scalefast._data.frames import collect, read_frame, to_array

        spec = getattr(self.fit, "spec", None)
        frame = collect(read_frame(self.fit)) if spec is None else self.fit.residuals
        if "residual" not in frame.columns:
            hint = "write them with fit.residuals, or `scalefast fit --residuals FILE`"
            raise DataError("the frame has no column `residual`", code="unknown-column", column="residual", hint=hint)
        residuals = to_array(frame["residual"])
        if not len(residuals) or not np.isfinite(residuals).all():
            raise DataError("the residuals are not all finite numbers, at least one", code="bad-noise")
        return residuals, (self.kind or (spec.residual if spec else "log")) == "log"


Noise = LogNormal | Additive | StudentT | RunLevel | Residuals


def add_noise(loss: FloatArray, noise: Any, seed: int, runs: FloatArray) -> FloatArray:
    """The losses (`m`, nats per token) with noise; `runs` holds the number of each row's run."""
    import numpy as np

    from scalefast._core import System, choices, students
    from scalefast._core import normals as core_normals

    places = np.arange(len(loss), dtype=np.uint64)

    def normals(series: int = _ROWS, of: Any = places) -> FloatArray:
        return core_normals(seed, series, of)

    def combine(formula: str, columns: dict[str, FloatArray], **scalars: float) -> FloatArray:
        system = System.parse([("L", formula)], [])
        return system.evaluate({"law": loss, **columns}, scalars)["L"]

    if noise is None:
        return loss
    if isinstance(noise, LogNormal):
        return combine("law*exp(sigma*z)", {"z": normals()}, sigma=noise.sigma)
    if isinstance(noise, Additive):
        return combine("law + sigma*z", {"z": normals()}, sigma=noise.sigma)
    if isinstance(noise, StudentT):
        t = students(seed, (_ROWS, _SQUARES), noise.degrees, places)
        return combine("law*exp(scale*t)", {"t": t}, scale=noise.scale)
    if isinstance(noise, RunLevel):
        shared = normals(_RUNS, runs.astype(np.uint64))
        columns = {"u": shared, "z": normals()}
        return combine("law*exp(run*u + evaluation*z)", columns, run=noise.run, evaluation=noise.evaluation)
    if not isinstance(noise, Residuals):
        hint = "give a value such as sf.LogNormal(0.01), sf.Additive(0.01) or None"
        message = f"noise must be a noise model or None; got {noise!r:.60}"
        raise SettingsError(message, code="bad-noise", argument="noise", hint=hint)
    residuals, relative = noise.read()
    drawn = {"r": residuals[choices(seed, _CHOICES, places, len(residuals))]}
    # A residual is prediction minus data.
    return combine("law*exp(-r)" if relative else "law - r", drawn)


def _scale(noise: Any, name: str) -> None:
    value = getattr(noise, name)
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    if not fine:
        number = float(value) if isinstance(value, int | float) else None
        raise SettingsError(
            f"{type(noise).__name__} must have {name} of zero or more; got {value!r:.40}",
            code="bad-noise",
            value=number,
            limit=0.0,
        )


def _count(noise: Any, name: str, most: int) -> None:
    value = getattr(noise, name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise SettingsError(
            f"{type(noise).__name__} must have {name} from 1 to {most}; got {value!r:.40}",
            code="bad-noise",
            limit=float(most),
        )
