"""What a plan was asked, the same for every law, and the part of each law in it.

Stage: between a plan's arguments and its choice. In: what is spent, settled, given and bounded. Out: a `Case` a law; what is
contradictory, missing or unfit for a plan is an error that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scalefast._base.errors import LawError, SettingsError
from scalefast._base.scale import refuse_scaled
from scalefast._base.wording import Advice, Argument, Phrase
from scalefast._laws.arguments import choose_draws, law_name, stated_cost
from scalefast._laws.law import Law
from scalefast._optimum.frontier import is_frontier
from scalefast._optimum.question import Bound, ends
from scalefast._planning.case import Calls, Case
from scalefast._planning.means import Means
from scalefast._planning.resources import Serving

__all__ = ["Asked", "check_numbers", "check_question", "read_weights"]

#: Draws of uncertain hardware where the law has none of its own.
HARDWARE_DRAWS = 4000


@dataclass(frozen=True)
class Asked:
    """What was asked, the same for every law."""

    means: Means
    stated: Mapping[str, float]
    calls: Calls
    cost: str | None
    serving: Serving
    unique: float | None
    given: Mapping[str, float | str]
    bounds: Mapping[str, Bound]
    draws: Any
    seed: int

    def case(self, law: Law, first: bool) -> Case:
        """The part of one law; a frame of draws is the first one's."""
        name = law_name(law)
        if is_frontier(law) or "N" in law.outputs:
            raise LawError(
                f"`{name}` gives a size at a budget but no loss, so there is no regret to weigh",
                code="no-loss",
                hint="sf.sweep and `scalefast sweep` answer it; a plan takes laws of N and D",
            )
        refuse_scaled(law.fitted_range, name)
        settled, limited = self._settled(law)
        _check_within(name, limited, self.stated, self.unique)
        matrix = choose_draws(law, self.draws if first or isinstance(self.draws, int) else None)
        columns = {} if matrix is None else dict(zip(law.parameters, matrix, strict=True))
        count = next((len(column) for column in columns.values()), HARDWARE_DRAWS if self.means.uncertain else 0)
        if isinstance(self.draws, int) and not columns:
            count = min(count, self.draws)
        return Case(
            law,
            name,
            stated_cost(law, self.cost),
            self.serving.formula,
            {} if self.serving.tokens is None else {"T": self.serving.tokens},
            settled,
            limited,
            self.means,
            columns,
            self.seed,
            count,
            self.calls,
        )

    def _settled(self, law: Law) -> tuple[dict[str, float | str], dict[str, Bound]]:
        """What is given and bounded under a law: unique tokens are a variable of it, or a bound of D."""
        for symbol in ("N", "D"):
            if symbol in self.given:
                rule = isinstance(self.given[symbol], str)
                hint = "use sf.sweep for rules such as D=20*N" if rule else Advice(Argument(symbol), " settles it")
                message = f"given: `{symbol}` is what a plan chooses"
                raise SettingsError(message, code="bad-given", argument="given", column=symbol, hint=hint)
        settled = dict(self.given)
        limited = {name: ends(bound) for name, bound in self.bounds.items()}
        if self.unique is not None and "U" in law.variables:
            settled["U"] = self.unique
        elif self.unique is not None:
            low, high = limited.get("D", (None, None))
            limited["D"] = (low, self.unique if high is None else min(high, self.unique))
        return settled, limited


def _check_within(law: str, limited: Mapping[str, Bound], stated: Mapping[str, float], unique: float | None) -> None:
    """A size or data that is settled lies within the bounds."""
    for name, (low, high) in limited.items():
        value = stated.get(name)
        if value is None or ((low or 0.0) <= value and (high is None or value <= high)):
            continue
        if name == "D" and unique is not None and high == unique and value > high:
            raise SettingsError(
                f"D = {value:g} repeats the {high:g} unique tokens, of which `{law}` knows nothing",
                code="contradictory",
                column=name,
                value=value,
                limit=high,
                hint="name a law of unique tokens, such as muennighoff-2023",
            )
        limit = high if high is not None and value > high else low
        raise SettingsError(
            f"{name} = {value:g} lies outside of its own bounds",
            code="contradictory",
            column=name,
            value=value,
            limit=limit,
        )


def check_numbers(seed: Any, bounds: Any) -> None:
    """Raises SettingsError: `bad-seed`, `bad-bounds`."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        message = f"seed must be a whole number from 0 to 2**64 - 1; got {seed!r:.60}"
        raise SettingsError(message, code="bad-seed", argument="seed")
    for name, bound in (bounds or {}).items():
        if not (isinstance(bound, tuple | list) and len(bound) == 2):
            hint = f'write {{"{name}": (None, 8e9)}}'
            message = f"bounds of {name} must be a pair; got {bound!r:.60}"
            raise SettingsError(message, code="bad-bounds", argument="bounds", column=name, hint=hint)


def check_question(stated: Mapping[str, float], means: Means) -> None:
    names = set(stated)
    if not names and not means.limits:
        raise SettingsError(
            "there is nothing to plan from",
            code="bad-question",
            hint=Advice(
                "give a limit, such as ",
                Argument("budget", 1e24),
                ", ",
                Argument("dollars", 1e7),
                " or ",
                Argument("accelerators", "100xA100"),
                " with ",
                Argument("days", 30),
                "; or N, D or L, such as ",
                Phrase("N=70e9", "N=70B"),
            ),
        )


def read_weights(given: Sequence[float] | None, laws: Sequence[Law]) -> list[float]:
    """One weight per law, of sum 1; without weights the first law decides."""
    if given is None:
        return [1.0] + [0.0] * (len(laws) - 1)
    try:
        values = [float(value) for value in given]
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"weights must be numbers; got {given!r:.60}", code="bad-weights", argument="weights"
        ) from error
    if len(values) != len(laws):
        raise SettingsError(
            f"{len(values)} weights for {len(laws)} laws",
            code="bad-weights",
            argument="weights",
            value=float(len(values)),
            limit=float(len(laws)),
            hint="name the laws, and give one weight each in their order",
        )
    total = sum(values)
    if any(not value >= 0 for value in values) or not 0 < total < float("inf"):
        raise SettingsError(
            "weights must not be negative, and one at least must lie above zero", code="bad-weights", argument="weights"
        )
    if values[0] == 0:
        raise SettingsError(
            "the first law predicts the loss, so its weight must lie above zero", code="bad-weights", argument="weights"
        )
    for law, value in zip(laws, values, strict=True):
        if value > 0 and is_frontier(law):
            raise SettingsError(
                f"`{law_name(law)}` gives no loss, so it has no regret to weigh", code="bad-weights", argument="weights"
            )
    return [value / total for value in values]
