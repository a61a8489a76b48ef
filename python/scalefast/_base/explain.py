"""Every code in one table: those of errors, from `error-codes.toml`, and those of a fit's findings.

Stage: beside all others, for people who met a code. In: nothing. Out: `Explanation`s, and the same as a frame.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scalefast._base.findings import TABLE

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Explanation", "codes", "explanations"]


class Explanation(NamedTuple):
    """What a code stands for.

    Attributes
    ----------
    code: stable kebab-case name.
    kind: `error`, or the severity of a finding, `info` or `warning`.
    subject: what errors of this kind are about, or `diagnostics`.
    meaning, remedy: sentences. value, limit: what the numbers of a finding are, where it has any.
    """

    code: str
    kind: str
    subject: str
    meaning: str
    remedy: str | None = None
    value: str | None = None
    limit: str | None = None


@cache
def explanations() -> tuple[Explanation, ...]:
    """All of them: errors by subject, then findings. A code that is both stands twice."""
    with (Path(__file__).parents[1] / "error-codes.toml").open("rb") as file:
        subjects = tomllib.load(file)
    errors = [
        Explanation(code, "error", subject, entry["means"], entry["do"])
        for subject, entries in subjects.items()
        for code, entry in entries.items()
    ]
    findings = [
        Explanation(
            code,
            kind.severity,
            "diagnostics",
            kind.meaning,
            kind.remedy or None,
            kind.value or None,
            kind.limit or None,
        )
        for code, kind in TABLE.items()
    ]
    return (*errors, *findings)


def codes() -> pl.DataFrame:
    """Every code of an error or a finding: code, kind (`error`, `warning`, `info`), subject, meaning, remedy, value, limit.

    >>> import scalefast as sf
    >>> sf.codes().filter(code="bad-grid")["remedy"].item()
    'Write low..high:count, such as 1e20..1e26:61.'
    """
    import polars as pl

    return pl.DataFrame(explanations(), schema=dict.fromkeys(Explanation._fields, pl.String), orient="row")
