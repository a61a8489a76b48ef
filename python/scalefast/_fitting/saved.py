"""Fitted laws as files that load next year: one Parquet file, or TOML in the catalogue's own format.

Stage: after a fit, and before the next use of its law. In: a `Fit` and a path. Out: a file that `sf.load` reads as the
fit, `sf.law` as its law, and any Parquet reader as a table. A Parquet file has one row per draw, with a float64 column for
each parameter; where nothing was resampled it has no rows. Its metadata hold, as one JSON text under the key `scalefast`:
`schema_version`, the law file, the estimate and the manifest. No time stamps: the same fit gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scalefast._base.atomic import written_whole
from scalefast._base.errors import LawError, ScalefastError, SettingsError
from scalefast._base.version import SCHEMA_VERSION
from scalefast._data.frames import usable_draws
from scalefast._fitting.diagnostics import SCHEMA as DIAGNOSTICS
from scalefast._fitting.manifest import Manifest
from scalefast._fitting.plainspec import plain_value, read_law, read_value
from scalefast._fitting.replicates import Replicates
from scalefast._fitting.result import Certificate
from scalefast._fitting.state import FitState
from scalefast._fitting.uncertainty import of_fit, of_state, read_scatter, stored
from scalefast._forms.form import OWN_TITLE, LawFile, Published
from scalefast._forms.losses import Loss
from scalefast._forms.write import law_text
from scalefast._laws.container import content_of, read_container, write_container
from scalefast._laws.evaluate import predict
from scalefast._laws.intervals import Interval, Uncertainty, add_interval
from scalefast._laws.law import Law

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scalefast._fitting.spec import FitSpec

__all__ = ["SavedFit", "load", "save_fit"]

_PARAMETERS = {
    "parameter": pl.String,
    **dict.fromkeys(("estimate", "std_error", "lower", "upper"), pl.Float64),
    "interval_method": pl.String,
    "level": pl.Float64,
    "status": pl.String,
}


@dataclasses.dataclass(frozen=True, eq=False)
class SavedFit:
    """A fit read back from its file: everything but the runs, and so without residuals.

    Predicts, sweeps and plans as the fit did; `sf.fit(runs, saved.spec)` fits again. Get one from `sf.load(path)`.

    Attributes
    ----------
    draws: the draws, one row per replicate; no rows where nothing was resampled.
    """

    draws: pl.DataFrame
    _text: str
    _content: Mapping[str, Any] = dataclasses.field(repr=False)

    @cached_property
    def manifest(self) -> Manifest:
        """Version, spec, data hash and kernel of the fit."""
        return Manifest.from_fields(self._content["manifest"], "the artifact")

    @cached_property
    def spec(self) -> FitSpec:
        """What was fitted, and how. Raises LawError, `expression-not-stored`, where it held foreign code."""
        return self.manifest.spec

    @cached_property
    def law(self) -> Law:
        """The law with the estimates as values, equal to that of the fit."""
        form = read_law(self.manifest.settings["law"])
        ranges = {name: (low, high) for name, low, high in self._estimate["observed_range"]}
        draws = None
        if self._estimate["draws_describe_law"]:
            draws = usable_draws(self.draws).select(list(form.parameters))
        return form.with_values(dict(self._estimate["values"]), observed_range=ranges, draws=draws)

    @cached_property
    def parameters(self) -> pl.DataFrame:
        """One row per parameter; see `Fit.parameters`."""
        return pl.DataFrame(self._estimate["parameters"], schema=_PARAMETERS)

    @cached_property
    def diagnostics(self) -> pl.DataFrame:
        """What was worth knowing about the fit; see `Fit.diagnostics`."""
        return pl.DataFrame(self._estimate["diagnostics"], schema=DIAGNOSTICS)

    @property
    def unit_faults(self) -> list[str]:
        """See `Fit.unit_faults`."""
        return self.diagnostics.filter(pl.col("code") == "looks-scaled")["message"].to_list()

    @property
    def objective(self) -> float:
        """The weighted sum of w * rho(r) over the rows."""
        return float(self._estimate["objective"])

    @property
    def status(self) -> str:
        """How the fit ended; see `Fit.status`."""
        return str(self._estimate["status"])

    @cached_property
    def certificate(self) -> Certificate:
        """Why the estimate is believed to be the optimum."""
        return Certificate(**{name: read_value(value) for name, value in self._estimate["certificate"].items()})

    @cached_property
    def loss(self) -> Loss:
        """The loss, its threshold settled."""
        loss: Loss = read_value(self._estimate["loss"])
        return loss

    @property
    def n_rows(self) -> int:
        """Rows used."""
        return self.manifest.n_rows

    def covariance(self) -> pl.DataFrame:
        """See `Fit.covariance`; raises ScalefastError with the same code where it was refused."""
        stored = self._estimate["covariance"]
        if isinstance(stored, str):
            raise ScalefastError("the covariance was refused when the law was fitted", code=stored)
        schema = {"parameter": pl.String, **dict.fromkeys(list(stored)[1:], pl.Float64)}
        return pl.DataFrame(stored, schema=schema)

    def predict(
        self,
        points: Any,
        *,
        interval: Interval | None = None,
        columns: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
        threads: int | None = None,
    ) -> pl.DataFrame:
        """The points with `L_fit` and an interval added; see `Fit.predict`. BCa intervals are read as percentiles."""
        named = {self.law.outputs[0]: "L_fit"}
        law = self.law
        found = predict(
            law.form, law.system, law.values, points, columns=columns, units=units, threads=threads, names=named
        )
        return found if interval is None else add_interval(self._uncertainty, found, interval, columns, units)

    def save(self, path: str | Path) -> None:
        """Writes the same file again, byte for byte. Raises SettingsError, `unknown-suffix`."""
        _check_suffix(Path(path), (".parquet",))
        write_container(self.draws, self._text, Path(path))

    @property
    def _uncertainty(self) -> Uncertainty:
        fields, spec = read_value(self._estimate.get("intervals")), self.spec
        if fields is None:
            hint = "fit again and save with this version"
            raise SettingsError("the file was saved without what intervals need", code="no-scatter", hint=hint)
        replicates = None
        if spec.resample is not None:
            names = tuple(self.law.parameters)
            replicates = Replicates(spec.resample, names, self.draws, None, None, 0, False, self.draws.height)
        return of_fit(
            self.law,
            spec,
            replicates,
            self.covariance,
            lambda: float(fields["quantile"]),
            lambda repeat: read_scatter(fields, repeat),
            str(fields["method"]),
        )

    @property
    def _estimate(self) -> Mapping[str, Any]:
        estimate: Mapping[str, Any] = self._content["estimate"]
        return estimate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SavedFit) and self._text == other._text and self.draws.equals(other.draws)

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_from_text, (self.draws, self._text, "the pickle"))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.6g}" for name, value in self.law.parameters.items())
        return f"SavedFit({self.status}, objective {self.objective:.10g}, {self.n_rows} rows, {values})"


def load(path: str | Path) -> SavedFit:
    """The fit saved at `path` by `Fit.save`, without its runs.

    Raises LawError: `unreadable-file`, `truncated-artifact` (cut short), `foreign-artifact` (no fit of scalefast),
    `newer-artifact` (a later `schema_version`), `damaged-artifact`.

    >>> import scalefast as sf
    >>> points = {"N": [1e8, 1e9, 1e10] * 3, "D": [1e10] * 3 + [1e11] * 3 + [1e12] * 3}
    >>> fit = sf.fit(sf.law("hoffmann-2022").predict(points), "chinchilla")
    >>> fit.save("law.parquet")
    >>> sf.load("law.parquet").law == fit.law
    True
    """
    text, draws = read_container(Path(path))
    return _from_text(draws, text, Path(path).name)


def save_fit(fit: FitState, diagnostics: pl.DataFrame, path: Path, name: str) -> None:
    """See `Fit.save`; `name` becomes the id of the law."""
    _check_suffix(path, (".parquet", ".toml"))
    text = law_text(_as_file(fit, name))
    if path.suffix == ".toml":
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
        return
    content = {
        "schema_version": SCHEMA_VERSION,
        "law": text,
        "estimate": _estimate(fit, diagnostics),
        "manifest": Manifest.of(fit).fields,
    }
    draws = pl.DataFrame(schema=dict.fromkeys(fit.law.form.parameters, pl.Float64))
    # An interruption may have left a fit that was to be resampled without draws.
    if fit._replicates is not None:
        draws = fit._resampled("draws").draws
    write_container(draws, json.dumps(content, ensure_ascii=False, allow_nan=False), path)


def _check_suffix(path: Path, known: tuple[str, ...]) -> None:
    if path.suffix not in known:
        raise SettingsError(
            f"`{path.name}`: fitted laws are saved as {' or '.join(known)}",
            code="unknown-suffix",
            hint="name it law.parquet",
        )


def _from_text(draws: pl.DataFrame, text: str, name: str) -> SavedFit:
    found = SavedFit(draws, text, content_of(text, name))
    try:
        # What every use needs is read at once, so that a damaged file is refused here and not later.
        _ = found.law, found.parameters, found.certificate, found.loss
    except ScalefastError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, pl.exceptions.PolarsError) as error:
        raise LawError(f"`{name}`: the fit in its metadata is damaged", code="damaged-artifact") from error
    return found


def _estimate(fit: FitState, diagnostics: pl.DataFrame) -> dict[str, Any]:
    """Everything that the frames of a loaded fit need, floats with all their digits."""
    try:
        covariance: Any = fit.covariance().to_dict(as_series=False)
    except ScalefastError as error:
        covariance = error.code
    return {
        "status": fit.status,
        "objective": fit.objective,
        "values": list((fit.law.values or {}).items()),
        "draws_describe_law": fit.law.own_draws is not None,
        "observed_range": [[name, *ends] for name, ends in fit.law.fitted_range.items()],
        "certificate": {name: plain_value(value) for name, value in dataclasses.asdict(fit.certificate).items()},
        "loss": plain_value(fit.loss),
        "sigma": plain_value(fit.sigma),
        "quadratic_share": plain_value(fit.quadratic_share),
        "n_read": fit.n_read,
        "n_filtered": fit.n_filtered,
        "n_dropped": fit.n_dropped,
        "sources": dict(fit.sources),
        "parameters": _columns(fit.parameters),
        "covariance": covariance,
        "intervals": plain_value(stored(of_state(fit))),
        "diagnostics": _columns(diagnostics),
    }


def _columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """Columns as lists; what is not finite is null, as JSON has it."""
    finite = frame.with_columns(pl.when(pl.col(pl.Float64).is_finite()).then(pl.col(pl.Float64)))
    return finite.to_dict(as_series=False)


def _as_file(fit: FitState, name: str) -> LawFile:
    """The form with the fit as its only set."""
    law = fit.law
    errors = fit.parameters.drop_nulls("std_error")
    size = law.form.variables.get("N")
    published = Published(
        id=name,
        values=dict(law.values or {}),
        n_definition=(size.definition if size else "") or "as in the data",
        confidence="own",
        std_error=dict(zip(errors["parameter"], errors["std_error"], strict=True)),
        covariance=_covariance(fit),
        flop_rule=f"C = {law.cost}" if law.cost else "",
        fitted_range={symbol: ends for symbol, ends in law.fitted_range.items() if ends[0] < ends[1]},
        method=f"fit of {fit.n_rows} rows, {fit.spec.residual} residual, {fit.loss}, "
        f"objective {fit.objective!r}, {fit.status}",
    )
    return dataclasses.replace(
        law.form, id=law.form.id or name, title=law.form.title or OWN_TITLE, published=(published,)
    )


def _covariance(fit: FitState) -> tuple[tuple[float, ...], ...] | None:
    """Where every parameter is free and the covariance is not refused."""
    if len(fit.spec.free) < len(fit.law.form.parameters):
        return None
    try:
        return tuple(fit.covariance().drop("parameter").rows())
    except ScalefastError:
        return None
