"""Shapes and accounting rules: published counts to the parameter, published FLOPs to the printed digit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalefast as sf
from reference import close

LLAMA: dict[str, Any] = {"gated": True, "tied": False, "vocabulary": 32000, "context": 2048}
CLASSIC: dict[str, Any] = {"gated": False, "tied": True}
GPT: dict[str, Any] = {**CLASSIC, "vocabulary": 50257, "positions": "learned", "biases": True}
GOPHER: dict[str, Any] = {**CLASSIC, "vocabulary": 32000, "positions": "relative", "context": 2048}


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        # Checkpoints as released.
        ({**GPT, "layers": 12, "width": 768, "heads": 12, "context": 1024}, 124_439_808),
        ({**GPT, "layers": 48, "width": 1600, "heads": 25, "context": 1024}, 1_557_611_200),
        ({**LLAMA, "layers": 32, "width": 4096, "heads": 32, "feed_forward": 11008}, 6_738_415_616),
        ({**LLAMA, "layers": 40, "width": 5120, "heads": 40, "feed_forward": 13824}, 13_015_864_320),
        ({**LLAMA, "layers": 60, "width": 6656, "heads": 52, "feed_forward": 17920}, 32_528_943_616),
        ({**LLAMA, "layers": 80, "width": 8192, "heads": 64, "feed_forward": 22016}, 65_285_660_672),
        ({**LLAMA, "layers": 80, "width": 8192, "heads": 64, "kv_heads": 8, "feed_forward": 28672}, 68_976_648_192),
        (
            {**LLAMA, "layers": 32, "width": 4096, "heads": 32, "kv_heads": 8, "feed_forward": 14336}
            | {"vocabulary": 128256},
            8_030_261_248,
        ),
        (
            {**LLAMA, "layers": 126, "width": 16384, "heads": 128, "kv_heads": 8, "feed_forward": 53248}
            | {"vocabulary": 128256},
            405_853_388_800,
        ),
        # Mixtral 8x7B.
        (
            {**LLAMA, "layers": 32, "width": 4096, "heads": 32, "kv_heads": 8, "feed_forward": 14336}
            | {"experts": 8, "active_experts": 2},
            46_702_792_704,
        ),
    ],
)
def test_parameters_are_those_of_released_checkpoints(shape: dict[str, Any], parameters: int) -> None:
    assert sf.Transformer(**shape).parameters == parameters


def test_printed_counts() -> None:
    # Brown et al. 2020, table D.1: 174,600M. Kaplan et al. 2020, section 2.1: N = 12 layers width**2, without embeddings.
    gpt3 = sf.Transformer(**GPT, layers=96, width=12288, heads=96)
    assert round(gpt3.parameters / 1e6, -2) == 174_600
    assert close(gpt3.non_embedding_parameters, 12 * 96 * 12288**2, 2e-4)
    # Jiang et al. 2024: 13B active.
    mixtral = sf.Transformer(
        **LLAMA, layers=32, width=4096, heads=32, kv_heads=8, feed_forward=14336, experts=8, active_experts=2
    )
    assert round(mixtral.active_parameters / 1e9) == 13
    assert mixtral.count("active") == mixtral.active_parameters and mixtral.count("total") == mixtral.parameters
    # Hoffmann et al. 2022, table 4.
    assert round(sf.Transformer(**GOPHER, layers=80, width=16384, heads=128).parameters / 1e9) == 280
    assert round(sf.Transformer(**GOPHER, layers=80, width=8192, heads=64).parameters / 1e9) == 70


@pytest.mark.parametrize(
    ("millions", "width", "heads", "layers"),
    [
        # Hoffmann et al. 2022, table A9; feed-forward is four widths, key size 64 up to width 1024 and 128 beyond.
        (44, 512, 8, 8),
        (117, 768, 12, 12),
        (306, 1024, 16, 20),
        (552, 1280, 10, 24),
        (1143, 1792, 14, 26),
        (1593, 2048, 16, 28),
        (2639, 2560, 20, 30),
        (4516, 3072, 24, 36),
        (6796, 3584, 28, 40),
        (9293, 4096, 32, 42),
        (16183, 5120, 40, 47),
    ],
)
def test_chinchilla_sizes(millions: int, width: int, heads: int, layers: int) -> None:
    shape = sf.Transformer(**GOPHER, width=width, heads=heads, layers=layers, biases=True)
    # The paper's own count of biases and normalisations is not stated: they are within a million of it.
    assert abs(shape.parameters / 1e6 - millions) <= 1


def without_vocabulary(shape: sf.Transformer) -> int:
    """Appendix F without the products with the embedding."""
    return shape.flops_per_token("chinchilla") - 12 * shape.vocabulary * shape.width


@pytest.mark.parametrize(
    ("layers", "width", "heads", "ratio"),
    [
        (10, 640, 10, 1.03),
        (20, 1024, 16, 1.10),
        (24, 1280, 10, 1.08),
        (26, 1792, 14, 1.04),
        (28, 2048, 16, 1.03),
        (40, 3584, 28, 0.99),
    ],
)
def test_chinchilla_flops_against_6nd(layers: int, width: int, heads: int, ratio: float) -> None:
    # Hoffmann et al. 2022, table A4. The paper states neither context nor vocabulary; its ratios are those of a context of
    # 2048 with the products with the embedding left out, and 6N of the unrounded size with relative positions.
    shape = sf.Transformer(**GOPHER, layers=layers, width=width, heads=heads)
    assert round(without_vocabulary(shape) / (6 * shape.parameters), 2) == ratio


def test_gopher_by_appendix_f() -> None:
    # The 6.3e23 FLOPs that appendix F gives for 300B tokens are four forward passes, activations being recomputed, again
    # without the products with the embedding; 6.31e23 is the figure of Rae et al. 2021.
    gopher = sf.Transformer(**GOPHER, layers=80, width=16384, heads=128)
    assert f"{without_vocabulary(gopher) / 3 * 4 * 300e9:.2e}" == "6.31e+23"


def test_palm_utilisation() -> None:
    # Chowdhery et al. 2022, appendix B: 238.3K tokens/s on 6144 TPU v4 are 46.2 %, 45.7 % without attention.
    palm = sf.Transformer(
        layers=118, width=18432, heads=48, head_size=256, kv_heads=1, feed_forward=73728, tied=True, vocabulary=256000
    )
    assert close(palm.parameters, 540.35e9, 2e-5)
    for rule, share in (("palm", 46.2), ("6N", 45.7)):
        assert round(100 * 238.3e3 * palm.flops_per_token(rule) / (6144 * 275e12), 1) == share


def test_deepseek_sizes() -> None:
    # DeepSeek-AI 2024, table 3: M of 8 x 512, 24 x 2048 and 80 x 8192 at 4096 tokens of context.
    for layers, width, flops in ((8, 512, "3.52e+08"), (24, 2048, "9.66e+09"), (80, 8192, "4.19e+11")):
        shape = sf.Transformer(layers=layers, width=width, heads=width // 64, vocabulary=102400, context=4096)
        assert f"{shape.flops_per_token('deepseek'):.2e}" == flops


def test_kaplan_counts_the_context_of_the_forward_pass_three_times() -> None:
    # Kaplan et al. 2020, table 1: 2N + 2 layers context attention forward.
    shape = sf.Transformer(**GPT, layers=96, width=12288, heads=96)
    forward = 2 * shape.non_embedding_parameters + 2 * 96 * 2048 * 12288
    assert shape.flops_per_token("kaplan") == 3 * forward


SHAPES = st.builds(
    sf.Transformer,
    layers=st.integers(1, 128),
    width=st.integers(1, 256).map(lambda k: 64 * k),
    heads=st.sampled_from([1, 2, 4, 8, 16, 32, 64]),
    vocabulary=st.integers(1, 300_000),
    context=st.integers(1, 1 << 17),
    gated=st.booleans(),
    tied=st.booleans(),
    positions=st.sampled_from(["rotary", "learned", "relative"]),
    biases=st.booleans(),
    experts=st.just(4),
    active_experts=st.integers(1, 4),
)


@given(SHAPES)
@settings(deadline=None)
def test_counts_hold_together(shape: sf.Transformer) -> None:
    assert shape.parameters == shape.embedding_parameters + shape.non_embedding_parameters
    assert shape.active_parameters <= shape.parameters
    assert shape.flops_per_token("6N") == 6 * shape.active_parameters
    # Attention scores are counted twice as far by PaLM as by Kaplan.
    scores = shape.flops_per_token("palm") - shape.flops_per_token("6N")
    assert scores == 12 * shape.layers * shape.attention * shape.context
    body = shape.active_parameters - shape.embedding_parameters
    assert shape.flops_per_token("kaplan") == 6 * body + scores // 2


@given(
    SHAPES, st.sampled_from(["6N", "kaplan", "palm", "chinchilla", "deepseek"]), st.sampled_from(["total", "active"])
)
@settings(deadline=None)
def test_a_family_costs_at_the_size_of_its_example_what_the_example_costs(
    shape: sf.Transformer, rule: str, counts: str
) -> None:
    def matrices(experts: int) -> int:
        relative = shape.width * shape.attention if shape.positions == "relative" else 0
        return shape.layers * (shape.projections + experts * shape.expert + relative)

    # The relation of N to the width leaves out biases, normalisations and the router, and so must the rules here.
    size = shape.embedding_parameters + matrices(shape.experts if counts == "total" else shape.active_experts)
    rest = shape.active_parameters - shape.embedding_parameters - matrices(shape.active_experts)
    expected = shape.flops_per_token(rule) - (6 * rest if rule in ("6N", "kaplan", "palm") else 0)
    law = sf.law(sf.training_cost(rule, shape, counts=counts), parameters={}, variables=["N", "D"])
    assert close(law.predict({"N": float(size), "D": 1.0})["L"][0], expected, 1e-12)


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        ({"width": -4096}, "width"),
        ({"width": 4096.0}, "width"),
        ({"layers": 0}, "layers"),
        ({"layers": True}, "layers"),
        ({"vocabulary": 0}, "vocabulary"),
        ({"heads": 30}, "width"),
        ({"kv_heads": 5}, "kv_heads"),
        ({"feed_forward": 0}, "feed_forward"),
        ({"active_experts": 2}, "active_experts"),
        ({"positions": "rotery"}, "positions"),
    ],
)
def test_what_is_no_shape_names_the_size(wrong: dict[str, Any], column: str) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        sf.Transformer(**{"layers": 32, "width": 4096, "heads": 32, "vocabulary": 32000} | wrong)
    assert (caught.value.code, caught.value.column) == ("bad-shape", column)


def test_rules_of_one_s_own() -> None:
    shape = sf.Transformer(layers=32, width=4096, heads=32, vocabulary=32000)
    again = sf.Accounting("again", "6*N + 12*layers*attention*context", "as PaLM", "here")
    assert shape.flops_per_token(again) == shape.flops_per_token("palm")
    assert sf.training_cost(again, shape) == sf.training_cost("palm", shape)
    for formula, hint in (("6*N*layer", "layers"), ("6*N + width**0.5*context", "sum of products")):
        with pytest.raises(sf.SettingsError, match=hint) as caught:
            sf.training_cost(sf.Accounting("wrong", formula, "", ""), shape)
        assert caught.value.code == "bad-accounting"


def test_unknown_rules_and_counts_are_named() -> None:
    shape = sf.Transformer(layers=2, width=64, heads=2, vocabulary=100)
    with pytest.raises(sf.SettingsError, match="kaplan") as caught:
        shape.flops_per_token("kaplen")
    assert caught.value.code == "unknown-accounting"
    with pytest.raises(sf.SettingsError, match="non-embedding"):
        sf.training_cost("kaplan", shape, counts="nonembedding")


@given(
    SHAPES,
    st.sampled_from(["6N", "kaplan", "palm", "chinchilla", "deepseek"]),
    st.sampled_from(["total", "non-embedding"]),
    st.floats(19, 26).map(lambda power: 10**power),
)
@settings(deadline=None)
def test_no_split_on_a_grid_beats_the_best_one_of_a_family(
    shape: sf.Transformer, rule: str, counts: str, budget: float
) -> None:
    cost = sf.training_cost(rule, shape, counts=counts)
    best = sf.sweep("hoffmann-2022", budget, cost=cost).summary.row(0, named=True)
    assert best["status"] == "interior"
    token = sf.law(cost, parameters={}, variables=["N", "D"])
    sizes = [best["N"] * 2 ** (step / 8) for step in range(-40, 41)]
    data = budget / token.predict({"N": sizes, "D": 1.0})["L"]
    losses = sf.law("hoffmann-2022").predict({"N": sizes, "D": data})["L"].to_numpy()
    assert losses.min() >= best["L"] * (1 - 1e-12)
    assert close(losses[40], best["L"], 1e-12)


@given(
    SHAPES,
    st.sampled_from(["6N", "kaplan", "palm", "chinchilla", "deepseek"]),
    st.sampled_from(["total", "active", "non-embedding"]),
    st.floats(8, 12).map(lambda power: 10**power),
    st.sampled_from([None, 1e10, 1e13]),
)
@settings(deadline=None)
def test_every_question_finds_the_same_optimum_of_a_family(
    shape: sf.Transformer, rule: str, counts: str, size: float, served: float | None
) -> None:
    cost = sf.training_cost(rule, shape, counts=counts)
    if served is not None:
        cost = sf.lifetime_cost(served, training=cost, serving=sf.serving_cost(rule, shape, counts=counts))
    row = sf.solve("hoffmann-2022", N=size, cost=cost).row(0, named=True)
    budget = sf.sweep("hoffmann-2022", row["C"], cost=cost).summary.row(0, named=True)
    least = sf.solve("hoffmann-2022", L=row["L"], cost=cost).row(0, named=True)
    assert close(budget["N"], size, 1e-6) and close(budget["L"], row["L"], 1e-12) and close(least["C"], row["C"], 1e-9)
