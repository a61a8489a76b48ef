"""How a fit is resampled: `Bootstrap` and `Jackknife`, the settings of `resample=`.

Stage: settings of a fit. In: what the user gives. Out: frozen, comparable values. Weights and index sets are kept as they
were given; their numbers are checked by the core. Loads neither NumPy nor Polars.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from scalefast._base.errors import SettingsError
from scalefast._base.suggest import did_you_mean
from scalefast._base.wording import Advice, Phrase

__all__ = ["Bootstrap", "IntervalKind", "Jackknife", "Resample"]

Kind = Literal["pairs", "bayesian", "fraction", "residual", "wild", "wild-webb"]
IntervalKind = Literal["percentile", "expanded", "basic", "bca", "normal"]
#: Clusters from which on expanded percentiles, and BCa, were shown to cover; see docs/coverage.md.
_SOME_CLUSTERS, _MANY_CLUSTERS = 10, 50
Search = Literal["global", "estimate"]

#: Replicates where no number is given: enough for 5 and 95 % quantiles to within about 3 % of a standard error's tail rank.
_REPLICATES = 1000
#: Numbers of replicates are 32 bits of a counter.
_MOST_REPLICATES = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Fits the law again and again to resampled rows; every replicate is optimised by itself.

    Parameters
    ----------
    replicates: how many, 1,000 unless given; `range(a, b)` computes those alone, with the same bytes as within the whole.
    kind: `pairs` draws rows (or clusters) with replacement; `bayesian` weighs them by a flat Dirichlet law; `fraction`
        draws a share without replacement; `residual` exchanges residuals between rows; `wild` and `wild-webb` multiply
        each residual by a random sign (Rademacher) or by one of six points (Webb, for few clusters).
    cluster: column of the unit that is drawn whole; None: the `run=` of the fit, else each row by itself.
    strata: column within whose values rows (or clusters) are drawn, such as the budget of IsoFLOP curves.
    fraction: the share of `fraction`, between 0 and 1. Intervals are widened by sqrt(f/(1 - f)), since fits to a large
        share of the same rows lie too close together.
    interval: `percentile`, `expanded` (further out, by Student's quantile of so few units), `basic`, `bca` (also fits with each
        unit, or block of many, left out) or `normal`. None: `expanded` for `pairs` of 10 to 49 clusters; `bca` for `pairs` and
        `bayesian` where there are no more units than replicates, at least 50 if they are clusters, and no parameter lies on
        its bound; else `percentile`.
    search: `global` starts each replicate from several places; `estimate` from the fit's own estimate alone, as published
        bootstraps do.
    weights: your own factors of the weights, replicates by rows. indices: your own sets of row numbers, replicates by
        draws. Both speak of the rows in use, from 0, after `where` and `drop_invalid`.

    Raises SettingsError (`bad-resample`).

    >>> Bootstrap(4000, cluster="run")
    Bootstrap(4000, kind='pairs', cluster='run')
    """

    replicates: int | range | None = None
    kind: Kind | None = None
    cluster: str | None = None
    strata: str | None = None
    fraction: float | None = None
    interval: IntervalKind | None = None
    search: Search = "global"
    weights: Any = None
    indices: Any = None

    def __post_init__(self) -> None:
        given = [name for name in ("weights", "indices") if getattr(self, name) is not None]
        if len(given) + (self.kind is not None or self.fraction is not None) > 1:
            implied = {"weights", "indices"} & set(given)
            raise _bad(f"{' and '.join(sorted(implied))}: give one way to resample, weights, indices or a kind")
        if self.kind is None and not given:
            object.__setattr__(self, "kind", "pairs" if self.fraction is None else "fraction")
        if self.replicates is None and not given:
            object.__setattr__(self, "replicates", _REPLICATES)
        for name, choices in (("kind", Kind), ("interval", IntervalKind), ("search", Search)):
            value = getattr(self, name)
            if value is not None and value not in get_args(choices):
                raise _bad(f"{name} {value!r} is not known", did_you_mean(str(value), get_args(choices), f"{name}s"))
        if self.kind != "fraction" and self.fraction is not None:
            raise _bad(f"a fraction goes with the kind `fraction`; got {self.kind!r}")
        if self.kind == "fraction" and not (_number(self.fraction) and 0 < self.fraction < 1):  # type: ignore[operator]
            raise _bad(f"a fraction must lie between 0 and 1; got {self.fraction!r}")
        if self.kind == "residual" and self.cluster is not None:
            raise _bad(
                "residuals are exchanged between rows, which breaks up clusters",
                Advice("use ", Phrase("kind='wild' or 'pairs'", "--resample wild:1000 or pairs:1000")),
            )
        for name in ("cluster", "strata"):
            if not isinstance(getattr(self, name), str | None):
                raise _bad(f"{name} must be the name of a column")
        _check_replicates(self.replicates)

    @property
    def numbers(self) -> tuple[int, int] | None:
        """First replicate and the one after the last; None for all that were given."""
        if self.replicates is None:
            return None
        if isinstance(self.replicates, range):
            return self.replicates.start, self.replicates.stop
        return 0, self.replicates

    @property
    def read_as(self) -> IntervalKind:
        """The kind of interval, percentiles where none is settled."""
        return self.interval or "percentile"

    @property
    def scheme(self) -> str:
        """The kind, or `weights` or `indices` where these were given."""
        return self.kind or ("weights" if self.weights is not None else "indices")

    def settled(self, units: int, replicates: int, clustered: bool = False, held: bool = False) -> Bootstrap:
        """The same with a kind of interval: of the two that stand on the draws alone BCa covers best where rows are few, and
        percentiles where clusters are (with 8, 20 and 40 BCa covers 64, 70 and 80 % instead of 90) or a bound is active."""
        if self.interval is not None:
            return self
        if self.kind == "pairs" and clustered and _SOME_CLUSTERS <= units < _MANY_CLUSTERS:
            return replace(self, interval="expanded")
        suits = self.kind in ("pairs", "bayesian") and units <= replicates
        shown = not held and (not clustered or units >= _MANY_CLUSTERS)
        return replace(self, interval="bca" if suits and shown else "percentile")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bootstrap) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key()[:-2])

    def __repr__(self) -> str:
        shown = [] if self.replicates is None else [repr(self.replicates)]
        shown += [f"kind={self.kind!r}"] if self.kind else []
        shown += [f"{name}=..." for name in ("weights", "indices") if getattr(self, name) is not None]
        for name, default in (("cluster", None), ("strata", None), ("fraction", None)):
            shown += [f"{name}={getattr(self, name)!r}"] if getattr(self, name) != default else []
        shown += [f"interval={self.interval!r}"] if self.interval is not None else []
        shown += [f"search={self.search!r}"] if self.search != "global" else []
        return f"Bootstrap({', '.join(shown)})"

    def _key(self) -> tuple[Any, ...]:
        plain = (self.replicates, self.kind, self.cluster, self.strata, self.fraction, self.interval, self.search)
        return (*plain, _listed(self.weights), _listed(self.indices))


