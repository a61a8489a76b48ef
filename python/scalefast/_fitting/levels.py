"""Parameters that differ by level of a column beside shared ones: `per={"E": "corpus"}`.

Stage: between rows and the core. In: a law, the rows, which parameters differ by which
column. Out: a law whose text says so: `E` becomes the definition ``E = `E[c4]`*`corpus=c4` + `E[rpj]`*`corpus=rpj` ``, with
one parameter a level and one variable a level that is 1 on its rows and 0 on others, read off the column. Such a law is
data like any other: it predicts, derives, saves and loads by the same code. `Law.at_level` is the inverse.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import polars as pl

from scalefast._base.errors import DataError, SettingsError
from scalefast._base.suggest import did_you_mean, listing
from scalefast._base.wording import Advice, Argument, Phrase
from scalefast._data.frames import to_array
from scalefast._data.levels import indicator
from scalefast._forms.form import Variable

if TYPE_CHECKING:
    from scalefast._data.rows import Rows
    from scalefast._fitting.spec import FitSpec
    from scalefast._laws.law import Law

__all__ = ["expand", "with_indicators"]

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
            argument="per",
            value=float(count),
            limit=float(MOST_PARAMETERS),
            hint=Advice(
                "let fewer parameters differ, keep fewer levels with ",
                Argument("where"),
                ", or fit each level alone with ",
                Phrase("sf.fit_groups", "--by"),
            ),
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


def _levels(frame: pl.DataFrame, column: str) -> list[str]:
    """The levels of a column as text, in the order of their values."""
    if column not in frame.columns:
        hint = did_you_mean(column, frame.columns, "columns")
        raise DataError(
            f"per: there is no column `{column}`", code="unknown-column", argument="per", column=column, hint=hint
        )
    values = frame[column]
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    if values.dtype not in (pl.String, pl.Boolean) and not values.dtype.is_integer():
        raise DataError(
            f"per: `{column}` holds {values.dtype}: levels are texts, whole numbers or booleans",
            code="bad-level-column",
            argument="per",
            column=column,
        )
    if values.null_count():
        row = int(values.is_null().arg_true()[0])
        raise DataError(
            f"per: `{column}` is null in {values.null_count()} rows, the first is row {row}",
            code="null-level",
            argument="per",
            column=column,
            row=row,
            hint=Advice("name the level of every row, or leave the rows out with ", Argument("where")),
        )
    return values.unique().sort().cast(pl.String).to_list()


def _quoted(name: str) -> str:
    """A name as the formula language reads it, whatever its characters."""
    return "`" + name.replace("`", "``") + "`"
