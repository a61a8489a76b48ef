"""Buildable shapes: rules kept, counts exact, released models found again, losses given up against the law's best."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalefast as sf
from reference import close


@pytest.mark.parametrize(
    ("wanted", "kind", "shape"),
    [
        (6.74e9, {"vocabulary": 32000}, (32, 4096, 32, 11008, 6_738_415_616)),
        (13.0e9, {"vocabulary": 32000}, (40, 5120, 40, 13824, 13_015_864_320)),
        (
            8.03e9,
            {"vocabulary": 128256, "kv_heads": 8, "feed_forward": 3.5},
            (32, 4096, 32, 14336, 8_030_261_248),
        ),
        (
            46.7e9,
            {"vocabulary": 32000, "kv_heads": 8, "feed_forward": 3.5, "experts": 8, "active_experts": 2},
            (32, 4096, 32, 14336, 46_702_792_704),
        ),
        (
            124e6,
            {
                "vocabulary": 50257,
                "context": 1024,
                "gated": False,
                "tied": True,
                "positions": "learned",
                "biases": True,
                "rules": sf.ShapeRules(head_size=64, vocabulary_multiple=1),
            },
            (12, 768, 12, 3072, 124_439_808),
        ),
    ],
)
def test_released_models_are_the_first_choice(wanted: float, kind: dict[str, Any], shape: tuple[int, ...]) -> None:
    names = ("layers", "width", "heads", "feed_forward", "parameters")
    assert sf.buildable(wanted, **kind).select(names).row(0) == shape


@given(
    wanted=st.floats(8, 12).map(lambda power: 10**power),
    vocabulary=st.integers(1000, 260_000),
    rules=st.builds(
        sf.ShapeRules,
        head_size=st.sampled_from([64, 128]),
        width_multiple=st.sampled_from([64, 128, 256]),
        feed_forward_multiple=st.sampled_from([1, 64, 256]),
        layers_multiple=st.integers(1, 8),
        vocabulary_multiple=st.sampled_from([1, 128]),
        tensor_parallel=st.sampled_from([1, 2, 8]),
    ),
    gated=st.booleans(),
    tied=st.booleans(),
    counts=st.sampled_from(["total", "non-embedding"]),
)
@settings(deadline=None)
def test_every_shape_obeys_the_rules_and_is_counted_exactly(
    wanted: float, vocabulary: int, rules: sf.ShapeRules, gated: bool, tied: bool, counts: str
) -> None:
    try:
        table = sf.buildable(
            wanted, vocabulary=vocabulary, rules=rules, gated=gated, tied=tied, counts=counts, count=1000
        )
    except sf.SettingsError as error:
        assert error.code == "nothing-buildable"
        return
    assert table["departure"].is_sorted()
    for row in table.rows(named=True):
        shape = sf.Transformer(
            gated=gated,
            context=2048,
            **{
                name: row[name]
                for name in ("layers", "width", "heads", "kv_heads", "feed_forward", "vocabulary", "tied")
            },
        )
        assert shape.head_size == rules.head_size
        assert (row["parameters"], row["non_embedding_parameters"]) == (
            shape.parameters,
            shape.non_embedding_parameters,
        )
        assert row["flops_per_token"] == 6 * shape.parameters
        assert close(row["size_error"], shape.count(counts) / wanted - 1, 1e-12)
        remainders = (
            row["width"] % rules.width_multiple,
            row["width"] % rules.head_size,
            row["feed_forward"] % rules.feed_forward_multiple,
            row["layers"] % rules.layers_multiple,
            row["vocabulary"] % rules.vocabulary_multiple,
            *(row[name] % rules.tensor_parallel for name in ("heads", "kv_heads", "feed_forward", "vocabulary")),
        )
        assert set(remainders) == {0}
        assert row["vocabulary"] >= vocabulary
        # The depth is one of the two nearest to the size at this width.
        step = rules.layers_multiple
        each = shape.non_embedding_parameters / shape.layers
        assert abs(shape.count(counts) - wanted) <= 1.001 * step * each or shape.layers == step


@pytest.mark.parametrize("billions", [3, 7, 30, 70, 200, 500])
def test_some_shape_is_near(billions: float) -> None:
    # A layer of a model this deep is at most a twentieth of it, and widths are many.
    table = sf.buildable(billions * 1e9, vocabulary=128256, rules=sf.ShapeRules(tensor_parallel=8), kv_heads=8)
    assert table["size_error"].abs().min() < 0.02  # type: ignore[operator]


def test_what_is_given_up_against_the_best_split() -> None:
    law = "hoffmann-2022"
    best = sf.sweep(law, 1e23).summary.row(0, named=True)
    table = sf.buildable(budget=1e23, law=law, vocabulary=32000, count=50)
    assert abs(table["size_error"][0]) < 0.02
    for row in table.rows(named=True):
        assert close(row["D"], 1e23 / row["flops_per_token"], 1e-12)
        assert close(row["L"], sf.law(law).predict({"N": row["parameters"], "D": row["D"]})["L"][0], 1e-12)
        assert close(row["L_given_up"], row["L"] - best["L"], 1e-9) and row["L_given_up"] > -1e-12
        least = sf.solve(law, L=row["L"]).row(0, named=True)["C"]
        assert abs(row["compute_given_up"] - (1 - least / 1e23)) < 1e-9
    # A size far from the best one costs.
    far = sf.buildable(1e9, budget=1e23, law=law, vocabulary=32000, count=1).row(0, named=True)
    assert far["compute_given_up"] > 0.5


def test_laws_that_need_more_than_size_and_data() -> None:
    kind: dict[str, Any] = {"budget": 1e22, "law": "muennighoff-2023", "vocabulary": 32000, "count": 1}
    row = sf.buildable(**kind, given={"U": 25e9}).row(0, named=True)
    best = sf.sweep("muennighoff-2023", 1e22, given={"U": 25e9}).summary.row(0, named=True)
    assert abs(row["parameters"] / best["N"] - 1) < 0.03 and 0 <= row["L_given_up"] < 1e-4
    with pytest.raises(sf.SettingsError, match="U"):
        sf.buildable(**kind)
    # N of a law of mixtures counts what is active.
    mixture = {"law": "joint-moe-2025", "given": {"experts": 8}, "experts": 8, "active_experts": 1}
    row = sf.buildable(**{**kind, **mixture}).row(0, named=True)
    best = sf.sweep("joint-moe-2025", 1e22, given={"experts": 8}).summary.row(0, named=True)
    assert abs(row["active_parameters"] / best["N"] - 1) < 0.05 and row["parameters"] > 3 * row["active_parameters"]


def test_counting_attention_leaves_fewer_tokens() -> None:
    kind: dict[str, Any] = {"budget": 1e22, "vocabulary": 32000, "context": 8192, "count": 1}
    plain, attentive = (sf.buildable(7e9, accounting=rule, **kind).row(0, named=True) for rule in ("6N", "palm"))
    assert attentive["D"] < plain["D"] and attentive["L_given_up"] > plain["L_given_up"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "bad-question"),
        ({"N": -1e9}, "not-positive"),
        ({"N": 1e9, "vocabulary": 0}, "bad-shape"),
        ({"N": 1e9, "budget": -1.0}, "bad-budget"),
        ({"N": 1e9, "aspect": 0.0}, "not-positive"),
        ({"N": 1e9, "feed_forward": -4.0}, "not-positive"),
        ({"N": 1e3}, "nothing-buildable"),
        ({"N": 1e9, "kv_heads": 7919}, "nothing-buildable"),
        ({"N": 1e30}, "nothing-buildable"),
        ({"N": 1e9, "kv_heads": 0}, "bad-shape"),
        ({"N": 1e9, "count": -1}, "bad-shape"),
        ({"N": 1e9, "experts": 2, "active_experts": 3}, "bad-shape"),
        ({"N": 1e9, "accounting": "7N"}, "unknown-accounting"),
    ],
)
def test_what_cannot_be_built(arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        sf.buildable(**{"vocabulary": 32000} | arguments)
    assert caught.value.code == code


def test_rules_are_whole_numbers() -> None:
    with pytest.raises(sf.SettingsError) as caught:
        sf.ShapeRules(tensor_parallel=0)
    assert caught.value.column == "tensor_parallel"
