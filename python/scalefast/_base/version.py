"""Which format a file was written in: an artifact or a manifest of a later one is refused.

In: the `schema_version` of a file. Standard library only.
"""

from __future__ import annotations

from typing import Any

from scalefast._base.errors import LawError

__all__ = ["SCHEMA_VERSION", "check_version"]


SCHEMA_VERSION = 1


def check_version(version: Any, name: str, what: str) -> None:
    """Refuses a file of a later format, or of none."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise LawError(f"`{name}`: schema_version must be a whole number; got {version!r:.20}", code="damaged-artifact")
    if version > SCHEMA_VERSION:
        raise LawError(
            f"`{name}` has schema_version {version}; this scalefast reads up to {SCHEMA_VERSION}",
            code="newer-manifest" if what == "manifest" else "newer-artifact",
            value=float(version),
            limit=float(SCHEMA_VERSION),
            hint="update scalefast to read it",
        )
