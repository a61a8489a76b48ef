"""Law files: the catalogue's own format, TOML with `schema = 1`, read into checked values.

Stage: before any formula is parsed. In: the text of a law file. Out: `LawFile`, a frozen value with its variables,
parameters, recipe, source and published sets. A missing, unknown or ill-typed field is a LawError that names the
field. Formulas stay text here; `_law` parses them. Standard library only.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scalefast._errors import LawError, ScalefastError
from scalefast._fields import Table
from scalefast._losses import Loss, loss_from_fields
from scalefast._names import did_you_mean

__all__ = ["Check", "LawFile", "Parameter", "Published", "Recipe", "Source", "Variable", "parse_law_file"]

SCHEMA = 1
#: Title of a saved law that was typed.
OWN_TITLE = "A law of one's own"
CONFIDENCE = ("verified", "verified-secondary", "computed", "illustrative", "own")


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


def parse_law_file(text: str, where: str) -> LawFile:
    """The law in `text`; `where` names the file in errors."""
    try:
        root = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LawError(f"{where}: not a TOML file: {error}", code="bad-law-file") from error
    table = Table(root, where, "")
    schema = table.take("schema", int)
    if schema != SCHEMA:
        raise LawError(
            f"{where}: schema {schema} is not known",
            code="unknown-schema",
            value=float(schema),
            limit=float(SCHEMA),
            hint=f"this version reads schema = {SCHEMA}",
        )
    identifier, title = table.take("id", str), table.take("title", str)
    formula, several = table.take("formula", str, None), table.table("outputs", required=False)
    if (formula is None) == (several is None):
        raise table.error("formula", "give either `formula` or `[outputs]`", "missing-field")
    outputs, meanings = _outputs(several) if several else ({"L": str(formula)}, {})
    recipe, source = table.table("fit", required=False), table.table("source", required=False)
    definitions = table.table("definitions", required=False)
    law = LawFile(
        id=identifier,
        title=title,
        outputs=outputs,
        definitions=definitions.strings() if definitions else {},
        variables={name: _variable(entry) for name, entry in table.tables("variables")},
        parameters={name: _parameter(entry) for name, entry in table.tables("parameters")},
        cost=table.take("cost", str, None),
        recipe=_recipe(recipe) if recipe else None,
        source=_source(source) if source else None,
        published=tuple(_published(entry) for entry in table.array("published")),
        meanings=meanings,
    )
    table.finish()
    _cross_check(law, where)
    return law


def _outputs(table: Table) -> tuple[dict[str, str], dict[str, Variable]]:
    """Formulas and meanings by name: an output is the text of its formula, or a table with formula, unit and meaning."""
    formulas, meanings = {}, {}
    for name, entry in table.values.items():
        if isinstance(entry, dict):
            inner = table.table(name, required=True)
            if inner is not None:
                formulas[name] = inner.take("formula", str)
                meanings[name] = _variable(inner)
        else:
            formulas[name] = table.take(name, str)
    return formulas, meanings


def _variable(table: Table) -> Variable:
    variable = Variable(
        unit=table.take("unit", str),
        meaning=table.take("meaning", str, ""),
        definition=table.take("definition", str, ""),
        positive=table.take("positive", bool, False),
        column=table.take("column", str, ""),
        equals=table.take("equals", str, ""),
    )
    table.finish()
    return variable


def _parameter(table: Table) -> Parameter:
    transform = table.take("transform", str, "auto")
    if transform not in ("auto", "log", "identity"):
        raise table.error("transform", "takes `auto`, `log` or `identity`")
    parameter = Parameter(
        unit=table.take("unit", str, ""),
        meaning=table.take("meaning", str, ""),
        bounds=table.interval("bounds"),
        start=table.interval("start"),
        transform=transform,
        of=table.take("of", str, ""),
        level=table.take("level", str, ""),
    )
    if parameter.start is not None and not all(math.isfinite(end) for end in parameter.start):
        raise table.error("start", "needs finite ends")
    table.finish()
    return parameter


def _recipe(table: Table) -> Recipe:
    residual = table.take("residual", str)
    if residual not in ("log", "identity"):
        raise table.error("residual", "takes `log` or `identity`")
    name = table.take("loss", str)
    constants: dict[str, Any] = {
        key: table.take(key, str) if isinstance(table.values[key], str) else table.number(key)
        for key in ("delta", "weight", "quantile", "width")
        if key in table.values
    }
    table.finish()
    try:
        return Recipe(residual, loss_from_fields(name, constants))
    except ScalefastError as error:
        raise table.error("loss", error.message) from error


def _source(table: Table) -> Source:
    source = Source(
        authors=table.take("authors", str),
        year=table.take("year", int),
        title=table.take("title", str, ""),
        arxiv=table.take("arxiv", str, ""),
        place=table.take("place", str, ""),
    )
    table.finish()
    return source


def _published(table: Table) -> Published:
    source, ranges = table.table("source", required=False), table.table("fitted_range", required=False)
    std_error = table.table("std_error", required=False)
    confidence = table.take("confidence", str)
    if confidence not in CONFIDENCE:
        raise table.error("confidence", did_you_mean(confidence, CONFIDENCE, "levels of confidence"))
    values = table.table("values", required=False)
    published = Published(
        id=table.take("id", str),
        values=values.numbers() if values else {},
        n_definition=table.take("n_definition", str),
        confidence=confidence,
        source=_source(source) if source else None,
        std_error=std_error.numbers() if std_error else {},
        covariance=table.matrix("covariance"),
        draws=table.take("draws", str, None),
        flop_rule=table.take("flop_rule", str, ""),
        corpus=table.take("corpus", str, ""),
        tokeniser=table.take("tokeniser", str, ""),
        fitted_range=ranges.intervals() if ranges else {},
        method=table.take("method", str, ""),
        rounded=table.take("rounded", bool, False),
        errata=table.take("errata", str, ""),
        caution=table.take("caution", str, ""),
        checks=tuple(_check(entry) for entry in table.array("checks")),
    )
    table.finish()
    return published


def _check(table: Table) -> Check:
    at, gives = table.table("at", required=False), table.table("gives", required=True)
    given = table.table("given", required=False)
    check = Check(
        gives=gives.numbers() if gives else {},
        tolerance=table.number("tolerance"),
        at=at.numbers() if at else None,
        budget=table.number("budget") if "budget" in table.values else None,
        given=given.numbers() if given else {},
        origin=table.take("origin", str, ""),
    )
    if (check.at is None) == (check.budget is None):
        raise table.error("at", "give either `at` or `budget`", "missing-field")
    table.finish()
    return check


def _cross_check(law: LawFile, where: str) -> None:
    """Names that must be the same in several places of one file."""

    def same(kind: str, names: Mapping[str, Any], known: Mapping[str, Any], complete: bool, place: str) -> None:
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known, f"declared {kind}s")
                raise LawError(
                    f"{where}: {place}: unknown {kind} `{name}`", code="unknown-field", column=name, hint=hint
                )
        missing = [name for name in known if name not in names]
        if complete and missing:
            raise LawError(f"{where}: {place}: no value for `{missing[0]}`", code="missing-field", column=missing[0])

    for name, parameter in law.parameters.items():
        of, level = parameter.of, parameter.level
        if bool(of) != bool(level) or (level and level not in law.variables):
            hint = "`of` names the parameter it stands for, `level` the variable that is 1 on its rows"
            raise LawError(f"{where}: parameters.{name}: no such level", code="bad-field", column=name, hint=hint)
    clash = set(law.variables) & set(law.parameters)
    if clash:
        name = sorted(clash)[0]
        raise LawError(f"{where}: `{name}` is both a variable and a parameter", code="duplicate-name", column=name)
    seen: set[str] = set()
    symbols = {**law.variables, **law.outputs}
    for published in law.published:
        place = f"published `{published.id}`"
        if published.id in seen:
            raise LawError(f"{where}: two published sets are called `{published.id}`", code="duplicate-name")
        seen.add(published.id)
        same("parameter", published.values, law.parameters, bool(published.values), f"{place}: values")
        same("parameter", published.std_error, law.parameters, False, f"{place}: std_error")
        same("symbol", published.fitted_range, {**symbols, "C": ""}, False, f"{place}: fitted_range")
        for entry in published.checks:
            same("variable", entry.at or {}, law.variables, entry.at is not None, f"{place}: checks")
            same("variable", entry.given, law.variables, False, f"{place}: checks")
            same("symbol", entry.gives, symbols, False, f"{place}: checks")
        if published.covariance is not None and len(published.covariance) != len(law.parameters):
            raise LawError(
                f"{where}: {place}: covariance is not {len(law.parameters)} × {len(law.parameters)}", code="bad-field"
            )
