"""Accounting rules: what a token costs in training FLOPs.

Stage: between shapes and costs. In: a rule of the table and the sizes of a shape. Out: FLOPs of a token. One truth a rule: its
formula of the sizes, which the core evaluates, for one shape (`transformer`) and for families of shapes (`family`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scalefast._base.errors import SettingsError
from scalefast._base.suggest import did_you_mean
from scalefast._core import System

__all__ = ["ACCOUNTINGS", "Accounting", "flops", "rule_of"]


class Accounting(NamedTuple):
    """A rule, one of the table or your own: wherever a rule is named, one may be given.

    Attributes
    ----------
    name: what it goes by.
    formula: training FLOPs of one token from N, N_body (without embeddings), layers, width, heads, attention (heads times
        their size), projections and dense (weights of a layer's attention and of its active feed-forwards), vocabulary,
        context; the backward pass is twice the forward one.
    counts: what is counted, in words.
    source: where it was published.

    >>> import scalefast as sf
    >>> causal = sf.Accounting("causal", "6*N + 6*layers*attention*context", "scores below the diagonal", "ours")
    >>> llama = sf.Transformer(layers=32, width=4096, heads=32, vocabulary=32000, context=2048)
    >>> llama.flops_per_token(causal) - llama.flops_per_token("6N")
    1610612736
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
            "no embeddings, 12 width**2 weights per layer, attention scores over the whole context",
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
        raise SettingsError(
            f"accounting must be a known rule; got `{accounting}`",
            code="unknown-accounting",
            argument="accounting",
            hint=hint,
        )
    return ACCOUNTINGS[accounting]


#: The largest whole number of a column.
_MOST = 2.0**63


def flops(rule: Accounting, **sizes: int) -> int:
    """The whole number that a rule gives for a shape of these sizes, exact below 2**53.

    Raises SettingsError: `bad-accounting` for a rule of one's own that reads anything else, `bad-shape` where the number
    is too large to be counted.
    """
    system = System.parse([("flops", rule.formula)], [])
    for name in system.symbols():
        if name not in sizes:
            hint = did_you_mean(name, sizes, "sizes")
            raise SettingsError(f"`{rule.name}` reads `{name}`", code="bad-accounting", column=name, hint=hint)
    columns = {name: np.array([float(size)]) for name, size in sizes.items()}
    found = float(system.evaluate(columns, {})["flops"][0])
    if not found < _MOST:
        message = f"the shape takes {found:.4g} FLOPs per token, more than can be counted exactly"
        raise SettingsError(message, code="bad-shape", value=found, limit=_MOST, hint="look at the sizes")
    return int(found)