@dataclass(frozen=True)
class Jackknife:
    """Fits the law with each row, run or budget left out: `fit.influence` shows what each of them does.

    Parameters
    ----------
    by: column whose values are left out one at a time; None: the `run=` of the fit, else each row.
    budget: FLOPs at which the change of the best N is shown too.

    Raises SettingsError (`bad-resample`).

    >>> Jackknife(by="C", budget=1e24)
    Jackknife(by='C', budget=1e+24)
    """

    by: str | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.by, str | None):
            raise _bad("by must be the name of a column")
        if self.budget is not None and not (_number(self.budget) and self.budget > 0):
            raise _bad(f"the budget must be a positive number of FLOPs; got {self.budget!r}")


Resample = Bootstrap | Jackknife


def _check_replicates(replicates: int | range | None) -> None:
    if isinstance(replicates, range):
        if replicates.step != 1 or not 0 <= replicates.start < replicates.stop <= _MOST_REPLICATES:
            raise _bad(f"replicates must be a range of numbers from 0 in steps of 1; got {replicates!r}")
    elif replicates is not None and (
        not isinstance(replicates, int) or isinstance(replicates, bool) or not 0 < replicates <= _MOST_REPLICATES
    ):
        raise _bad(f"replicates must be a count or a range; got {replicates!r}")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _listed(values: Any) -> Any:
    """Arrays compare by their numbers."""
    return values.tolist() if hasattr(values, "tolist") else values


def _bad(message: str, hint: str | None = None) -> SettingsError:
    return SettingsError(f"resample: {message}", code="bad-resample", argument="resample", hint=hint)
