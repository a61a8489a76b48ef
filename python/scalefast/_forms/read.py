"""Law files read: the catalogue's own format, TOML with `schema = 1`, into checked values.

Stage: before any formula is parsed. In: the text of a law file. Out: `LawFile`. A missing, unknown or ill-typed field is a
LawError that names the field. Formulas stay text here; `_laws` parses them. Standard library only.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from typing import Any

from scalefast._base.errors import LawError, ScalefastError
from scalefast._base.suggest import did_you_mean
from scalefast._base.toml import Table
from scalefast._forms.form import SCHEMA, Check, LawFile, Parameter, Published, Recipe, Source, Variable
from scalefast._forms.losses import LOSSES, loss_constants, loss_from_fields

__all__ = ["parse_law_file"]


CONFIDENCE = ("verified", "verified-secondary", "computed", "illustrative", "own")


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
        for key in dict.fromkeys(key for kind in LOSSES.values() for key in loss_constants(kind))
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
