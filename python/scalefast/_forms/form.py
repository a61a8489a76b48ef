"""What a law file says, as frozen values: a form with its variables, parameters, recipe, source and published sets.

Stage: before any formula is parsed. In: nothing; `read` makes these values of a file, `write` a file of them. Standard
library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scalefast._forms.losses import Loss

__all__ = ["SCHEMA", "Check", "LawFile", "Parameter", "Published", "Recipe", "Source", "Variable"]

#: Of the format of law files.
SCHEMA = 1
#: Title of a saved law that was typed.
OWN_TITLE = "A law of one's own"


@dataclass(frozen=True)
class Variable:
    """What one symbol of a formula means, in which unit it is counted, and whether it must lie above zero.

    Where it need not, a value is refused only if the formula has none there.
    A variable with a `column` is not bound: it is 1 where that column `equals` the level, as text, and 0 elsewhere.
    """

    unit: str
    meaning: str = ""
    definition: str = ""
    positive: bool = False
    column: str = ""
    equals: str = ""


@dataclass(frozen=True)
class Parameter:
    """What may be known of a parameter before a fit: bounds, a range for starts, a transform (`log`, `identity`).

    `inferred` marks a name of a typed formula that was taken for a parameter since nothing said otherwise. A parameter of
    one level stands for the parameter `of` on the rows where the variable `level` is 1.
    """

    unit: str = ""
    meaning: str = ""
    bounds: tuple[float, float] | None = None
    start: tuple[float, float] | None = None
    transform: str = "auto"
    inferred: bool = False
    of: str = ""
    level: str = ""


@dataclass(frozen=True)
class Recipe:
    """How a law is fitted unless the user says otherwise."""

    residual: str
    loss: Loss


@dataclass(frozen=True)
class Source:
    """Where a law or its numbers were published."""

    authors: str
    year: int
    title: str = ""
    arxiv: str = ""
    place: str = ""


@dataclass(frozen=True)
class Check:
    """A number to be reproduced; `tolerance` is relative.

    Outputs `at` given variables, or the optimum at a `budget`, with variables that are `given` beside it.
    """

    gives: Mapping[str, float]
    tolerance: float
    at: Mapping[str, float] | None = None
    budget: float | None = None
    given: Mapping[str, float] = field(default_factory=dict)
    origin: str = ""


@dataclass(frozen=True)
class Published:
    """One published set of parameters of a form, with the conventions it holds under.

    `values` are empty where the source names the form and keeps its constants: a form to be fitted, as the source did.
    `caution` says what the numbers must not be used for.
    """

    id: str
    values: Mapping[str, float]
    n_definition: str
    confidence: str
    source: Source | None = None
    std_error: Mapping[str, float] = field(default_factory=dict)
    covariance: tuple[tuple[float, ...], ...] | None = None
    draws: str | None = None
    flop_rule: str = ""
    corpus: str = ""
    tokeniser: str = ""
    fitted_range: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    method: str = ""
    rounded: bool = False
    errata: str = ""
    caution: str = ""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class LawFile:
    """A functional form with its published sets. Exactly one of `formula` and `outputs` stands in the file.

    `outputs` are formulas by name, L alone where the file has a `formula`; `meanings` tells what some outputs are.
    """

    id: str
    title: str
    outputs: Mapping[str, str]
    definitions: Mapping[str, str]
    variables: Mapping[str, Variable]
    parameters: Mapping[str, Parameter]
    cost: str | None
    recipe: Recipe | None
    source: Source | None
    published: tuple[Published, ...]
    meanings: Mapping[str, Variable] = field(default_factory=dict)

    @property
    def typed(self) -> dict[str, str]:
        """The definitions of a typed formula, without those that stand for a parameter of levels; a law file has none, unless
        it is of a fit to a typed formula."""
        if self.title not in ("", OWN_TITLE):
            return {}
        levels = {entry.of for entry in self.parameters.values()}
        return {name: text for name, text in self.definitions.items() if name not in levels}
