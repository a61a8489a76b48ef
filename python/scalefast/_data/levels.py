"""Levels of a column in a law: variables that are 1 on the rows of one level and 0 on others.

Stage: binding. In: a form that was fitted with `per=`, or one like it, and a frame. Out: the indicators as expressions, and
a refusal of rows whose level the form does not know.
"""

from __future__ import annotations

import polars as pl

from scalefast._base.errors import DataError
from scalefast._base.suggest import did_you_mean
from scalefast._data.frames import exact_column
from scalefast._forms.form import LawFile, Variable

__all__ = ["check_levels", "indicator", "level_columns"]


def indicator(variable: Variable) -> pl.Expr:
    """1 on the rows of the level, 0 on others, null where the column is null."""
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
