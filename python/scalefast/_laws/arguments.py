"""What a call says about its law: which one, its draws, what its runs cost.

Stage: before every question to a law. In: arguments as they were given. Out: a law with values, draws as rows, a formula.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scalefast._base.errors import LawError, SettingsError
from scalefast._base.suggest import listing
from scalefast._base.wording import Advice, Argument, Phrase
from scalefast._data.frames import FloatArray, collect, read_frame, to_array
from scalefast._laws.find import resolve
from scalefast._laws.law import Law

__all__ = ["DEFAULT_LAW", "choose_draws", "law_name", "one_law", "stated_cost"]

#: What answers when no law is named: the refit of Chinchilla's data with stored draws.
DEFAULT_LAW = "epoch-2024-huber"


def one_law(law: Any) -> Law:
    """The law of an argument, with values. Raises LawError: `no-values` where it has none, `unknown-law` for no law."""
    # Fits, saved ones too, hold theirs; what is neither a law nor holds one is refused by `resolve`.
    found = resolve(law if isinstance(law, Law | str | Path) else getattr(law, "law", law))
    if found.values is None:
        sets = f"use one of its published sets, {listing(found.sets)}, or " if found.sets else ""
        values = "" if found.sets else ", or give parameters= to sf.law"
        hint = Advice(
            f"{sets}fit it to runs", Phrase(f" with sf.fit{values}", ": scalefast fit RUNS --law … -o law.parquet")
        )
        raise LawError(f"`{law_name(found)}` has no values for its parameters", code="no-values", hint=hint)
    return found


def stated_cost(law: Law, cost: str | None) -> str:
    """The cost asked for, else the law's own. Raises LawError: `no-cost` where there is neither, `no-loss` without L."""
    if "L" not in law.outputs:
        raise LawError(
            f"`{law_name(law)}` gives {listing(law.outputs)} of {listing(law.variables)}, and no loss: "
            "there is nothing to minimise",
            code="no-loss",
            hint="law.predict and `scalefast predict` give what it gives; take a law of L",
        )
    if cost is None and law.cost is None:
        raise LawError(
            f"`{law_name(law)}` declares no cost",
            code="no-cost",
            argument="cost",
            hint=Advice("say what a run costs, such as ", Argument("cost", "6*N*D"), " (FLOPs)"),
        )
    return str(cost or law.cost)


def choose_draws(law: Law, draws: int | Any | None) -> FloatArray | None:
    """Draws as `p` rows of `K` values, or None."""
    if isinstance(draws, int):
        if draws < 0:
            raise SettingsError(
                f"draws must not be negative; got {draws}",
                code="bad-draws",
                argument="draws",
                value=float(draws),
                limit=0.0,
            )
        stored = law.draws
        if draws == 0 or stored is None:
            return None
        if draws > stored.height:
            raise SettingsError(
                f"`{law_name(law)}` comes with {stored.height} draws",
                code="bad-draws",
                value=float(draws),
                limit=float(stored.height),
                hint="ask for at most so many; without a number all are used",
            )
        frame = stored.head(draws)
    elif draws is None:
        if law.draws is None:
            return None
        frame = law.draws
    else:
        frame = collect(read_frame(draws))
    missing = [name for name in law.parameters if name not in frame.columns]
    if missing:
        raise SettingsError(
            f"draws: no column for {listing(missing)}", code="bad-draws", argument="draws", column=missing[0]
        )
    if frame.height == 0:
        raise SettingsError("the frame of draws has no rows", code="bad-draws", value=0.0)
    return np.stack([to_array(frame[name]) for name in law.parameters])


def law_name(law: Law) -> str:
    """The id; a fit of a catalogued form goes by the form."""
    return law.id or (f"{law.form.id} (own values)" if law.form.id else law.formula)
