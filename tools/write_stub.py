"""The stub of the package's public names, for type checkers: written from the table in `scalefast/__init__.py`.

In: the table. Out: `python/scalefast/__init__.pyi`; a test compares it. `python tools/write_stub.py` writes it.
"""

from __future__ import annotations

from pathlib import Path

import scalefast

PATH = Path(__file__).parents[1] / "python" / "scalefast" / "__init__.pyi"


def stub() -> str:
    """The text of the stub: one import a name."""
    homes = [(module, name) for module, names in scalefast._PUBLIC.items() for name in names.split()]
    lines = [f"from scalefast.{module} import {name} as {name}" for module, name in homes]
    names = [f'    "{name}",' for name in scalefast.__all__]
    head = ["# Written by tools/write_stub.py from the table in __init__.py.", "from scalefast import units as units"]
    tail = ["", "_PUBLIC: dict[str, str]"]
    return "\n".join([*head, *lines, "", "__all__ = [", *names, "]", *tail]) + "\n"


if __name__ == "__main__":
    PATH.write_text(stub(), encoding="utf-8")
