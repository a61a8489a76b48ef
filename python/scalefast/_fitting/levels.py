"""Parameters that differ by level of a column beside shared ones: `per={"E": "corpus"}`.

Stage: between rows and the core, and wherever such a law is used. In: a law, the rows, which parameters differ by which
column. Out: a law whose text says so: `E` becomes the definition ``E = `E[c4]`*`corpus=c4` + `E[rpj]`*`corpus=rpj` ``, with
one parameter a level and one variable a level that is 1 on its rows and 0 on others, read off the column. Such a law is
data like any other: it predicts, derives, saves and loads by the same code. `at_level` is the inverse: the plain law of one
level.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from scalefast._base.errors import DataError, LawError, SettingsError
from scalefast._base.suggest import did_you_mean, listing
from scalefast._data.frames import to_array
from scalefast._forms.form import LawFile, Parameter, Published, Variable

if TYPE_CHECKING:
    from scalefast._data.rows import Rows
    from scalefast._fitting.spec import FitSpec
    from scalefast._laws.law import Law

__all__ = [
    "at_level",
    "check_levels",
    "check_per",
    "expand",
    "indicator",
    "level_columns",
    "plain_level",
    "with_indicators",
]

#: Free parameters of one fit. Work grows with their square a row and their cube a step; more levels than this are better
#: served by `fit_groups`.
MOST_PARAMETERS = 64


def expand(spec: FitSpec, frame: pl.DataFrame) -> FitSpec:
    """The same spec with one parameter a level in place of each that `per` names, as the rows of `frame` have levels.

    Raises DataError (`unknown-column`, `null-level`, `bad-level-column`), SettingsError (`too-many-levels`).
    """
    per = dict(spec.per or {})
    levels = {column: _levels(frame, column) for column in dict.fromkeys(per.values())}
    form = spec.resolved_law.form
    variables, definitions, parameters = dict(form.variables), {}, {}
    for column, names in levels.items():
        for level in names:
            meaning = f"1 where {column} is {level}, else 0"
            variables[f"{column}={level}"] = Variable("1", meaning, positive=False, column=column, equals=level)
    bounds = dict(spec.bounds or {})
    for name, entry in spec.parameters.items():
        if name not in per:
            parameters[name] = form.parameters[name]
            continue
        column = per[name]
        own = {f"{name}[{level}]": f"{column}={level}" for level in levels[column]}
        definitions[name] = " + ".join(f"{_quoted(own_name)}*{_quoted(where)}" for own_name, where in own.items())
        for own_name, where in own.items():
            parameters[own_name] = dataclasses.replace(entry, of=name, level=where, inferred=False)
        bounds.pop(name, None)
    count = len(parameters) - len(spec.fixed or {}) - len(spec.tied or {})
    if count > MOST_PARAMETERS:
        raise SettingsError(
            f"per: {listing(levels)} with {listing(str(len(names)) for names in levels.values())} levels make {count} "
            f"parameters, and one fit takes at most {MOST_PARAMETERS}",
            code="too-many-levels",
            value=float(count),
            limit=float(MOST_PARAMETERS),
            hint="let fewer parameters differ, keep fewer levels with where=, or fit each level alone with sf.fit_groups",
        )
    expanded = dataclasses.replace(
        form,
        definitions={**definitions, **form.definitions},
        variables=variables,
        parameters=parameters,
        published=(),
    )
    return spec.replace(law=spec.resolved_law.with_form(expanded), per=None, bounds=bounds)


def with_indicators(rows: Rows, law: Law) -> Rows:
    """Rows with the columns of 0 and 1 that the law reads off theirs."""
    found = {name: indicator(entry) for name, entry in law.form.variables.items() if entry.column}
    added = rows.frame.select(expression.alias(name) for name, expression in found.items())
    arrays = {**rows.arrays, **{name: to_array(added[name]) for name in found}}
    sources = {**rows.sources, **{name: law.form.variables[name].column for name in found}}
    # In the order in which a law that has levels from the start is bound: the hash of the data goes by it.
    order = sorted(arrays, key=lambda name: name not in law.form.variables)
    return dataclasses.replace(
        rows, arrays={name: arrays[name] for name in order}, sources={name: sources[name] for name in order}
    )


def indicator(variable: Variable) -> pl.Expr:
    """1 on the rows of the level, 0 on others, null where the column is null."""
    from scalefast._data.expression import exact_column

    return (exact_column(variable.column).cast(pl.String) == variable.equals).cast(pl.Float64)


def level_columns(form: LawFile) -> dict[str, list[str]]:
    """The columns that tell levels apart, each with its levels."""
    found: dict[str, list[str]] = {}
    for entry in form.variables.values():
        if entry.column:
            found.setdefault(entry.column, []).append(entry.equals)
    return found


def check_levels(form: LawFile, frame: pl.DataFrame) -> None:
    """Refuses rows of a level that the law has no parameters for. Raises DataError, `unknown-column`, `unknown-level`."""
    for column, levels in level_columns(form).items():
        if column not in frame.columns:
            raise DataError(
                f"the law's parameters differ by `{column}`, and there is no such column",
                code="unknown-column",
                column=column,
                hint=f"{did_you_mean(column, frame.columns, 'columns')}; law.at_level({column}=...) is the law of one level",
            )
        texts = frame[column].cast(pl.String)
        strange = texts.is_not_null() & ~texts.is_in(levels)
        if strange.any():
            row = int(strange.arg_true()[0])
            raise DataError(
                f"{int(strange.sum())} of {frame.height} rows have a {column} that the law has no parameters for, "
                f"the first is row {row}: {texts[row]!r:.60}",
                code="unknown-level",
                column=column,
                row=row,
                hint=did_you_mean(str(texts[row]), levels, "levels"),
            )


def at_level(law: Law, chosen: Mapping[str, Any]) -> Law:
    """See `Law.at_level`."""
    form, columns = law.form, level_columns(law.form)
    if not columns:
        raise LawError("the law has no parameters that differ by level", code="no-levels", hint="sf.fit(..., per=...)")
    for column in chosen:
        if column not in columns:
            hint = did_you_mean(column, columns, "columns")
            raise LawError(f"no parameter differs by `{column}`", code="unknown-column", column=column, hint=hint)
    for column, levels in columns.items():
        if column not in chosen:
            hint = f"law.at_level({column}=...) takes one of {listing(levels)}"
            raise LawError(f"which level of `{column}`?", code="level-unsaid", column=column, hint=hint)
        if _text(chosen[column]) not in levels:
            hint = did_you_mean(_text(chosen[column]), levels, "levels")
            raise LawError(
                f"`{column}` has no level {chosen[column]!r:.60}", code="unknown-level", column=column, hint=hint
            )
    here = {f"{column}={_text(level)}" for column, level in chosen.items()}
    kept = {name: entry for name, entry in form.parameters.items() if not entry.level or entry.level in here}
    bases = {entry.of for entry in form.parameters.values() if entry.of}
    plain = dataclasses.replace(
        form,
        definitions={name: text for name, text in form.definitions.items() if name not in bases},
        variables={name: entry for name, entry in form.variables.items() if not entry.column},
        parameters={entry.of or name: dataclasses.replace(entry, of="", level="") for name, entry in kept.items()},
        published=(),
    )
    names = {name: entry.of or name for name, entry in kept.items()}
    title = f"{law.id or form.id or 'law'}[{', '.join(_text(chosen[column]) for column in columns)}]"
    ranges = {name: ends for name, ends in law.fitted_range.items() if name in plain.variables or name == "C"}
    values = None if law.values is None else {to: law.values[name] for name, to in names.items()}
    return dataclasses.replace(
        law.with_form(plain),
        published=None if law.published is None else _published_at(law.published, form, title, names, ranges),
        values=values,
        id=title,
        observed_range=ranges,
        own_draws=None if law.draws is None else law.draws.select(pl.col(name).alias(to) for name, to in names.items()),
    )


def _published_at(
    whole: Published, form: LawFile, title: str, names: Mapping[str, str], ranges: Mapping[str, tuple[float, float]]
) -> Published:
    """The part of a set that is about one level: values, errors and covariance of its parameters."""
    order = list(form.parameters)
    places = [order.index(name) for name in names]
    covariance = whole.covariance
    return dataclasses.replace(
        whole,
        id=title,
        values={to: whole.values[name] for name, to in names.items()},
        std_error={to: whole.std_error[name] for name, to in names.items() if name in whole.std_error},
        covariance=None if covariance is None else tuple(tuple(covariance[i][j] for j in places) for i in places),
        draws=None,
        fitted_range=ranges,
        checks=(),
    )


def check_per(per: Mapping[str, Any], parameters: Iterable[str], fixed: Iterable[str], tied: Mapping[str, str]) -> None:
    """Refuses settings that mean nothing. Raises SettingsError: `unknown-parameter`, `bad-per`, `per-not-free`,
    `tied-per-level`."""
    from scalefast._core import System

    for name, column in per.items():
        if name not in parameters:
            hint = did_you_mean(name, parameters, "parameters")
            raise SettingsError(
                f"per: the law has no parameter `{name}`", code="unknown-parameter", column=name, hint=hint
            )
        if not isinstance(column, str):
            hint = 'per={"E": "corpus"} gives every level of the column corpus an E of its own'
            raise SettingsError(f"per: `{name}` needs the name of a column", code="bad-per", column=name, hint=hint)
        if name in fixed or name in tied:
            raise SettingsError(
                f"`{name}` differs by `{column}` and is fixed or tied as well", code="per-not-free", column=name
            )
    for name, formula in tied.items():
        used = [symbol for symbol in System.parse([("tie", formula)], []).symbols() if symbol in per]
        if used:
            raise SettingsError(
                f"tied: `{name}` follows `{used[0]}`, which differs by `{per[used[0]]}`",
                code="tied-per-level",
                column=name,
                hint=f"write the formula of `{name}` into the law in its place",
            )


def _levels(frame: pl.DataFrame, column: str) -> list[str]:
    """The levels of a column as text, in the order of their values."""
    if column not in frame.columns:
        hint = did_you_mean(column, frame.columns, "columns")
        raise DataError(f"per: there is no column `{column}`", code="unknown-column", column=column, hint=hint)
    values = frame[column]
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    if values.dtype not in (pl.String, pl.Boolean) and not values.dtype.is_integer():
        raise DataError(
            f"per: `{column}` holds {values.dtype}: levels are texts, whole numbers or booleans",
            code="bad-level-column",
            column=column,
        )
    if values.null_count():
        row = int(values.is_null().arg_true()[0])
        raise DataError(
            f"per: `{column}` is null in {values.null_count()} rows, the first is row {row}",
            code="null-level",
            column=column,
            row=row,
            hint="name the level of every row, or leave the rows out with where=",
        )
    return values.unique().sort().cast(pl.String).to_list()


def _text(level: Any) -> str:
    """A level as Polars writes it."""
    return str(level).lower() if isinstance(level, bool) else str(level)


def _quoted(name: str) -> str:
    """A name as the formula language reads it, whatever its characters."""
    return "`" + name.replace("`", "``") + "`"


def plain_level(entry: Parameter, variables: Mapping[str, Variable]) -> tuple[str, str, str] | None:
    """Base, column and indicator of a parameter of one level, for the core."""
    return (entry.of, variables[entry.level].column, entry.level) if entry.level else None
