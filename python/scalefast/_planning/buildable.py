"""Buildable models: the shapes nearest to a size, under the rules that hardware and habit impose.

Stage: after sweeps. In: a size, or a budget and a law; divisibility rules. Out: a frame of shapes, best first, each with its
exact parameters, its FLOPs and, with a budget, the loss that it gives up against the law's best split.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._base.errors import LawError, SettingsError
from scalefast._core import System
from scalefast._costs.family import counts_of
from scalefast._costs.transformer import Transformer, check_size, per_token
from scalefast._laws.arguments import DEFAULT_LAW, law_name, one_law, stated_cost
from scalefast._laws.law import Law
from scalefast._optimum.question import Question

if TYPE_CHECKING:
    from scalefast._fitting.fit import Fit

__all__ = ["ShapeRules", "buildable"]

#: Width over layers that is usual at a size: 64 at 125M parameters and 128 from 7B on (GPT-3: 64 at 125M, 128 at 13B and
#: 175B, Brown et al. 2020, table 2.1; LLaMA: 128 at 7B, 102 at 65B, Touvron et al. 2023, table 2; Llama 3: 128, 102 and 130
#: at 8B, 70B and 405B, table 3). The loss hardly minds: 6 layers of 4288 lie within 3 % of 48 of 1600 (Kaplan et al. 2020,
#: section 3.1).
_USUAL_ASPECT = "min(128, 128*(N/7e9)**(1/6))"
#: How far a shape departs from what was wanted. A factor of e in the aspect counts as much as a tenth of one in the size.
_DEPARTURE = "abs(log(parameters/wanted)) + 0.1*abs(log(aspect/usual))"
#: Aspects looked at, as multiples of the usual one.
_ASPECTS = (0.5, 2.0)
#: Widths looked at, at most: 100T parameters have a tenth of them at multiples of 16.
_WIDTHS = 100_000


@dataclass(frozen=True, kw_only=True)
class ShapeRules:
    """What may be built.

    Parameters
    ----------
    head_size: of an attention head. width_multiple, feed_forward_multiple, layers_multiple, vocabulary_multiple: what each
        must be divisible by; layers by the pipeline's stages, the vocabulary (padded up) for the kernels.
    tensor_parallel: devices that share a layer: heads, key and value heads, feed-forward and vocabulary divide by it.

    Raises SettingsError, `bad-shape`, for what is not a whole number above zero.

    >>> ShapeRules(tensor_parallel=8).vocabulary_multiple
    128
    """

    head_size: int = 128
    width_multiple: int = 128
    feed_forward_multiple: int = 256
    layers_multiple: int = 1
    vocabulary_multiple: int = 128
    tensor_parallel: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_size(name, value)


def buildable(
    N: float | None = None,
    *,
    vocabulary: int,
    law: Law | Fit | str | Path | None = None,
    budget: float | None = None,
    given: Mapping[str, float | str] | None = None,
    rules: ShapeRules | None = None,
    context: int = 2048,
    feed_forward: float | None = None,
    kv_heads: int | None = None,
    gated: bool = True,
    tied: bool = False,
    positions: str = "rotary",
    biases: bool = False,
    experts: int = 1,
    active_experts: int = 1,
    aspect: float | None = None,
    counts: str | None = None,
    accounting: str = "6N",
    count: int = 10,
) -> pl.DataFrame:
    """The shapes nearest to a size, best first.

    Parameters
    ----------
    N: parameters wanted, counted as `counts` says; None: the best size for `budget` under `law`.
    vocabulary, context, gated, tied, positions, biases, experts, active_experts: as of a `Transformer`; the vocabulary is
        padded up as the rules say.
    law, budget: with a budget (FLOPs), what it buys at each shape; the law is `epoch-2024-huber` unless named. given: what
        the law needs besides N and D, as in `sweep`.
    rules: divisibility. feed_forward: inner size as a multiple of the width, rounded up; None: 8/3 where gated, else 4.
    kv_heads: key and value heads; None: as many as heads.
    aspect: width over layers to prefer; None: what is usual at the size, from 64 at 125M to 128 at 7B and more.
    counts: "total", "non-embedding" or "active"; None: what the law's N counts, else total.
    accounting: rule for the FLOPs of a token (see `sf.accountings`). count: how many shapes.

    Returns one row a shape: layers, width, heads, kv_heads, feed_forward, vocabulary, tied; parameters,
    non_embedding_parameters, active_parameters; size_error, the relative error of its N; aspect; departure, the order of the
    rows (|ln| of the size's error plus a tenth of |ln| of the aspect's); flops_per_token. With a budget D, D_per_N, L, and
    what is given up against the law's best split under its own cost: L_given_up in nats per token, compute_given_up as the
    share of the budget that would have sufficed for L. Else these are null.

    Raises SettingsError: `bad-shape`, `not-positive`, `bad-question` for neither N nor budget, `nothing-buildable` where no
    shape within a factor of two of the aspect obeys the rules.

    >>> import scalefast as sf
    >>> llama = sf.buildable(6.74e9, vocabulary=32000).select("layers", "width", "heads", "feed_forward", "parameters")
    >>> llama.row(0)
    (32, 4096, 32, 11008, 6738415616)
    """
    chosen = rules or ShapeRules()
    for name, number in (("vocabulary", vocabulary), ("count", count), ("kv_heads", kv_heads)):
        if number is not None:
            check_size(name, number)
    which = counts or counts_of(law)
    question = None
    if budget is not None:
        if not (math.isfinite(budget) and budget > 0):
            message = f"budget must be positive and finite; got {budget:g}"
            raise SettingsError(message, code="bad-budget", argument="budget", value=budget)
        found = one_law(law if law is not None else DEFAULT_LAW)
        question = Question(found, law_name(found), stated_cost(found, None), ("N", "D"), given or {}, {})
    wanted = N if N is not None else _best_size(question, budget)
    if not (math.isfinite(wanted) and wanted > 0):
        raise SettingsError(f"N must be positive and finite; got {wanted:g}", code="not-positive", column="N")
    for name, value in (("aspect", aspect), ("feed_forward", feed_forward)):
        if value is not None and not (math.isfinite(value) and value > 0):
            message = f"{name} must be positive and finite; got {value:g}"
            raise SettingsError(message, code="not-positive", argument=name, column=name)
    usual = float(_formula(_USUAL_ASPECT, N=[wanted])[0]) if aspect is None else float(aspect)
    kind = _Kind(
        chosen, vocabulary, context, feed_forward, kv_heads, gated, tied, positions, biases, experts, active_experts
    )
    shapes = list(_shapes(kind, wanted, which, usual))
    if not shapes:
        raise SettingsError(
            f"no shape of {wanted:.4g} parameters within a factor of two of width/layers = {usual:.3g} obeys {chosen}",
            code="nothing-buildable",
            value=float(wanted),
            hint="loosen the rules, or name another aspect",
        )
    table = _table(shapes, wanted, which, usual, accounting).sort("departure", "parameters", "layers").head(count)
    return _with_budget(table, question, budget, which)


@dataclass(frozen=True)
class _Kind:
    """All of a shape but its layers and width."""

    rules: ShapeRules
    vocabulary: int
    context: int
    feed_forward: float | None
    kv_heads: int | None
    gated: bool
    tied: bool
    positions: str
    biases: bool
    experts: int
    active_experts: int

    def shape(self, layers: int, width: int) -> Transformer | None:
        """The shape of that depth and width, or None where a rule forbids it."""
        rules = self.rules
        heads, rest = divmod(width, rules.head_size)
        ratio = Fraction(str(self.feed_forward)) if self.feed_forward else Fraction(8, 3) if self.gated else Fraction(4)
        inner = _up(math.ceil(ratio * width), math.lcm(rules.feed_forward_multiple, rules.tensor_parallel))
        shared = heads if self.kv_heads is None else self.kv_heads
        if rest or heads % rules.tensor_parallel or heads % shared or shared % rules.tensor_parallel:
            return None
        return Transformer(
            layers=layers,
            width=width,
            heads=heads,
            vocabulary=_up(self.vocabulary, math.lcm(rules.vocabulary_multiple, rules.tensor_parallel)),
            context=self.context,
            feed_forward=inner,
            kv_heads=shared,
            gated=self.gated,
            tied=self.tied,
            positions=self.positions,
            biases=self.biases,
            experts=self.experts,
            active_experts=self.active_experts,
        )


def _shapes(kind: _Kind, wanted: float, which: str, usual: float) -> Iterator[Transformer]:
    """At every width allowed, the two depths whose size lies nearest below and above."""
    step = kind.rules.layers_multiple
    low, high = (factor * usual for factor in _ASPECTS)
    # A block has at least the 2*width**2 weights of its query and output projections, and width/high blocks are the fewest.
    widest = int(math.cbrt(wanted * high / 2)) + 1
    if widest > _WIDTHS * kind.rules.width_multiple:
        raise SettingsError(
            f"{wanted:.4g} parameters may have any of {widest // kind.rules.width_multiple} widths",
            code="nothing-buildable",
            value=wanted,
            limit=float(_WIDTHS),
            hint="check the size, or take a larger multiple of the width",
        )
    for width in range(kind.rules.width_multiple, widest + 1, kind.rules.width_multiple):
        one, two = kind.shape(step, width), kind.shape(2 * step, width)
        if one is None or two is None:
            continue
        each = two.count(which) - one.count(which)
        more = int((wanted - one.count(which)) // each)
        for steps in (1,) if more < 0 else (1 + more, 2 + more):
            shape = kind.shape(steps * step, width)
            if shape is not None and low <= width / shape.layers <= high:
                yield shape


def _table(shapes: list[Transformer], wanted: float, which: str, usual: float, accounting: str) -> pl.DataFrame:
    rows = [
        {
            "layers": shape.layers,
            "width": shape.width,
            "heads": shape.heads,
            "kv_heads": shape.kv_heads,
            "feed_forward": shape.feed_forward,
            "vocabulary": shape.vocabulary,
            "tied": shape.tied,
            "parameters": shape.parameters,
            "non_embedding_parameters": shape.non_embedding_parameters,
            "active_parameters": shape.active_parameters,
            "size_error": shape.count(which) / wanted - 1,
            "aspect": shape.width / shape.layers,
            "flops_per_token": per_token(shape, accounting),
        }
        for shape in shapes
    ]
    table = pl.DataFrame(rows)
    counted = [float(shape.count(which)) for shape in shapes]
    departure = _formula(
        _DEPARTURE, {"wanted": float(wanted), "usual": usual}, parameters=counted, aspect=table["aspect"].to_list()
    )
    return table.insert_column(table.width - 1, pl.Series("departure", departure))


def _with_budget(table: pl.DataFrame, question: Question | None, budget: float | None, which: str) -> pl.DataFrame:
    """The columns of what a budget buys; null without one."""
    names = ("D", "D_per_N", "L", "L_given_up", "compute_given_up")
    if question is None or budget is None:
        return table.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in names)
    key = {"total": "parameters", "non-embedding": "non_embedding_parameters", "active": "active_parameters"}[which]
    tokens = budget / table["flops_per_token"].cast(pl.Float64)
    sizes = table[key].cast(pl.Float64)
    loss = pl.Series([question.loss_of(size, data) for size, data in zip(sizes, tokens, strict=True)])
    least = float(question.budget(np.array([budget]))["loss"][0])
    enough = question.answer("loss", loss.to_numpy().copy())["cost"]
    return table.with_columns(
        tokens.alias("D"),
        (tokens / sizes).alias("D_per_N"),
        loss.alias("L"),
        (loss - least).alias("L_given_up"),
        pl.Series("compute_given_up", 1 - enough / budget),
    )


def _best_size(question: Question | None, budget: float | None) -> float:
    if question is None or budget is None:
        hint = "name a size, or a budget to find the best one for"
        raise SettingsError("the size to build is missing", code="bad-question", hint=hint)
    best = float(question.budget(np.array([budget]))["first"][0])
    if not math.isfinite(best):
        message = f"under `{question.name}` the budget has no best size"
        raise LawError(message, code="no-finite-optimum", value=budget, hint="give N")
    return best


def _formula(formula: str, scalars: dict[str, float] | None = None, **columns: list[float]) -> Any:
    """A formula's values, by the core's arithmetic."""
    arrays = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return System.parse([("value", formula)], []).evaluate(arrays, scalars or {})["value"]


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
