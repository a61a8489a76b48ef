"""Costs of families: training and serving FLOPs as formulas of N and D, for models of every size that look like one shape.

Stage: between accounting rules and sweeps. In: a rule and a `Transformer` as the example. Out: text that `sweep` and `solve`
take as `cost=`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from scalefast._base.errors import SettingsError
from scalefast._core import System
from scalefast._costs.accounting import Accounting, flops, rule_of
from scalefast._costs.transformer import Transformer
from scalefast._laws.arguments import one_law

__all__ = ["counts_of", "serving_cost", "training_cost"]

#: FLOPs of a token beyond 2**53 are rounded.
_ROUNDING = 1e-12


def training_cost(accounting: str | Accounting, like: Transformer, *, counts: str = "total") -> str:
    """Training FLOPs as a formula of N and D, for models of every size that look like one shape.

    Width, layers, heads and feed-forward grow in proportion; vocabulary, context and everything else stay. Normalisations,
    biases and routers, a few parts in ten thousand, are left out of the relation of N to the width, which then is a cubic
    with one root above zero: the depressed cubic N = n + c*n**(1/3) of Pearce and Song 2024 (2406.12907), with the family's
    own c.

    Parameters
    ----------
    accounting
        The name of a rule of `sf.accountings`, or an `Accounting`.
    like
        The example: models of every size look like it.
    counts
        The parameters that N counts: "total", "non-embedding" or "active".

    Returns
    -------
    str
        A formula that `sweep` and `solve` take as `cost=`.

    Raises
    ------
    SettingsError
        `unknown-accounting`; `bad-shape` for an unknown `counts`.

    Examples
    --------
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
    return System.parse([("C", f"({_token(accounting, like, counts, 1)})*D")], []).print("C")


def serving_cost(accounting: str | Accounting, like: Transformer, *, counts: str = "total") -> str:
    """FLOPs of serving one token as a formula of N, a third of those of training on it: what `lifetime_cost` takes.

    Parameters
    ----------
    accounting
        The name of a rule of `sf.accountings`, or an `Accounting`.
    like
        The example: models of every size look like it.
    counts
        The parameters that N counts: "total", "non-embedding" or "active".

    Returns
    -------
    str
        A formula of N.

    Raises
    ------
    SettingsError
        `unknown-accounting`; `bad-shape` for an unknown `counts`.

    Examples
    --------
    >>> import scalefast as sf
    >>> mixtral = sf.Transformer(layers=32, width=4096, heads=32, kv_heads=8, feed_forward=14336, vocabulary=32000,
    ...                          experts=8, active_experts=2)
    >>> sf.serving_cost("6N", mixtral, counts="active")
    '2*N'
    """
    return _token(accounting, like, counts, 3)


def counts_of(law: Any) -> str:
    """What a law's N counts, by its `n_definition`: "non-embedding", "active", else "total"."""
    if law is None:
        return "total"
    found = one_law(law)
    size = found.variables.get("N")
    stated = (found.published.n_definition if found.published else None) or (size.definition if size else None) or ""
    if stated.startswith("without the vocabulary"):
        return "non-embedding"
    return next((which for which in ("non-embedding", "active") if stated.startswith(which)), "total")


def _token(accounting: str | Accounting, like: Transformer, counts: str, divisor: int) -> str:
    """FLOPs of one token over `divisor`, as a formula of N."""
    like.count(counts)
    weights = _weights(like, like.active_experts if counts == "active" else like.experts)
    embedding = 0 if counts == "non-embedding" else like.embedding_parameters
    linear, square, cube = (term / divisor for term in _polynomial(rule_of(accounting), like))
    # N = weights*scale**3 + embedding*scale. Where the rule leaves embeddings out, a multiple of N would have to be made
    # smaller again, a difference of near equals at small sizes; then the cost is one of the scale alone.
    multiple = cube / weights
    terms = [(square, "scale**2"), (linear - multiple * embedding, "scale")]
    cost = f"{multiple}*N"
    if terms[1][0] < 0:
        terms, cost = [(square, "scale**2"), (linear, "scale")], f"{cube}*scale**3"
    cost += "".join(f" + {coefficient}*{power}" for coefficient, power in terms if coefficient)
    definitions = [("share", f"N/{weights}"), ("scale", "share**(1/3)")]
    if embedding:
        # The root of scale**3 + 3*third*scale = share by Cardano, as a quotient of positive terms.
        definitions[1:] = [
            ("third", f"{embedding}/{3 * weights}"),
            ("root", "(share/2 + sqrt(share**2/4 + third**3))**(1/3)"),
            ("scale", "share/(root**2 + third + (third/root)**2)"),
        ]
    return System.parse([("C", cost)], definitions).print("C")


def _polynomial(rule: Accounting, like: Transformer) -> tuple[Fraction, Fraction, Fraction]:
    """Coefficients of scale, scale**2 and scale**3 in the FLOPs of a token, where scale multiplies width and layers."""
    body = _weights(like, like.active_experts)
    one, two, three, four = (
        flops(
            rule,
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
        for scale in (1, 2, 3, 4)
    )
    # Three values of a cubic without constant term, solved by differences.
    cube = Fraction(three - 3 * two + 3 * one, 6)
    square = Fraction(two - 2 * one, 2) - 3 * cube
    linear = one - square - cube
    if abs(64 * cube + 16 * square + 4 * linear - four) > four * _ROUNDING:
        message = f"`{rule.name}` is not a cubic of the scale of a shape: {rule.formula}"
        raise SettingsError(message, code="bad-accounting", hint="a rule is a sum of products of sizes")
    return linear, square, cube


def _weights(like: Transformer, experts: int) -> int:
    """Weights of all matrices of the blocks, with so many experts in each."""
    layer = like.projections + experts * like.expert
    if like.positions == "relative":
        layer += like.width * like.attention
    return like.layers * layer
