"""The compiled core: formulas, fits, allocations. Private; arrays are contiguous float64."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

class System:
    @staticmethod
    def parse(outputs: Sequence[tuple[str, str]], definitions: Sequence[tuple[str, str]]) -> System: ...
    def outputs(self) -> list[str]: ...
    def symbols(self) -> list[str]: ...
    def print(self, output: str) -> str: ...
    def latex(self, output: str) -> str: ...
    def nodes(self, output: str) -> list[tuple[str, Any, int, int]]: ...
    def evaluate(
        self,
        columns: Mapping[str, NDArray[np.float64]],
        scalars: Mapping[str, float],
        threads: int | None = None,
    ) -> dict[str, NDArray[np.float64]]: ...
