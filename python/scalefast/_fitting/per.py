"""What `per=` may say, and how the parameters of levels are told to the core.

Stage: settings of a fit. In: parameter to column. Out: a refusal of what means nothing. Loads neither NumPy nor Polars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scalefast._base.errors import SettingsError
from scalefast._base.suggest import did_you_mean
from scalefast._base.wording import Advice, Argument
from scalefast._forms.form import Parameter, Variable

__all__ = ["check_per", "plain_level"]


def check_per(per: Mapping[str, Any], parameters: Iterable[str], fixed: Iterable[str], tied: Mapping[str, str]) -> None:
    """Refuses settings that mean nothing. Raises SettingsError: `unknown-parameter`, `bad-per`, `per-not-free`,
    `tied-per-level`."""
    from scalefast._core import System

    for name, column in per.items():
        if name not in parameters:
            hint = did_you_mean(name, parameters, "parameters")
            raise SettingsError(
                f"per: the law has no parameter `{name}`",
                code="unknown-parameter",
                argument="per",
                column=name,
                hint=hint,
            )
        if not isinstance(column, str):
            hint = Advice(Argument("per", {"E": "corpus"}), " gives every level of the column corpus an E of its own")
            raise SettingsError(
                f"per: `{name}` needs the name of a column", code="bad-per", argument="per", column=name, hint=hint
            )
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
                argument="tied",
                column=name,
                hint=f"write the formula of `{name}` into the law in its place",
            )


def plain_level(entry: Parameter, variables: Mapping[str, Variable]) -> tuple[str, str, str] | None:
    """Base, column and indicator of a parameter of one level, for the core."""
    return (entry.of, variables[entry.level].column, entry.level) if entry.level else None
