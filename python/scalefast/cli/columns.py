"""Turns what is typed about columns into Polars expressions: `--col N=config.params_m*1e6`, `--where 'loss < 4'`.

In: text and the names that the frame has. Out: a column's name or an expression. The formula language is the laws'
own; a name inside it may hold dots, and any other character between backquotes. Errors carry a caret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scalefast import DataError, FormulaError

from .errors import hint_for, quoted

if TYPE_CHECKING:
    import polars as pl

#: A column inside a formula: backquoted, or words joined by dots; not a function's name, not the e of 1e6.
REFERENCE = re.compile(r"`([^`]+)`|(?<![\w.])([^\W\d]\w*(?:\.[^\W\d]\w*)*)(?!\w*\s*\()")
CONSTANTS = {"pi"}


def bind(bindings: dict[str, str], frame: pl.DataFrame) -> dict[str, str | pl.Expr]:
    """The `--col` texts, each as a column's name or an expression."""
    return {symbol: column(text, frame.columns) for symbol, text in bindings.items()}


def column(text: str, columns: Sequence[str]) -> str | pl.Expr:
    """A column's name, or a formula of names. An existing column, whatever its characters, beats a formula."""
    if text in columns:
        return text
    import scalefast as sf

    names: dict[str, str] = {}
    formula = REFERENCE.sub(lambda match: stand_in(match, text, columns, names), text)
    if not names:
        raise DataError(f"no column {quoted(text)}", code="missing-column", hint=hint_for(text, columns, "columns"))
    try:
        expression: pl.Expr = sf.law(formula, variables=list(names)).expr(names)
    except FormulaError as error:
        # The stand-ins have the names' lengths, so the caret fits under the text that was typed.
        error.text = text
        raise
    return expression


def stand_in(match: re.Match[str], text: str, columns: Sequence[str], names: dict[str, str]) -> str:
    """A symbol as long as the column's name that it stands for."""
    name = match[1] or match[2]
    if name in CONSTANTS and name not in columns:
        return name
    if name not in columns:
        if difflib.get_close_matches(text, columns, n=1, cutoff=0.8):
            raise DataError(f"no column {quoted(text)}", code="missing-column", hint=hint_for(text, columns, "columns"))
        begin = len(text[: match.start()].encode())
        raise FormulaError(
            f"no column {quoted(name)}",
            code="missing-column",
            text=text,
            span=(begin, begin + len(match[0].encode())),
            hint=hint_for(name, columns, "columns"),
        )
    symbol = re.sub(r"\W", "_", match[0], flags=re.ASCII)
    while names.get(symbol, name) != name:
        symbol += "_"
    names[symbol] = name
    return symbol


def condition(text: str, frame: pl.DataFrame) -> pl.Expr:
    """An SQL condition over the frame's columns."""
    import polars as pl

    try:
        expression = pl.sql_expr(text)
        kind = frame.head(0).select(condition=expression).schema["condition"]
    except pl.exceptions.ColumnNotFoundError as error:
        missing = re.search(r'"([^"]*)"', str(error))
        name = missing[1] if missing else text
        raise DataError(
            f"--where: no column {quoted(name)}", code="missing-column", hint=hint_for(name, frame.columns, "columns")
        ) from error
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"--where: {quoted(text)} is not an SQL condition: {next(iter(str(error).splitlines()), '')}",
            code="bad-condition",
            hint="for example --where 'loss < 4'; names such as eval/loss stand between backquotes",
        ) from error
    if kind != pl.Boolean:
        raise DataError(
            f"--where: {quoted(text)} gives {kind}, not true or false", code="bad-condition", hint="compare: < > = <>"
        )
    return expression
