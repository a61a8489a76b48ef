"""Manifests as JSON files: read with a reason for whatever is wrong, written whole.

In: a path, the fields. Out: the fields, a file in UTF-8. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scalefast._base.atomic import written_whole
from scalefast._base.errors import LawError
from scalefast._base.version import check_version

__all__ = ["read_fields", "write_fields"]


def read_fields(path: Path, essential: str, hint: str) -> dict[str, Any]:
    """The fields of a manifest of the kind that has the field `essential`."""
    name = path.name
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise LawError(f"manifest `{name}` cannot be read: {reason}", code="unreadable-file") from error
    except (ValueError, RecursionError) as error:
        raise LawError(f"`{name}` is not a manifest: it is not JSON", code="foreign-manifest") from error
    if not isinstance(fields, dict) or "schema_version" not in fields:
        raise LawError(f"`{name}` is not a manifest", code="foreign-manifest", hint=hint)
    if essential not in fields:
        made_by = f"`scalefast {fields.get('command', 'fit')}`"
        raise LawError(f"`{name}` is a manifest of {made_by:.80}, not of this", code="foreign-manifest", hint=hint)
    check_version(fields["schema_version"], name, "manifest")
    return fields


def write_fields(fields: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(fields, indent=2, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
