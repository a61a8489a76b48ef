"""Laws found by id, read from a file or typed as a formula.

Stage: after the catalogue, before fits and sweeps. In: an id, the path of a law file, or a formula. Out: `Law`, or the frame
of all shipped ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalefast._base.errors import FormulaError, LawError
from scalefast._base.suggest import did_you_mean, listing, nearest
from scalefast._base.wording import Advice, Phrase
from scalefast._forms import catalogue
from scalefast._forms.form import LawFile, Parameter, Variable
from scalefast._forms.read import parse_law_file
from scalefast._laws.law import Law, complete_values

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RESERVED", "law", "laws", "resolve"]

#: Symbols that are variables in a user's formula without being declared. What values they may have is the law's to say.
RESERVED = {
    "N": Variable("parameters", "size of the model", positive=False),
    "D": Variable("tokens", "training tokens seen", positive=False),
    "C": Variable("FLOPs", "training compute", positive=False),
    "U": Variable("tokens", "unique training tokens", positive=False),
    "T": Variable("tokens", "tokens served", positive=False),
    "P": Variable("bits", "precision", positive=False),
    "S": Variable("steps", "optimiser steps", positive=False),
}


#: Text that looks like an id rather than like a formula: words joined by hyphens or one slash.
_LIKE_AN_ID = re.compile(r"[A-Za-z][\w.-]*(/[\w.-]*)?")


def law(
    text: str | Path,
    *,
    parameters: Mapping[str, float] | Iterable[str] | None = None,
    variables: Iterable[str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Law:
    """The law called `text`: in this order an exact id, a law file (`.toml`, or `.toml#id` for one of its sets), a formula.

    `law.parquet#corpus=c4` is one level of a law fitted with `per=`.
    In a formula, `variables` and the reserved N D C U T P S are variables and all else is a parameter; `parameters` gives
    values, or just names the parameters. Raises LawError for unknown laws (nearest named), FormulaError for text that is
    no formula.

    >>> import scalefast as sf
    >>> sf.law("E + A/N**alpha").parameters
    {'E': None, 'A': None, 'alpha': None}
    """
    return resolve(text, parameters=parameters, variables=variables, bounds=bounds)


def laws() -> pl.DataFrame:
    """One row a form and a published set: id, form, formula, variables, n_definition, source, year, fitted_range,
    confidence, uncertainty. What a form alone does not have is null."""
    import polars as pl

    rows = []
    for entry in catalogue.entries():
        found = _from_entry(entry)
        rows.append(
            {
                "id": entry.id,
                "form": entry.form.id,
                "formula": found.formula,
                "variables": " ".join(found.variables),
                "n_definition": found.published.n_definition if found.published else None,
                "source": f"{found.source.authors}, arXiv {found.source.arxiv}" if found.source else None,
                "year": found.source.year if found.source else None,
                "fitted_range": describe_range(found.fitted_range) or None,
                "confidence": found.published.confidence if found.published else None,
                "uncertainty": found.uncertainty if found.values else None,
            }
        )
    texts = (
        "id",
        "form",
        "formula",
        "variables",
        "n_definition",
        "source",
        "fitted_range",
        "confidence",
        "uncertainty",
    )
    return pl.DataFrame(rows, schema_overrides={"year": pl.Int64, **dict.fromkeys(texts, pl.String)})


def describe_range(ranges: Mapping[str, tuple[float, float]]) -> str:
    """A fitted range in plain numbers: `N 7e+07..1.6e+10, D …`."""
    return ", ".join(f"{name} {low:g}..{high:g}" for name, (low, high) in ranges.items())


def resolve(
    text: str | Path | Law,
    *,
    parameters: Mapping[str, float] | Iterable[str] | None = None,
    variables: Iterable[str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Law:
    """As `law`, and takes a Law too."""
    given: Any = text
    if not isinstance(given, Law | str | Path):
        hint = "give an id of sf.laws(), a file, a formula, or a Law"
        raise LawError(f"{given!r:.60} is not a law", code="unknown-law", hint=hint)
    if isinstance(text, Law):
        found: Law | None = text
    elif isinstance(text, Path) or text.strip().partition("#")[0].endswith((".toml", ".parquet")):
        found = _from_file(str(text).strip())
    else:
        found = _from_catalogue(text.strip())
    if found is None:
        return _from_formula(str(text), parameters, list(variables or []), dict(bounds or {}))
    if isinstance(parameters, Mapping):
        found = found.with_values(parameters)
    if bounds:
        found = replace(found, form=_with_bounds(found.form, bounds))
    return found


@cache
def _from_catalogue(identifier: str) -> Law | None:
    """A shipped law, parsed once: laws are immutable."""
    entry = catalogue.find(identifier)
    return _from_entry(entry) if entry else None


def _from_entry(entry: catalogue.Entry) -> Law:
    published = entry.published
    stated = published.values if published else {}
    values = {name: stated[name] for name in entry.form.parameters} if stated else None
    return Law(entry.form, published, values, entry.id, entry.folder)


def _from_file(text: str) -> Law:
    name, _, wanted = text.partition("#")
    path = Path(name)
    form = _read_form(path)
    if "=" in wanted and any(entry.column for entry in form.variables.values()):
        return _from_file(name).at_level(**dict([wanted.split("=", 1)]))
    sets = {published.id: published for published in form.published}
    if wanted and wanted not in sets:
        hint = did_you_mean(wanted, sets, "sets")
        raise LawError(f"{path.name} has no set `{wanted}`", code="unknown-law", hint=hint)
    chosen = sets[wanted] if wanted else next(iter(sets.values())) if len(sets) == 1 else None
    found = _from_entry(catalogue.Entry(chosen.id if chosen else form.id, form, chosen, path.parent))
    _check_symbols(found, path.name)
    return found


def _read_form(path: Path) -> LawFile:
    if path.suffix == ".parquet":
        from scalefast._laws.container import load_law

        return load_law(path)
    if path.suffix != ".toml":
        hint = "law files end in .toml or, where a fit was saved, in .parquet"
        raise LawError(f"`{path.name}` is not a law file", code="bad-law-file", hint=hint)
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise LawError(f"law file `{path}` cannot be read: {reason}", code="unreadable-file") from error
    return parse_law_file(content, path.name)


def _check_symbols(found: Law, where: str) -> None:
    """Every symbol of the formulas is declared, every declared one is used."""
    try:
        used = found.system.symbols()
    except FormulaError as error:
        error.message = f"{where}: {error.message}"
        raise
    declared = [*found.form.variables, *found.form.parameters]
    paid = _symbols_of_cost(found, where)
    for place, names, known in (("formula", used, declared), ("cost", paid, [*declared, *found.outputs])):
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known, "declared symbols")
                raise LawError(
                    f"{where}: `{name}` of the {place} is not declared", code="missing-field", column=name, hint=hint
                )
    for name in declared:
        if name not in used:
            hint = did_you_mean(name, used, "symbols of the formula")
            raise LawError(
                f"{where}: `{name}` does not occur in the formula", code="unknown-field", column=name, hint=hint
            )


def _symbols_of_cost(found: Law, where: str) -> list[str]:
    from scalefast._core import System

    try:
        return System.parse([("C", found.cost)], []).symbols() if found.cost else []
    except FormulaError as error:
        error.message = f"{where}: cost: {error.message}"
        raise


def _like_an_id(text: str) -> bool:
    """Whether a text may be meant for an id; part of one may read as arithmetic: `20-to-1`."""
    part = len(text) > 2 and any(text in name for name in catalogue.known_ids())
    return part or _LIKE_AN_ID.fullmatch(text) is not None


def _from_formula(
    text: str,
    parameters: Mapping[str, float] | Iterable[str] | None,
    variables: list[str],
    bounds: Mapping[str, tuple[float, float]],
) -> Law:
    from scalefast._core import System

    like_an_id = _like_an_id(text.strip())
    try:
        system, typed, formula = System.typed(text)
    except FormulaError:
        if like_an_id:
            raise _unknown_law(text.strip()) from None
        raise
    symbols = system.symbols()
    named = list(parameters) if parameters is not None else []
    definitions = dict(typed)
    for name in [*variables, *named, *bounds]:
        if name in definitions:
            raise _defined_already(text, name)
    found_variables = {
        name: RESERVED.get(name, Variable("any", positive=False))
        for name in symbols
        if name in variables or (name in RESERVED and name not in named)
    }
    if not found_variables:
        if like_an_id:
            raise _unknown_law(text.strip())
        raise _without_variable(text.strip())
    for name in [*variables, *named, *bounds]:
        if name not in symbols:
            hint = did_you_mean(name, symbols, "symbols of the formula")
            raise LawError(f"the formula has no symbol `{name}`", code="unknown-parameter", column=name, hint=hint)
    form = LawFile(
        id="",
        title="",
        outputs={"L": formula},
        definitions=definitions,
        variables=found_variables,
        parameters={
            name: Parameter(inferred=name not in named and name not in bounds)
            for name in symbols
            if name not in found_variables
        },
        cost=None,
        recipe=None,
        source=None,
        published=(),
    )
    form = _with_bounds(form, bounds)
    values = complete_values(form, parameters) if isinstance(parameters, Mapping) else None
    # A formula whose numbers are all written out has nothing left to fit.
    return Law(form, None, values if form.parameters else {})


def _without_variable(text: str) -> LawError:
    others = Phrase("declare others with variables= or bind them with columns=", "bind others with --col NAME=COLUMN")
    hint = Advice("N D C U T P S are variables; ", others)
    return LawError(f"the formula `{text:.80}` has no variable", code="no-variable", hint=hint)


def _defined_already(text: str, name: str) -> FormulaError:
    """For a name that the formula defines and the call takes for a variable or a parameter."""
    place = re.search(rf"(?<![\w.]){re.escape(name)}\s*=", text)
    begin = len(text[: place.start()].encode()) if place else 0
    return FormulaError(
        f"`{name}` is defined in the formula, so it is neither a variable nor a parameter",
        code="duplicate-definition",
        text=text,
        span=(begin, begin + len(name.encode())),
        column=name,
        hint="give the definition another name, or leave it out of columns=, variables=, parameters= and bounds=",
    )


def _with_bounds(form: LawFile, bounds: Mapping[str, tuple[float, float]]) -> LawFile:
    for name in bounds:
        if name not in form.parameters:
            hint = did_you_mean(name, form.parameters, "parameters")
            raise LawError(f"the law has no parameter `{name}`", code="unknown-parameter", column=name, hint=hint)
    changed = {
        name: replace(entry, bounds=(float(bounds[name][0]), float(bounds[name][1]))) if name in bounds else entry
        for name, entry in form.parameters.items()
    }
    return replace(form, parameters=changed)


#: Suffixes of files that hold runs; those of laws are .toml and .parquet.
_RUNS = (".csv", ".tsv", ".ndjson", ".jsonl", ".json", ".arrow", ".ipc", ".feather", ".gz")


def _unknown_law(text: str) -> LawError:
    """With the ids that `text` is the beginning or a part of, else with the nearest ones."""
    known = catalogue.known_ids()
    parts = [name for name in known if name.startswith(text)] or [name for name in known if text in name]
    hint = "`scalefast laws` lists them, sf.laws() too"
    if Path(text).suffix.lower() in _RUNS:
        hint = (
            "the file seems to hold runs, not a law: fit a law to them first, and use the file that the fit is saved in"
        )
    elif parts:
        hint = f"did you mean {listing(parts)}?"
    elif nearest(text, known):
        hint = did_you_mean(text, known, "laws")
    return LawError(f"unknown law `{text:.80}`", code="unknown-law", hint=hint)
