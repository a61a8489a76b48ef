"""Fitted laws as files that load next year: TOML in the catalogue's own format, or Parquet.

Stage: after a fit, and before the next use of its law. In: a `Fit` and a path. Out: a file that `sf.law` reads. A Parquet
file has one row a draw (none yet where nothing was resampled) and a float64 column for each parameter; its metadata hold
the law file as text. No time stamps: the same fit gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scalefast._errors import LawError, ScalefastError, SettingsError
from scalefast._lawfile import LawFile, Published, parse_law_file
from scalefast._lawtext import law_text

if TYPE_CHECKING:
    from scalefast._fit import Fit

__all__ = ["load_law", "save_fit"]

SCHEMA_VERSION = 1
#: Key of the file's metadata under which scalefast keeps its own, as JSON.
_KEY = "scalefast"


def save_fit(fit: Fit, path: Path, name: str) -> None:
    """See `Fit.save`; `name` becomes the id of the law."""
    text = law_text(_as_file(fit, name))
    if path.suffix == ".toml":
        path.write_text(text, encoding="utf-8", newline="\n")
    elif path.suffix == ".parquet":
        draws = pl.DataFrame(schema=dict.fromkeys(fit.law.form.parameters, pl.Float64))
        content = json.dumps({"schema_version": SCHEMA_VERSION, "law": text})
        draws.write_parquet(path, metadata={_KEY: content})
    else:
        raise SettingsError(
            f"`{path.name}`: fitted laws are saved as .parquet or .toml",
            code="unknown-suffix",
            hint="name it law.parquet",
        )


def load_law(path: Path) -> LawFile:
    """The law in a Parquet file; where the file has draws, its set names the file as their source."""
    try:
        metadata = pl.read_parquet_metadata(path)
        rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise LawError(f"law file `{path.name}` cannot be read: {reason}", code="unreadable-file") from error
    if _KEY not in metadata:
        raise LawError(f"`{path.name}` holds no law", code="bad-law-file", hint="laws are saved by `fit`")
    try:
        content = json.loads(metadata[_KEY])
        version, text = content["schema_version"], content["law"]
    except (ValueError, KeyError, TypeError) as error:
        raise LawError(f"`{path.name}`: the law in its metadata is damaged", code="bad-law-file") from error
    if version != SCHEMA_VERSION:
        raise LawError(f"`{path.name}` was written by another version of scalefast", code="unknown-schema")
    form = parse_law_file(text, path.name)
    if not rows:
        return form
    return dataclasses.replace(form, published=tuple(dataclasses.replace(p, draws=path.name) for p in form.published))


def _as_file(fit: Fit, name: str) -> LawFile:
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
        law.form, id=law.form.id or name, title=law.form.title or "A law of one's own", published=(published,)
    )


def _covariance(fit: Fit) -> tuple[tuple[float, ...], ...] | None:
    """Where every parameter is free and the covariance is not refused."""
    if len(fit.spec.free) < len(fit.law.form.parameters):
        return None
    try:
        return tuple(fit.covariance().drop("parameter").rows())
    except ScalefastError:
        return None
