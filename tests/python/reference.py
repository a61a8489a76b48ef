"""The reference data beside the repository, for tests that need them; elsewhere those tests skip."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import scalefast as sf


def folder() -> Path:
    """The folder that SCALEFAST_REFERENCE_DATA names; skips where it names none."""
    named = os.environ.get("SCALEFAST_REFERENCE_DATA")
    if not named:
        pytest.skip("SCALEFAST_REFERENCE_DATA is not set")
    return Path(named)


def epoch_rows(count: int = 240) -> pl.DataFrame:
    """The points of Hoffmann et al., figure 4: all 245, or without the five highest losses."""
    rows = pl.read_csv(folder() / "epoch_chinchilla.csv")
    fifth = rows["loss"].sort(descending=True)[4]
    return rows if count == 245 else rows.filter(pl.col("loss") < fifth)


def epoch_reference() -> dict[str, Any]:
    """The minima and the bootstrap that belong to them."""
    return dict(json.loads((folder() / "epoch_reference.json").read_text()))


def grid(law: str = "hoffmann-2022", sizes: int = 6, lengths: int = 5) -> pl.DataFrame:
    """Noise-free runs of a law: N from 1e8 to 1e10, D from 1e9 to 1e12."""
    n = [10 ** (8 + 2 * i / (sizes - 1)) for i in range(sizes)]
    d = [10 ** (9 + 3 * i / (lengths - 1)) for i in range(lengths)]
    points = {"N": [x for x in n for _ in d], "D": [y for _ in n for y in d]}
    return sf.law(law).predict(points)


def close(found: float | None, expected: float | None, tolerance: float) -> bool:
    """Whether two numbers agree to a relative tolerance; a value that is missing agrees with none."""
    return found is not None and expected is not None and abs(found - expected) <= tolerance * abs(expected)
