"""The laws that a call asks, one or several.

Stage: before sweeps, plans and comparisons. In: the argument as it was given. Out: laws with values; None stands for the
default law and those of the same conventions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scalefast._base.errors import SettingsError, UnitsError
from scalefast._base.scale import refuse_scaled
from scalefast._base.wording import Advice, Argument
from scalefast._fitting.saved import load
from scalefast._forms import catalogue
from scalefast._laws.arguments import DEFAULT_LAW, law_name, one_law
from scalefast._laws.find import resolve
from scalefast._laws.law import Law

__all__ = ["chosen_laws"]


def chosen_laws(law: Any) -> list[Law]:
    """The laws of an argument, with values; None: the default one and those that stand beside it."""
    if law is None:
        default = resolve(DEFAULT_LAW)
        return [default, *_alike(default)]
    given = list(law) if isinstance(law, list | tuple) else [law]
    if not given:
        raise SettingsError("no law is given", code="no-law")
    for entry in given:
        _refuse_other_units(entry)
    return [one_law(entry) for entry in given]


def _refuse_other_units(law: Any) -> None:
    """Raises UnitsError, `looks-scaled`, for a fit or a saved fit whose N, D or C were in other units."""
    if isinstance(law, str | Path) and str(law).endswith(".parquet"):
        law = load(law)
    if not hasattr(law, "unit_faults"):
        return
    refuse_scaled(law.law.fitted_range, law_name(law.law))
    for message in law.unit_faults:
        hint = Advice("fit again with ", Argument("units", {"N": "millions"}), ", or the unit of the column")
        raise UnitsError(f"{law_name(law.law)}: {message}", code="looks-scaled", hint=hint)


def _alike(law: Law) -> list[Law]:
    """The other published laws of the same variables, meaning of N, corpus and cost, but no rounded copies.

    Losses of different corpora do not compare, so a law of another corpus stands beside these only where it is asked for.
    """
    found = []
    for entry in catalogue.entries():
        other = resolve(entry.id)
        if (
            other.published is not None
            and law.published is not None
            and other.values is not None
            and other.id != law.id
            and not other.published.rounded
            and other.published.n_definition == law.published.n_definition
            and other.published.corpus == law.published.corpus
            and other.cost == law.cost
            and set(other.variables) == set(law.variables)
        ):
            found.append(other)
    return found
