"""Manifests of fits: what a fit was made of, so that it can be made again and give the same bytes.

Stage: beside a fit. In: a fit, or a file. Out: `Manifest` (version, spec, data hash over the bound columns, kernel). No time
stamps: the same run writes the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalefast._base.errors import LawError
from scalefast._base.jsonfile import read_fields, write_fields
from scalefast._base.version import SCHEMA_VERSION
from scalefast._core import __version__, kernel
from scalefast._fitting.plainspec import plain_spec, read_spec

if TYPE_CHECKING:
    from scalefast._data.rows import Rows
    from scalefast._fitting.spec import FitSpec
    from scalefast._fitting.state import FitState

__all__ = ["Manifest", "data_hash"]


@dataclass(frozen=True)
class Manifest:
    """What a fit was made of.

    Attributes
    ----------
    version: of the scalefast that fitted.
    kernel: instruction set that it ran on; results do not depend on it.
    data: SHA-256 over the bound columns of the rows used, in the order of the symbols, as `sha256:…`.
    n_rows: rows used.
    settings: the spec as plain values.

    >>> import scalefast as sf
    >>> points = {"N": [1e8, 1e9, 1e10] * 3, "D": [1e10] * 3 + [1e11] * 3 + [1e12] * 3}
    >>> runs = sf.law("hoffmann-2022").predict(points)
    >>> fit = sf.fit(runs, "chinchilla")
    >>> sf.repeat(fit.manifest, runs) == fit
    True
    """

    version: str
    kernel: str
    data: str
    n_rows: int
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, fit: FitState) -> Manifest:
        """The manifest of a fit."""
        return cls(__version__, kernel(), data_hash(fit._rows), fit.n_rows, plain_spec(fit.spec))

    @classmethod
    def read(cls, path: str | Path) -> Manifest:
        """The manifest in a file. Raises LawError: `unreadable-file`, `foreign-manifest`, `newer-manifest`."""
        hint = "manifests of fits are written by `scalefast fit --manifest FILE` and fit.manifest.save(path)"
        return cls.from_fields(read_fields(Path(path), "data", hint), Path(path).name)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], name: str) -> Manifest:
        """The manifest from plain values; `name` is that of the file, for errors."""
        try:
            return cls(fields["version"], fields["kernel"], fields["data"], int(fields["n_rows"]), fields["spec"])
        except (KeyError, TypeError, ValueError) as error:
            raise LawError(f"`{name}`: the manifest in it is damaged", code="damaged-artifact") from error

    @property
    def fields(self) -> dict[str, Any]:
        """Plain values, as they stand in the file."""
        return {
            "schema_version": SCHEMA_VERSION,
            "version": self.version,
            "kernel": self.kernel,
            "data": self.data,
            "n_rows": self.n_rows,
            "spec": dict(self.settings),
        }

    @property
    def spec(self) -> FitSpec:
        """The spec, read from its plain values. Raises LawError, `expression-not-stored`, `damaged-artifact`."""
        return read_spec(self.settings)

    def save(self, path: str | Path) -> None:
        """Writes JSON."""
        write_fields(self.fields, Path(path))


def data_hash(rows: Rows) -> str:
    """SHA-256 over the names and the float64 values (little-endian) of the bound columns."""
    digest = hashlib.sha256()
    for name, values in rows.arrays.items():
        digest.update(f"{name}\0{len(values)}\0".encode())
        digest.update(values.astype("<f8", copy=False).data)
    return f"sha256:{digest.hexdigest()}"
