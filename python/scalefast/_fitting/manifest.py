"""Manifests: what a fit or a command was made of, so that it can be made again and give the same bytes.

Stage: beside a fit, or a run of the command line. In: a `Fit`, or what was typed, or a file. Out: `Manifest` (version,
spec, data hash over the bound columns, kernel) or `CommandManifest` (version, command and options, hashes of the files
read, kernel). No time stamps: the same run writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalefast import _core
from scalefast._base.atomic import written_whole
from scalefast._base.errors import DataError, LawError, SettingsError
from scalefast._fitting.plainspec import plain_spec, read_spec
from scalefast._fitting.spec import HOW_IT_RUNS

if TYPE_CHECKING:
    from scalefast._data.rows import Rows
    from scalefast._fitting.fit import Fit
    from scalefast._fitting.spec import FitSpec

__all__ = ["SCHEMA_VERSION", "CommandManifest", "Manifest", "check_version", "data_hash"]

SCHEMA_VERSION = 1


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
    >>> fit.manifest.repeat(runs) == fit
    True
    """

    version: str
    kernel: str
    data: str
    n_rows: int
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, fit: Fit) -> Manifest:
        """The manifest of a fit."""
        return cls(_core.__version__, _core.kernel(), data_hash(fit._rows), fit.n_rows, plain_spec(fit.spec))

    @classmethod
    def read(cls, path: str | Path) -> Manifest:
        """The manifest in a file. Raises LawError: `unreadable-file`, `foreign-manifest`, `newer-manifest`."""
        hint = "manifests of fits are written by `scalefast fit --manifest FILE` and fit.manifest.save(path)"
        return cls.from_fields(_read_fields(Path(path), "data", hint), Path(path).name)

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
        _write_fields(self.fields, Path(path))

    def repeat(self, runs: Any, **how: Any) -> Fit:
        """The same fit again.

        `how` takes the settings of `sf.fit` that change no result: threads, progress, timeout_s, on_interrupt, draws_to,
        overwrite. Raises DataError, `other-data`, where the bound columns of `runs` are not the same; SettingsError,
        `repeat-with-settings`, for any other setting.
        """
        for name in how:
            if name not in HOW_IT_RUNS:
                message = f"the manifest settles everything that changes the result, and {name}= is given too"
                raise SettingsError(message, code="repeat-with-settings", hint=f"leave out {name}=")
        fit = self.spec.replace(**how).fit(runs)
        found = data_hash(fit._rows)
        if found != self.data:
            raise DataError(
                f"these are not the rows of the manifest: {found[:20]}… of {fit.n_rows} rows, "
                f"not {self.data[:20]}… of {self.n_rows}",
                code="other-data",
                value=float(fit.n_rows),
                limit=float(self.n_rows),
                hint="repeat with the file, the order of rows and the columns of the first run",
            )
        return fit


@dataclass(frozen=True)
class CommandManifest:
    """What a run of the command line was made of; `scalefast COMMAND --repeat FILE` runs it again.

    Attributes
    ----------
    command: its name, such as `sweep`.
    options: what was typed after each option, in the order of the help; True for a flag. Without options that change no
        result: format and place of the output, threads, time limits.
    arguments: what was typed without an option.
    inputs: name and SHA-256 (`sha256:…`) of every file that was read, `-` for stdin, in the order of the command line.
    version, kernel: of the scalefast that ran; results do not depend on the kernel.

    >>> found = CommandManifest("sweep", {"--budget": ["1e24"]}, (), ())
    >>> found.save("manifest.json")
    >>> CommandManifest.read("manifest.json") == found
    True
    """

    command: str
    options: Mapping[str, Any]
    arguments: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...]
    version: str = _core.__version__
    kernel: str = field(default_factory=_core.kernel)

    @classmethod
    def read(cls, path: str | Path) -> CommandManifest:
        """The manifest in a file. Raises LawError: `unreadable-file`, `foreign-manifest`, `newer-manifest`."""
        name = Path(path).name
        hint = "manifests of commands are written by `scalefast COMMAND --manifest FILE`"
        fields = _read_fields(Path(path), "command", hint)
        try:
            return cls(
                str(fields["command"]),
                {str(option): value for option, value in fields["options"].items()},
                tuple(str(argument) for argument in fields["arguments"]),
                tuple((str(source), str(digest)) for source, digest in fields["inputs"]),
                str(fields["version"]),
                str(fields["kernel"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LawError(f"`{name}`: the manifest in it is damaged", code="damaged-artifact") from error

    def save(self, path: str | Path) -> None:
        """Writes JSON."""
        fields = {
            "schema_version": SCHEMA_VERSION,
            "version": self.version,
            "kernel": self.kernel,
            "command": self.command,
            "options": dict(self.options),
            "arguments": list(self.arguments),
            "inputs": [list(entry) for entry in self.inputs],
        }
        _write_fields(fields, Path(path))


def _read_fields(path: Path, essential: str, hint: str) -> dict[str, Any]:
    """The fields of a manifest of the kind that has the field `essential`."""
    name = path.name
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise LawError(f"manifest `{name}` cannot be read: {reason}", code="unreadable-file") from error
    except (ValueError, RecursionError) as error:
        raise LawError(f"`{name}` is no manifest: it is not JSON", code="foreign-manifest") from error
    if not isinstance(fields, dict) or "schema_version" not in fields:
        raise LawError(f"`{name}` is no manifest", code="foreign-manifest", hint=hint)
    if essential not in fields:
        made_by = f"`scalefast {fields.get('command', 'fit')}`"
        raise LawError(f"`{name}` is a manifest of {made_by:.80}, not of this", code="foreign-manifest", hint=hint)
    check_version(fields["schema_version"], name, "manifest")
    return fields


def _write_fields(fields: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def data_hash(rows: Rows) -> str:
    """SHA-256 over the names and the float64 values (little-endian) of the bound columns."""
    digest = hashlib.sha256()
    for name, values in rows.arrays.items():
        digest.update(f"{name}\0{len(values)}\0".encode())
        digest.update(values.astype("<f8", copy=False).data)
    return f"sha256:{digest.hexdigest()}"


def check_version(version: Any, name: str, what: str) -> None:
    """Refuses a file of a later format, or of none."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise LawError(f"`{name}`: schema_version {version!r:.20} is none", code="damaged-artifact")
    if version > SCHEMA_VERSION:
        raise LawError(
            f"`{name}` has schema_version {version}; this scalefast reads up to {SCHEMA_VERSION}",
            code="newer-manifest" if what == "manifest" else "newer-artifact",
            value=float(version),
            limit=float(SCHEMA_VERSION),
            hint="update scalefast to read it",
        )
