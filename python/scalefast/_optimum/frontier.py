"""Frontier laws: laws that give the best size and data at a compute themselves, asked from either side.

Stage: between laws and sweeps, beside `question`. In: a law whose only variable is C, and targets of one of C, size,
data or loss. Out: the columns of the core, as for laws that have a loss to minimise. The compute behind a size is the
core's root of the law's own formula; such a law says nothing off its frontier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalefast._base.errors import LawError, SettingsError
from scalefast._base.suggest import listing
from scalefast._base.wording import Advice, Phrase
from scalefast._core import System, answer
from scalefast._data.frames import FloatArray
from scalefast._laws.law import Law
from scalefast._optimum.question import Columns, Over

__all__ = ["Frontier", "is_frontier"]


def is_frontier(law: Law) -> bool:
    """Whether the law gives sizes and data at a compute, and not only a loss."""
    return list(law.variables) == ["C"] and any(name != "L" for name in law.outputs)


@dataclass(frozen=True, eq=False)
class Frontier:
    """A frontier law and which two of its outputs are size and data.

    Raises LawError, `unknown-symbol`, where the law does not give both.
    """

    law: Law
    name: str
    optimise: tuple[str, str]

    def __post_init__(self) -> None:
        for name in self.optimise:
            if name not in self.law.outputs:
                raise LawError(
                    f"`{self.name}` gives {listing(self.law.outputs)} at a compute, but no `{name}`",
                    code="unknown-symbol",
                    column=name,
                    argument="optimise",
                    hint=Advice(
                        "choose among its outputs, such as ",
                        Phrase(
                            f"optimise={tuple(self.law.outputs[:2])}", f"--optimise {','.join(self.law.outputs[:2])}"
                        ),
                    ),
                )

    def refuse(self, **settings: object) -> None:
        """Raises SettingsError, `bad-given`, for settings that would change what there is to choose."""
        for argument, value in settings.items():
            if value:
                message = (
                    f"`{self.name}` gives {listing(self.optimise)} at a compute itself: there is nothing to choose"
                )
                raise SettingsError(message, code="bad-given", hint=f"leave out {argument}")

    def needs_loss(self, known: Sequence[str]) -> LawError:
        """What to say to a question that only a law of the loss could answer."""
        return LawError(
            f"`{self.name}` gives the best {listing(self.optimise)} at a compute, and no loss: "
            f"it cannot tell what follows from {' and '.join(known)}",
            code="no-loss",
            hint=f"ask from one of C, {', '.join(self.optimise)} alone, or take a law of L",
        )

    def answer(self, known: str, targets: FloatArray, over: Over) -> Columns:
        """Size, data, ratio, compute (`cost`) and, where the law has it, `loss`, at each target of `known`; where asked for
        every draw's own too."""
        formulas = {"C": "C", **self.law.form.outputs}

        def ask(aim: str, root: str, constraint: str) -> dict[str, Any]:
            values = dict(self.law.values or {})
            return answer(
                self._system({"$root": formulas[root]}),
                "$root",
                self._system({"$cost": formulas[constraint], **{f"${name}": formulas[name] for name in self.optimise}}),
                aim,
                ["C"],
                [(None, None)],
                list(values),
                np.array(list(values.values()), dtype=np.float64),
                over.draws,
                targets,
                list(over.quantiles),
                over.threads,
                over.call,
                keep=over.keep,
            )

        # The loss falls with the compute, all else rises: the core brackets each from its own side.
        if known == "L":
            return ask("loss", "L", "C")
        found = ask("budget", "C", known)
        columns = {**found, "cost": found["loss"], "cost_quantiles": found["loss_quantiles"]}
        del columns["loss"], columns["loss_quantiles"], columns["plan_quantiles"]
        if "L" in formulas:
            loss = ask("budget", "L", known)
            columns |= {"loss": loss["loss"], "loss_quantiles": loss["loss_quantiles"]}
        if over.keep:
            first, second, _ = columns["kept"]
            columns["kept"] = [first, second, loss["kept"][2] if "L" in formulas else np.full_like(first, np.nan)]
        return columns

    def floor(self) -> float:
        """The loss at unlimited compute, in nats per token."""
        found = self.law.system.evaluate({"C": np.array([np.inf])}, dict(self.law.values or {}))
        return float(found["L"][0])

    def _system(self, outputs: Mapping[str, str]) -> System:
        return System.parse(list(outputs.items()), list(self.law.definitions.items()))
