"""Shapes of transformers: exact counts of parameters, and the FLOPs of a token by the accounting rules of the field.

Stage: before costs and buildable models. In: layers, width, heads, feed-forward, vocabulary, context. Out: `Transformer`,
an immutable value. Counts are whole numbers, exact; so are FLOPs below 2**53 a token. Sources: Vaswani et al. 2017 for the
block, and each accounting rule's own (`accounting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalefast._base.errors import SettingsError
from scalefast._base.suggest import did_you_mean, listing

if TYPE_CHECKING:
    from scalefast._costs.accounting import Accounting

__all__ = ["COUNTS", "POSITIONS", "Transformer", "check_size", "per_token"]

#: How positions enter. Only learned ones (a table of `context` rows) and relative ones (Transformer-XL, as in Gopher and
#: Chinchilla: one more projection a layer) have parameters; rotary stands for whatever has none.
POSITIONS = ("rotary", "learned", "relative")
#: Which parameters a law's N may count.
COUNTS = ("total", "non-embedding", "active")


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """A decoder-only transformer, dense or with experts in place of each feed-forward; by default as LLaMA's.

    Parameters
    ----------
    layers, width: blocks, and the size of the residual stream (d_model).
    heads: query heads of `head_size` each. head_size: None: width / heads. kv_heads: key and value heads; None: as many.
    gated: three matrices in a feed-forward (SwiGLU and the like), not two.
    feed_forward: inner size of each feed-forward (of one expert); None: where gated 8/3 of the width, up to a multiple of
        256, as in LLaMA; else 4 * width.
    vocabulary: tokens of the embedding. context: tokens of a training sequence.
    tied: whether one matrix embeds and unembeds.
    positions: "rotary" (or others without parameters), "learned", "relative".
    biases: whether linear maps and normalisations have a bias besides the weight.
    experts, active_experts: experts of a layer and how many a token passes; a router is counted where there are several.

    Raises SettingsError, `bad-shape`, for sizes that are not whole numbers above zero or do not divide.

    >>> import scalefast as sf
    >>> gpt3 = sf.Transformer(layers=96, width=12288, heads=96, vocabulary=50257, context=2048, gated=False,
    ...                       tied=True, positions="learned", biases=True)
    >>> gpt3.parameters, gpt3.non_embedding_parameters
    (174604259328, 173961535488)
    >>> gpt3.flops_per_token("kaplan")
    1058264727552
    """

    layers: int
    width: int
    heads: int
    vocabulary: int
    context: int = 2048
    feed_forward: int | None = None
    head_size: int | None = None
    kv_heads: int | None = None
    gated: bool = True
    tied: bool = False
    positions: str = "rotary"
    biases: bool = False
    experts: int = 1
    active_experts: int = 1

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "vocabulary", "context", "experts", "active_experts"):
            check_size(name, getattr(self, name))
        _fill(self, "feed_forward", -(-8 * self.width // 768) * 256 if self.gated else 4 * self.width)
        _fill(self, "kv_heads", self.heads)
        if self.head_size is None and self.width % self.heads:
            raise _bad(
                "width",
                f"width {self.width} is not a multiple of {self.heads} heads",
                self.width,
                self.heads,
                hint="choose heads that divide the width, or say head_size",
            )
        _fill(self, "head_size", self.width // self.heads)
        if self.heads % _filled(self.kv_heads):
            message = f"{self.heads} heads cannot share {_filled(self.kv_heads)} key and value heads evenly"
            raise _bad("kv_heads", message, _filled(self.kv_heads), self.heads, hint="kv_heads must divide heads")
        if self.active_experts > self.experts:
            message = f"{self.active_experts} of {self.experts} experts cannot be active"
            raise _bad("active_experts", message, self.active_experts, self.experts)
        if self.positions not in POSITIONS:
            hint = did_you_mean(self.positions, POSITIONS, "positions")
            raise SettingsError(
                f"positions must be one of {listing(POSITIONS)}; got `{self.positions}`",
                code="bad-shape",
                argument="positions",
                column="positions",
                hint=hint,
            )

    @property
    def attention(self) -> int:
        """Size of all query heads together: heads * head_size."""
        return self.heads * _filled(self.head_size)

    @property
    def projections(self) -> int:
        """Weights of a layer's query, key, value and output projections."""
        shared = self.attention * _filled(self.kv_heads) // self.heads
        return 2 * self.width * (self.attention + shared)

    @property
    def expert(self) -> int:
        """Weights of one feed-forward."""
        return (3 if self.gated else 2) * self.width * _filled(self.feed_forward)

    @property
    def embedding_parameters(self) -> int:
        """Of tokens (twice where untied) and of learned positions."""
        rows = self.vocabulary * (1 if self.tied else 2) + (self.context if self.positions == "learned" else 0)
        return rows * self.width

    @property
    def parameters(self) -> int:
        """All of them."""
        return self.embedding_parameters + self.non_embedding_parameters

    @property
    def non_embedding_parameters(self) -> int:
        """All but those of the embeddings of tokens and positions (Kaplan et al. 2020, section 2.1)."""
        return self._body(self.experts)

    @property
    def active_parameters(self) -> int:
        """Those that one token passes: all of a dense model; of a mixture, its active experts alone."""
        return self.embedding_parameters + self._body(self.active_experts)

    def count(self, which: str) -> int:
        """The parameters that a law's N counts: "total", "non-embedding" or "active"."""
        if which not in COUNTS:
            hint = did_you_mean(which, COUNTS, "counts")
            raise SettingsError(
                f"counts must be one of {listing(COUNTS)}; got `{which}`",
                code="bad-shape",
                argument="counts",
                column="counts",
                hint=hint,
            )
        return {
            "total": self.parameters,
            "non-embedding": self.non_embedding_parameters,
            "active": self.active_parameters,
        }[which]

    def flops_per_token(self, accounting: str | Accounting = "6N") -> int:
        """Training FLOPs of one token, forward and backward, by a rule of `sf.accountings`; a third of it serves one.

        Raises SettingsError, `unknown-accounting`.
        """
        return per_token(self, accounting)

    def _body(self, experts: int) -> int:
        """Parameters of the blocks and of the last normalisation, with so many experts in each block."""
        norm = self.width * (2 if self.biases else 1)
        layer = self.projections + experts * self.expert + 2 * norm
        if self.positions == "relative":
            layer += self.width * self.attention
        if self.experts > 1:
            layer += self.width * self.experts
        if self.biases:
            shared = self.attention * _filled(self.kv_heads) // self.heads
            layer += self.attention + 2 * shared + self.width
            layer += experts * ((2 if self.gated else 1) * _filled(self.feed_forward) + self.width)
        return self.layers * layer + norm


