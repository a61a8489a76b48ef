"""Laws: a formula with named variables and parameters, found by id, read from a file or typed.

Stage: after the catalogue, before fits and sweeps. In: an id, the path of a law file, or a formula. Out: `Law`, an
immutable value that predicts. Variables are columns (N parameters, D tokens, C FLOPs, …), outputs are columns too
(L nats per token, or N and D of a frontier).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalefast import _catalogue
from scalefast._errors import FormulaError, LawError
from scalefast._lawfile import LawFile, Parameter, Published, Recipe, Source, Variable, parse_law_file
from scalefast._names import did_you_mean, listing, nearest

if TYPE_CHECKING:
    import polars as pl

    from scalefast._core import System
    from scalefast._intervals import Interval

__all__ = ["RESERVED", "Law", "law", "laws", "resolve"]

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


@dataclass(frozen=True)
class Law:
    """A law: its form and, where it is published or fitted, the values of its parameters.

    Values compare by form and numbers. Use `sf.law(...)` to get one.
    """

    form: LawFile
    published: Published | None = None
    values: Mapping[str, float] | None = None
    id: str = ""
    folder: Path | None = field(default=None, compare=False)
    observed_range: Mapping[str, tuple[float, float]] | None = field(default=None, compare=False)
    own_draws: pl.DataFrame | pl.LazyFrame | None = field(default=None, compare=False, repr=False)

    @property
    def title(self) -> str:
        """What the form describes, in words."""
        return self.form.title

    @property
    def formula(self) -> str:
        """The formula as written, behind the definitions that were typed; `name = formula; …` for several outputs."""
        outputs = self.form.outputs
        if list(outputs) != ["L"]:
            return "; ".join(f"{name} = {text}" for name, text in outputs.items())
        return "; ".join([*(f"{name} = {text}" for name, text in self.form.typed.items()), outputs["L"]])

    @property
    def definitions(self) -> dict[str, str]:
        """Named intermediate formulas, in order."""
        return dict(self.form.definitions)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what the law gives: `("L",)`, or several."""
        return tuple(self.form.outputs)

    @property
    def variables(self) -> dict[str, Variable]:
        """The symbols that come from data, with unit and definition."""
        return dict(self.form.variables)

    @property
    def measured(self) -> list[str]:
        """The variables that columns are bound to: all but those that mark the levels of `per=`."""
        return [name for name, entry in self.form.variables.items() if not entry.column]

    @property
    def parameters(self) -> dict[str, float | None]:
        """The parameters with their values; None where the law has not been fitted."""
        values = self.values or {}
        return {name: values.get(name) for name in self.form.parameters}

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Bounds of the parameters that have any."""
        return {name: entry.bounds for name, entry in self.form.parameters.items() if entry.bounds is not None}

    @property
    def std_error(self) -> dict[str, float]:
        """Published standard errors."""
        return dict(self.published.std_error) if self.published else {}

    @property
    def recipe(self) -> Recipe | None:
        """Residual and loss that the form is fitted with unless told otherwise."""
        return self.form.recipe

    @property
    def source(self) -> Source | None:
        """Where the numbers, else the form, were published."""
        return (self.published.source if self.published else None) or self.form.source

    @property
    def cost(self) -> str | None:
        """Formula of the training FLOPs, or None where the law declares none."""
        return self.form.cost

    @property
    def fitted_range(self) -> dict[str, tuple[float, float]]:
        """Range of each variable, and of C, in the data that the values come from."""
        return dict(self.published.fitted_range if self.published else self.observed_range or {})

    @property
    def uncertainty(self) -> str:
        """`draws`, `covariance`, `std_error` or `none`: the best description of uncertainty that comes with the values."""
        if self.own_draws is not None:
            return "draws"
        if self.published is None:
            return "none"
        if self.published.draws is not None:
            return "draws"
        if self.published.covariance is not None:
            return "covariance"
        return "std_error" if self.published.std_error else "none"

    @property
    def sets(self) -> list[str]:
        """Ids of the published sets of the form, those without values left out."""
        return [published.id for published in self.form.published if published.values]

    @cached_property
    def draws(self) -> pl.DataFrame | None:
        """Draws of the parameters, stored or of a resampled fit: one row each, a column for every parameter; or None."""
        if self.own_draws is not None:
            from scalefast._drawsfile import read_stored

            return read_stored(self.own_draws)
        if self.published is None or self.published.draws is None or self.folder is None:
            return None
        from scalefast._frames import read_draws

        return read_draws(self.folder / self.published.draws, list(self.form.parameters))

    @cached_property
    def latex(self) -> str:
        """The formula as LaTeX: a line for each output, then one for each definition, joined by `\\\\`."""
        from scalefast._core import System

        lines = {**self.form.outputs, **self.form.definitions}
        # Each line is parsed alone, so that definitions stand in it by name.
        sides = [System.parse([("left", name), ("right", text)], []) for name, text in lines.items()]
        return r" \\ ".join(f"{side.latex('left')} = {side.latex('right')}" for side in sides)

    def predict(
        self,
        points: Any,
        *,
        columns: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
        threads: int | None = None,
        interval: Interval | None = None,
        level: float = 0.90,
    ) -> pl.DataFrame:
        """The points with the law's outputs added as columns (`L` in nats per token).

        `points` is any frame or a dict of arrays or numbers; columns named as parameters override the law's values row
        by row. Null or NaN inputs give null or NaN outputs. Raises DataError for columns that cannot be bound, LawError
        (`no-values`) for parameters that have no value.

        `interval="confidence"` adds L_lower and L_upper, percentiles over the law's draws at `level`; SettingsError
        (`no-draws`) where it has none, and `no-scatter` for the intervals of runs, which `Fit.predict` knows.

        >>> import scalefast as sf
        >>> round(sf.law("hoffmann-2022").predict({"N": 70e9, "D": 1.4e12})["L"][0], 5)
        1.92085
        """
        from scalefast._predict import predict

        found = predict(self, points, columns=columns, units=units, threads=threads)
        if interval is None:
            return found
        from scalefast._intervals import add_interval, of_draws

        return add_interval(of_draws(self, level), found, interval, columns, units, value="L")

    def expr(self, columns: Mapping[str, str | pl.Expr] | None = None, output: str | None = None) -> pl.Expr:
        """The formula as a Polars expression, for lazy frames.

        `columns` maps variables (and parameters, where columns hold them) to column names or expressions; what it leaves
        out is taken from columns of the same name and from the law's values. `output` is needed where there are several.

        >>> import scalefast as sf, polars as pl
        >>> points = pl.LazyFrame({"n_params": [70e9], "D": [1.4e12]})
        >>> points.select(sf.law("hoffmann-2022").expr({"N": "n_params"}).round(5)).collect().item()
        1.92085
        """
        from scalefast._expression import law_expression

        return law_expression(self, dict(columns or {}), output)

    def check(self) -> pl.DataFrame:
        """The check values of the published set against what the law gives: check, output, expected, found, tolerance, ok."""
        from scalefast._predict import check

        return check(self)

    def at_level(self, **levels: Any) -> Law:
        """The plain law of one level, for a law fitted with `per=`: its shared parameters and those of the level.

        Predicts, sweeps and plans like any law; draws come along, the fitted range is that of all levels. Raises LawError:
        `no-levels`, `unknown-column`, `level-unsaid`, `unknown-level`.

        >>> import scalefast as sf
        >>> x = [1.0, 2.0, 3.0, 4.0] * 2
        >>> loss = [1.5 + v for v in x[:4]] + [2.5 + v for v in x[4:]]
        >>> runs = {"x": x, "L": loss, "corpus": ["c4"] * 4 + ["rpj"] * 4}
        >>> fit = sf.fit(runs, "E + b*x", columns={"x": "x"}, per={"E": "corpus"})
        >>> {name: round(value, 9) for name, value in fit.law.at_level(corpus="rpj").parameters.items()}
        {'E': 2.5, 'b': 1.0}
        """
        from scalefast._levels import at_level

        return at_level(self, levels)

    def with_form(self, form: LawFile) -> Law:
        """Another form under the same id, without values."""
        return Law(form, None, None, self.id)

    def with_values(
        self,
        values: Mapping[str, float],
        observed_range: Mapping[str, tuple[float, float]] | None = None,
        draws: pl.DataFrame | pl.LazyFrame | None = None,
    ) -> Law:
        """The same form with other values of all its parameters, the range of the data that they come from, and draws."""
        complete = complete_values(self.form, values)
        return Law(self.form, None, complete, observed_range=observed_range, own_draws=draws)

    @cached_property
    def _system(self) -> System:
        from scalefast._core import System

        return System.parse(list(self.form.outputs.items()), list(self.form.definitions.items()))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_system"}

    def __hash__(self) -> int:
        return hash((self.formula, self.id, tuple(sorted((self.values or {}).items()))))

    def __repr__(self) -> str:
        name = self.id or self.formula
        values = ", ".join(f"{key}={value:.6g}" for key, value in (self.values or {}).items())
        free = f"parameters {', '.join(self.form.parameters)}"
        return f"Law({name!r}, variables {', '.join(self.form.variables)}, {values or free})"


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
    for entry in _catalogue.entries():
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
        raise LawError(f"{given!r:.60} is no law", code="unknown-law", hint=hint)
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


def complete_values(form: LawFile, values: Mapping[str, float]) -> dict[str, float]:
    """`values` in the order of the form. Raises LawError for unknown and for missing names."""
    for name in values:
        if name not in form.parameters:
            hint = did_you_mean(name, form.parameters, "parameters")
            raise LawError(f"the law has no parameter `{name}`", code="unknown-parameter", column=name, hint=hint)
    missing = [name for name in form.parameters if name not in values]
    if missing:
        raise LawError(f"no value for {listing(missing)}", code="no-values", column=missing[0])
    return {name: float(values[name]) for name in form.parameters}


@cache
def _from_catalogue(identifier: str) -> Law | None:
    """A shipped law, parsed once: laws are immutable."""
    entry = _catalogue.find(identifier)
    return _from_entry(entry) if entry else None


def _from_entry(entry: _catalogue.Entry) -> Law:
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
    found = _from_entry(_catalogue.Entry(chosen.id if chosen else form.id, form, chosen, path.parent))
    _check_symbols(found, path.name)
    return found


def _read_form(path: Path) -> LawFile:
    if path.suffix == ".parquet":
        from scalefast._artifact import load_law

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
        used = found._system.symbols()
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


def _from_formula(
    text: str,
    parameters: Mapping[str, float] | Iterable[str] | None,
    variables: list[str],
    bounds: Mapping[str, tuple[float, float]],
) -> Law:
    from scalefast._core import System

    # Part of an id may read as arithmetic: `20-to-1`.
    part = len(text.strip()) > 2 and any(text.strip() in name for name in _catalogue.known_ids())
    like_an_id = part or _LIKE_AN_ID.fullmatch(text.strip()) is not None
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
        hint = "N D C U T P S are variables; declare others with variables= or bind them with columns="
        raise LawError(f"the formula `{text.strip():.80}` has no variable", code="no-variable", hint=hint)
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


def _defined_already(text: str, name: str) -> FormulaError:
    """For a name that the formula defines and the call takes for a variable or a parameter."""
    place = re.search(rf"(?<![\w.]){re.escape(name)}\s*=", text)
    begin = len(text[: place.start()].encode()) if place else 0
    return FormulaError(
        f"`{name}` is defined in the formula, so it is no variable and no parameter",
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
    known = _catalogue.known_ids()
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
