"""Accounting rules: what a token costs in training FLOPs, of one shape and of a family of shapes of any size.

Stage: between shapes and sweeps. In: a rule of the table and a `Transformer`. Out: FLOPs a token of that shape; a formula
of N and D that a sweep takes as `cost=`; a frame that puts the rules side by side. One truth a rule: its formula of the
shape's sizes, read by the core for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from scalefast._errors import SettingsError
from scalefast._lifetime import lifetime_cost
from scalefast._names import did_you_mean
from scalefast._shape import Transformer

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ACCOUNTINGS", "Accounting", "accountings", "counts_of", "per_token", "training_cost"]


class Accounting(NamedTuple):
    """A rule.

    Attributes
    ----------
    name: what it goes by.
    formula: training FLOPs of one token from the sizes of a shape; the backward pass is twice the forward one.
    counts: what is counted, in words.
    source: where it was published.
    """

    name: str
    formula: str
    counts: str
    source: str


#: N: parameters that a token passes; N_body: those outside of embeddings; attention: heads * head_size; projections and
#: dense: weights of a layer's attention and of its active feed-forwards. All are of one token and all layers are alike.
ACCOUNTINGS = {
    rule.name: rule
    for rule in (
        Accounting("6N", "6*N", "every parameter once, no attention scores", "Kaplan et al. 2020, section 2.1"),
        Accounting(
            "kaplan",
            "6*N_body + 6*layers*context*attention",
            "no embeddings; attention scores over half of the context",
            "Kaplan et al. 2020, table 1",
        ),
        Accounting(
            "palm",
            "6*N + 12*layers*attention*context",
            "every parameter, attention scores over the whole context",
            "Chowdhery et al. 2022, appendix B",
        ),
        Accounting(
            "chinchilla",
            "3*(4*vocabulary*width + layers*(2*projections + 2*dense + context*(4*attention + 3*heads)))",
            "matrices, attention scores, softmax, embedding and logits as matrix products",
            "Hoffmann et al. 2022, appendix F",
        ),
        Accounting(
            "deepseek",
            "72*layers*width**2 + 12*layers*width*context",
            "no embeddings, 12 width**2 weights a layer, attention scores over the whole context",
            "DeepSeek-AI 2024 (2401.02954), equation 2",
        ),
    )
}


def rule_of(accounting: str | Accounting) -> Accounting:
    """The rule called so. Raises SettingsError, `unknown-accounting`."""
    if isinstance(accounting, Accounting):
        return accounting
    if accounting not in ACCOUNTINGS:
        hint = did_you_mean(str(accounting), ACCOUNTINGS, "accountings")
        raise SettingsError(f"no accounting `{accounting}`", code="unknown-accounting", hint=hint)
    return ACCOUNTINGS[accounting]


def per_token(shape: Transformer, accounting: str | Accounting) -> int:
    """Training FLOPs of one token of `shape`."""
    return _evaluate(
        rule_of(accounting).formula,
        N=shape.active_parameters,
        N_body=shape.active_parameters - shape.embedding_parameters,
        layers=shape.layers,
        width=shape.width,
        heads=shape.heads,
        attention=shape.attention,
        projections=shape.projections,
        dense=shape.active_experts * shape.expert,
        vocabulary=shape.vocabulary,
        context=shape.context,
    )


def training_cost(accounting: str | Accounting, like: Transformer, *, counts: str = "total") -> str:
    """Training FLOPs as a formula of N and D, for models of every size that look like one shape.

    Width, layers, heads and feed-forward grow in proportion; vocabulary, context and everything else stay. `counts` says
    which parameters N counts: "total", "non-embedding" or "active". Normalisations, biases and routers, a few parts in ten
    thousand, are left out of the relation of N to the width, which then is a cubic with one root above zero.

    Raises SettingsError: `unknown-accounting`, and `bad-shape` for an unknown `counts`.

    Source: the depressed cubic N = n + c*n**(1/3) of Pearce and Song 2024 (2406.12907), here with the family's own c.

    >>> import scalefast as sf
    >>> chinchilla = sf.Transformer(layers=80, width=8192, heads=64, vocabulary=32000, gated=False,
    ...                             tied=True, positions="relative")
    >>> sf.training_cost("6N", chinchilla)
    '6*N*D'
    >>> cost = sf.training_cost("palm", chinchilla)
    >>> row = sf.sweep("hoffmann-2022", budget=5.76e23, cost=cost).summary.row(0, named=True)
    >>> f"{row['N']:.4g} {row['D']:.4g}"
    '4.048e+10 2.267e+12'
    """
    like.count(counts)
    weights = _weights(like, like.active_experts if counts == "active" else like.experts)
    embedding = 0 if counts == "non-embedding" else like.embedding_parameters
    linear, square, cube = _polynomial(rule_of(accounting), like)
    # N = weights*scale**3 + embedding*scale. Where the rule leaves embeddings out, a multiple of N would have to be made
    # smaller again, a difference of near equals at small sizes; then the cost is one of the scale alone.
    multiple = cube / weights
    terms = [(square, "scale**2"), (linear - multiple * embedding, "scale")]
    cost = f"{multiple}*N"
    if terms[1][0] < 0:
        terms, cost = [(square, "scale**2"), (linear, "scale")], f"{cube}*scale**3"
    cost += "".join(f" + {coefficient}*{power}" for coefficient, power in terms if coefficient)
    cost = f"({cost})*D" if "scale" in cost else f"{cost}*D"
    definitions = [("share", f"N/{weights}"), ("scale", "share**(1/3)")]
    if embedding:
        # The root of scale**3 + 3*third*scale = share by Cardano, as a quotient of positive terms.
        definitions[1:] = [
            ("third", f"{embedding}/{3 * weights}"),
            ("root", "(share/2 + sqrt(share**2/4 + third**3))**(1/3)"),
            ("scale", "share/(root**2 + third + (third/root)**2)"),
        ]
    from scalefast._core import System

    return System.parse([("C", cost)], definitions).print("C")


def accountings(
    like: Transformer,
    *,
    law: Any = None,
    budget: Any = None,
    counts: str | None = None,
    lifetime: Mapping[str, Any] | None = None,
    draws: int | Any | None = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
) -> pl.DataFrame:
    """Every accounting rule side by side: what a token of `like` costs and, with a budget, what the budget buys.

    Parameters
    ----------
    like: the shape, and with a budget the family of shapes of every size that look like it.
    law, budget, draws, quantiles: as in `sweep`; `law` is one law. None for both: no allocation.
    lifetime: arguments of `lifetime_cost`, for the cost of training and serving by each rule; None: training alone.
    counts: what the law's N counts; None: what its `n_definition` says, else all parameters.

    Returns one row a rule (and budget): accounting; flops_per_token of `like`, and its ratio to 6 N as `per_6N`; the cost as
    a formula of N and D; then, with a budget, the columns of a sweep's summary.

    >>> import scalefast as sf
    >>> shape = sf.Transformer(layers=32, width=4096, heads=32, vocabulary=32000, context=4096)
    >>> sf.accountings(shape).select("accounting", "flops_per_token").row(2)
    ('palm', 46872944640)
    """
    import polars as pl

    chosen = counts or counts_of(law)
    costs = {name: training_cost(rule, like, counts=chosen) for name, rule in ACCOUNTINGS.items()}
    if lifetime:
        costs = {name: lifetime_cost(training=cost, **lifetime) for name, cost in costs.items()}
    flops = [per_token(like, name) for name in costs]
    table = pl.DataFrame(
        {
            "accounting": list(costs),
            "flops_per_token": pl.Series(flops, dtype=pl.Int64),
            "per_6N": [value / per_token(like, "6N") for value in flops],
            "cost": list(costs.values()),
        }
    )
    if budget is None:
        return table
    from scalefast._sweep import DEFAULT_LAW, sweep

    swept = [
        sweep(law or DEFAULT_LAW, budget, cost=cost, draws=draws, quantiles=quantiles).summary.with_columns(
            accounting=pl.lit(name)
        )
        for name, cost in costs.items()
    ]
    return table.join(pl.concat(swept), on="accounting", how="left", maintain_order="left_right")


def counts_of(law: Any) -> str:
    """What a law's N counts, by its `n_definition`: "non-embedding", "active", else "total"."""
    from scalefast._sweep import one_law

    if law is None:
        return "total"
    found = one_law(law)
    size = found.variables.get("N")
    stated = (found.published.n_definition if found.published else None) or (size.definition if size else None) or ""
    if stated.startswith("without the vocabulary"):
        return "non-embedding"
    return next((which for which in ("non-embedding", "active") if stated.startswith(which)), "total")


