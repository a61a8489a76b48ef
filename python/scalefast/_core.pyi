"""The compiled core: formulas, fits, allocations. Private; arrays are contiguous float64.

What does not exist (a refused standard error, an allocation without an optimum) is NaN in an array.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]
_Interval: TypeAlias = tuple[float, float]
#: Name, bounds, fixed value, tie, transform, range of starts, level (base, column, indicator).
_Parameter: TypeAlias = tuple[Any, ...]

__version__: str

def kernel() -> str: ...

@final
class Call:
    def __new__(cls, timeout_s: float | None = None, watch: Callable[[int, int], object] | None = None) -> Call: ...

@final
class System:
    @staticmethod
    def parse(outputs: Sequence[tuple[str, str]], definitions: Sequence[tuple[str, str]]) -> System: ...
    @staticmethod
    def typed(text: str) -> tuple[System, list[tuple[str, str]], str]: ...
    def outputs(self) -> list[str]: ...
    def symbols(self) -> list[str]: ...
    def print(self, output: str) -> str: ...
    def latex(self, output: str) -> str: ...
    def nodes(self, output: str) -> list[tuple[str, Any, int, int]]: ...
    def evaluate(
        self, columns: Mapping[str, _Floats], scalars: Mapping[str, float], threads: int | None = None
    ) -> dict[str, _Floats]: ...
    def undefined(
        self, outputs: Sequence[str], columns: Mapping[str, _Floats], bounds: Sequence[tuple[str, float, float]]
    ) -> tuple[NDArray[np.int32], list[tuple[str, str | None, str, str]]] | None: ...

@final
class Problem:
    def __new__(
        cls,
        system: System,
        output: str,
        columns: Mapping[str, _Floats],
        response: _Floats,
        weights: _Floats | None,
        sigma: _Floats | None,
        parameters: Sequence[_Parameter],
        positive: Sequence[bool],
        residual: str,
        clusters: NDArray[np.uint32] | None,
    ) -> Problem: ...
    def fit(
        self, loss: tuple[str, Sequence[float]], starts: _Floats | None, threads: int | None, call: Call
    ) -> tuple[FitResult, BaseException | None]: ...
    def estimates(self, result: FitResult, level: float) -> dict[str, Any]: ...
    def derive(self, result: FitResult, formula: System, level: float) -> dict[str, Any]: ...
    def covariance(self, result: FitResult) -> tuple[_Floats | None, str, str | None]: ...
    def serial_deviate(self, result: FitResult, order: NDArray[np.uint32]) -> float: ...
    def residuals(self, result: FitResult) -> dict[str, _Floats]: ...
    def quantile(self, result: FitResult, level: float) -> float: ...
    def scatter(
        self, result: FitResult, level: float, repeat: bool, runs: NDArray[np.uint32] | None
    ) -> tuple[float, float, float, str]: ...

@final
class FitResult:
    @property
    def parameters(self) -> list[float]: ...
    @property
    def at_bound(self) -> list[bool]: ...
    @property
    def solved(self) -> tuple[int, int]: ...
    @property
    def objective(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def sigma(self) -> float: ...
    @property
    def quadratic_share(self) -> float: ...
    @property
    def loss(self) -> tuple[str, list[float]]: ...
    def certificate(self) -> dict[str, Any]: ...
    def starts(self) -> dict[str, Any]: ...

def sweep(
    law: System,
    output: str,
    cost: System,
    free: tuple[str, str],
    names: Sequence[str],
    values: _Floats,
    draws: _Floats | None,
    budgets: _Floats,
    quantiles: Sequence[float],
    threads: int | None,
    call: Call,
    pinned_names: Sequence[str] = ...,
    pinned: Sequence[_Floats] = ...,
    plan_loss: bool = ...,
    keep: bool = ...,
) -> dict[str, Any]: ...
def answer(
    law: System,
    output: str,
    spending: System,
    aim: str,
    free: Sequence[str],
    bounds: Sequence[tuple[float | None, float | None]],
    names: Sequence[str],
    values: _Floats,
    draws: _Floats | None,
    targets: _Floats,
    quantiles: Sequence[float],
    threads: int | None,
    call: Call,
    pinned_names: Sequence[str] = ...,
    pinned: Sequence[_Floats] = ...,
    plan_loss: bool = ...,
    keep: bool = ...,
) -> dict[str, Any]: ...

@final
class Stake:
    def __new__(
        cls,
        law: System,
        output: str,
        spending: System,
        free: tuple[str, str],
        bounds: Sequence[tuple[float | None, float | None]],
        numbers: Mapping[str, float],
        columns: Mapping[str, _Floats],
        targets: _Floats,
    ) -> Stake: ...
    def best(self, threads: int | None, call: Call) -> dict[str, Any]: ...
    def at(self, first: float, threads: int | None, call: Call) -> dict[str, Any]: ...
    def cheapest(self, losses: _Floats, threads: int | None, call: Call) -> dict[str, Any]: ...

def least_regret(stakes: Sequence[Stake], weights: Sequence[float], threads: int | None, call: Call) -> float: ...
def indifference(
    stakes: Sequence[Stake],
    weights: Sequence[float],
    first: float,
    share: float,
    threads: int | None,
    call: Call,
) -> tuple[float, float]: ...
def quantity(
    seed: int, series: int, kind: str, numbers: tuple[float, float], limits: tuple[float, float], count: int
) -> _Floats | None: ...
def describe(values: _Floats, probabilities: Sequence[float]) -> tuple[int, float, float, list[float]]: ...
def sobol(dimension: int, count: int) -> list[_Floats]: ...
def resample(
    problem: Problem,
    result: FitResult,
    kind: str,
    fraction: float | None,
    weights: _Floats | None,
    indices: NDArray[np.int64] | None,
    units: NDArray[np.uint32] | None,
    strata: NDArray[np.uint32] | None,
    seed: int,
    replicates: tuple[int, int] | None,
    search: tuple[bool, bool],
    call: Call,
) -> dict[str, Any]: ...
def expanded_level(level: float, units: int) -> float: ...
def intervals(
    kind: str,
    level: float,
    estimates: Sequence[float],
    draws: Sequence[_Floats],
    left_out: Sequence[_Floats] | None,
    scale: float,
) -> dict[str, _Floats]: ...
def normals(seed: int, series: int, places: NDArray[np.uint64]) -> _Floats: ...
def students(seed: int, series: tuple[int, int], degrees: int, places: NDArray[np.uint64]) -> _Floats: ...
def choices(seed: int, series: int, places: NDArray[np.uint64], bound: int) -> NDArray[np.uint64]: ...
def result_state(result: FitResult) -> dict[str, Any]: ...
def restore_result(state: dict[str, Any]) -> FitResult: ...
def profile(problem: Problem, result: FitResult, formula: str, level: float, call: Call) -> dict[str, Any]: ...
def predict_with_error(
    system: System,
    output: str,
    columns: Mapping[str, _Floats],
    scalars: Sequence[tuple[str, float]],
    parameters: Sequence[str],
    covariance: _Floats,
    threads: int | None,
) -> tuple[_Floats, _Floats]: ...
def error_band(values: _Floats, std_errors: _Floats, quantile: float, log: bool) -> tuple[_Floats, _Floats]: ...
def scatter_band(
    values: _Floats,
    lower: _Floats,
    upper: _Floats,
    scatter: tuple[float, float, float],
    sigma: _Floats | None,
    log: bool,
) -> tuple[_Floats, _Floats]: ...
def draw_band(
    system: System,
    output: str,
    points: Mapping[str, _Floats],
    values: _Floats,
    draws: Mapping[str, _Floats],
    left_out: Mapping[str, _Floats] | None,
    kind: str,
    level: float,
    scale: float,
    threads: int | None,
    call: Call,
) -> tuple[_Floats, _Floats]: ...
def aicc(objective: float, rows: int, free: int, logged: _Floats | None) -> float | None: ...
def prediction_errors(predicted: _Floats, measured: _Floats) -> tuple[float, float, float] | None: ...
def study_cuts(compute: _Floats, count: int) -> list[float]: ...
def decades(near: float, far: float) -> float: ...
def log_correlation(first: _Floats, second: _Floats) -> float: ...
def scale_correlation(columns: Sequence[_Floats], values: _Floats) -> float: ...
def trend(scale: _Floats, value: _Floats) -> tuple[float, bool] | None: ...
def log_gaps(values: _Floats, offsets: NDArray[np.uint64], threads: int | None, call: Call) -> _Floats: ...
def fit_groups(
    system: System,
    output: str,
    columns: Mapping[str, _Floats],
    response: _Floats,
    weights: _Floats | None,
    offsets: NDArray[np.uint64],
    parameters: Sequence[_Parameter],
    positive: Sequence[bool],
    residual: str,
    loss: tuple[str, Sequence[float]],
    errors: str,
    threads: int | None,
    call: Call,
) -> dict[str, Any]: ...
def group_statuses() -> list[str]: ...
def group_trusts() -> list[str | None]: ...
