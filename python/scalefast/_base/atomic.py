"""Files that are written whole or not at all: under a temporary name beside the place, then renamed.

Stage: saving of fits, laws and manifests. In: the path. Out: the temporary path to write to. Standard library only.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["written_whole"]


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary name of the same suffix; the file takes its place when the block ends well, else it is removed."""
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
