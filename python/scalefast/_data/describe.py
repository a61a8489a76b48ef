"""A column in a few numbers, by the core's arithmetic.

Stage: wherever draws become one row. In: `K` values, some of them NaN. Out: their mean, their quantiles.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scalefast._core import describe
from scalefast._data.frames import FloatArray

__all__ = ["mean", "quantiles"]


def mean(values: FloatArray) -> float:
    """The mean of the values that are not NaN, summed in order."""
    return describe(np.ascontiguousarray(values), [])[1]


def quantiles(values: FloatArray, probabilities: Iterable[float]) -> list[float]:
    """Quantiles of the values that are not NaN."""
    return describe(np.ascontiguousarray(values), list(probabilities))[3]
