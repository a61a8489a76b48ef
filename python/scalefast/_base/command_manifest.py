"""What a run of the command line was made of, so that it can be made again and give the same bytes.

Stage: beside a run of the command line. In: what was typed, or a file. Out: `CommandManifest` (version, command and options,
hashes of the files read, kernel). No time stamps: the same run writes the same bytes. Of the core only its version and the
name of its kernel are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scalefast._base.errors import LawError
from scalefast._base.jsonfile import read_fields, write_fields
from scalefast._base.version import SCHEMA_VERSION

__all__ = ["CommandManifest"]


def _version() -> str:
    from scalefast._core import __version__

    return __version__


def _kernel() -> str:
    from scalefast._core import kernel

    return kernel()


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
    version: str = field(default_factory=_version)
    kernel: str = field(default_factory=_kernel)

    @classmethod
    def read(cls, path: str | Path) -> CommandManifest:
        """The manifest in a file. Raises LawError: `unreadable-file`, `foreign-manifest`, `newer-manifest`."""
        name = Path(path).name
        hint = "manifests of commands are written by `scalefast COMMAND --manifest FILE`"
        fields = read_fields(Path(path), "command", hint)
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
        write_fields(fields, Path(path))