def _fill(shape: Transformer, name: str, default: int) -> None:
    """What was left open gets its value, so that equal shapes compare equal."""
    value = getattr(shape, name)
    if value is None:
        object.__setattr__(shape, name, default)
    else:
        check_size(name, value)


def _filled(size: int | None) -> int:
    """A size that `_fill` has settled."""
    assert size is not None
    return size


#: No size of a transformer is larger.
_LARGEST = 100_000_000


def check_size(name: str, value: object) -> None:
    """Raises SettingsError, `bad-shape`, for what is not a whole number above zero."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        shown = float(value) if isinstance(value, int | float) else None
        message = f"{name} must be a whole number above zero; got {value!r:.40}"
        raise SettingsError(message, code="bad-shape", argument=name, column=name, value=shown, limit=1.0)
    if value > _LARGEST:
        message = f"{name} must be at most {_LARGEST:,}; got {float(min(value, 10**300)):.4g}"
        raise SettingsError(message, code="bad-shape", argument=name, column=name, limit=float(_LARGEST))


def _bad(name: str, message: str, value: int, limit: int, hint: str | None = None) -> SettingsError:
    return SettingsError(
        message, code="bad-shape", argument=name, column=name, value=float(value), limit=float(limit), hint=hint
    )


def per_token(shape: Transformer, accounting: str | Accounting) -> int:
    """Training FLOPs of one token of `shape`."""
    # Loaded when asked for: rules are evaluated by the core, shapes alone need neither it nor NumPy.
    from scalefast._costs.accounting import flops, rule_of

    return flops(
        rule_of(accounting),
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
