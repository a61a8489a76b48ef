"""Rows on which a law has no value, whatever its parameters are.

Stage: between the check of the values and the core. In: a law, `m` rows of its variables, what is known of its parameters.
Out: which rows, and why in words. The analysis is the core's (`rust/expr/src/domain.rs`); nothing is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalefast._data.frames import FloatArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scalefast._core import System
    from scalefast._forms.form import LawFile

__all__ = ["Fault", "Undefined", "undefined_rows"]


@dataclass(frozen=True)
class Fault:
    """What a law makes of a value that it must not have: `subject` must be `must` because the law `because`.

    `symbol` is the subject where that is a variable by itself.
    """

    subject: str
    symbol: str | None
    must: str
    because: str

    def __str__(self) -> str:
        return f"{self.subject} must be {self.must} because the law {self.because}"


@dataclass(frozen=True)
class Undefined:
    """The rows on which a law is undefined: for each of `m` rows the position among the faults, or -1."""

    rows: NDArray[np.int32]
    faults: Sequence[Fault]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Whether each row is at fault."""
        found: NDArray[np.bool_] = self.rows >= 0
        return found

    @property
    def blames_law(self) -> bool:
        """Whether every row is at fault and none by a value of its own, as for `log(-A**2*N)`: the law is wrong, not the rows."""
        return bool(self.mask.all()) and not any(fault.symbol for fault in self.faults)

    def counted(self) -> str:
        """Every fault with the number of its rows."""
        return "; ".join(f"{(self.rows == place).sum()} where {fault}" for place, fault in enumerate(self.faults))


def undefined_rows(
    form: LawFile,
    system: System,
    arrays: Mapping[str, FloatArray],
    *,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    values: Mapping[str, float] | None = None,
) -> Undefined | None:
    """The rows on which an output of the law has no value for any parameters; None where there is no such row.

    `arrays` holds the variables, and parameters where columns hold them; `bounds` limits others, `values` settles them.
    Rows that hold NaN or infinity are not looked at.
    """
    own = {name: entry.bounds for name, entry in form.parameters.items() if entry.bounds is not None}
    limits = {**own, **(bounds or {}), **{name: (value, value) for name, value in (values or {}).items()}}
    symbols = {*form.variables, *form.parameters}
    found = system.undefined(
        list(form.outputs),
        {name: values for name, values in arrays.items() if name in symbols},
        [
            (name, -math.inf if low is None else float(low), math.inf if high is None else float(high))
            for name, (low, high) in limits.items()
            if name not in arrays
        ],
    )
    if found is None:
        return None
    rows, faults = found
    return Undefined(rows, [Fault(*fault) for fault in faults])