def _polynomial(rule: Accounting, like: Transformer) -> tuple[Fraction, Fraction, Fraction]:
    """Coefficients of scale, scale**2 and scale**3 in the FLOPs of a token, where scale multiplies width and layers."""
    body = _weights(like, like.active_experts)
    one, two, three = (
        _evaluate(
            rule.formula,
            N=body * scale**3 + like.embedding_parameters * scale,
            N_body=body * scale**3,
            layers=like.layers * scale,
            width=like.width * scale,
            heads=like.heads * scale,
            attention=like.attention * scale,
            projections=like.projections * scale**2,
            dense=like.active_experts * like.expert * scale**2,
            vocabulary=like.vocabulary,
            context=like.context,
        )
        for scale in (1, 2, 3)
    )
    # Three values of a cubic without constant term, solved by differences.
    cube = Fraction(three - 3 * two + 3 * one, 6)
    square = Fraction(two - 2 * one, 2) - 3 * cube
    return one - square - cube, square, cube


def _weights(like: Transformer, experts: int) -> int:
    """Weights of all matrices of the blocks, with so many experts in each."""
    layer = like.projections + experts * like.expert
    if like.positions == "relative":
        layer += like.width * like.attention
    return like.layers * layer


def _evaluate(formula: str, **sizes: int) -> int:
    """The whole number that a rule gives, exact below 2**53."""
    import numpy as np

    from scalefast._core import System

    columns = {name: np.array([float(size)]) for name, size in sizes.items()}
    return int(System.parse([("flops", formula)], []).evaluate(columns, {})["flops"][0])
