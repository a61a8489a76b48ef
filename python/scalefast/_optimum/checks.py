"""The check values of a published law, reproduced.

Stage: when a law is questioned itself. In: a law of the catalogue or of a file. Out: a frame of one row a number.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from scalefast._laws.law import Law
from scalefast._optimum.best import best_split

__all__ = ["check_law"]


def check_law(law: Law) -> pl.DataFrame:
    """The check values of the law's published set against what the law gives.

    Parameters
    ----------
    law
        A law of the catalogue or of a file.

    Returns
    -------
    frame
        One row a number: check, output, expected, found, tolerance (relative), ok. No row for a law that is not published.

    Raises
    ------
    LawError
        What predicting or splitting a budget with the law raises.

    Examples
    --------
    >>> import scalefast as sf
    >>> sf.check_law(sf.law("hoffmann-2022"))["ok"].all()
    True
    """
    rows: list[dict[str, Any]] = []
    for entry in law.published.checks if law.published else ():
        if entry.at is not None:
            found = law.predict(dict(entry.at)).row(0, named=True)
            where = ", ".join(f"{name}={value:g}" for name, value in entry.at.items())
        else:
            assert entry.budget is not None
            found = best_split(law, entry.budget, entry.given)
            where = ", ".join(
                [f"budget={entry.budget:g}", *(f"{name}={value:g}" for name, value in entry.given.items())]
            )
        for output, expected in entry.gives.items():
            value = found.get(output)
            ok = value is not None and abs(value - expected) <= entry.tolerance * abs(expected)
            rows.append(
                {
                    "check": where,
                    "output": output,
                    "expected": expected,
                    "found": value,
                    "tolerance": entry.tolerance,
                    "ok": ok,
                }
            )
    floats = dict.fromkeys(("expected", "found", "tolerance"), pl.Float64)
    return pl.DataFrame(rows, schema={"check": pl.String, "output": pl.String, **floats, "ok": pl.Boolean})
