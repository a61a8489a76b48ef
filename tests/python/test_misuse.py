"""Misuse of the library: every argument of the wrong kind or name is an error with a code that says what to write."""

import pytest

import scalefast as sf

RUNS = sf.simulate("hoffmann-2022", sf.Sobol(24), sf.LogNormal(0.005))


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"bounds": 3}, "no-dict", '{"alpha": (0, 1)}'),
        ({"fixed": ["E"]}, "no-dict", '{"E": 1.69}'),
        ({"tied": "alpha"}, "no-dict", '{"beta": "alpha"}'),
        ({"columns": "N"}, "no-dict", '{"N": "n_params"}'),
        ({"units": "millions"}, "no-dict", '{"N": "millions"}'),
        ({"bounds": {"alfa": (0, 1)}}, "unknown-parameter", "`alpha`"),
        ({"bounds": {"alpha": (1, 0)}}, "bad-bounds", "not below"),
        ({"bounds": {"alpha": 1}}, "bad-bounds", "two numbers"),
        ({"fixed": {"alpha": "x"}}, "bad-fixed-value", "`alpha`"),
        ({"tied": {"beta": "alpha+"}}, "dangling-operator", "tied: beta"),
        ({"tied": {"beta": "alfa"}}, "tie-unknown", "`alfa`"),
        ({"level": 90}, "bad-level", "0.9"),
        ({"level": float("nan")}, "bad-level", "0.9"),
        ({"threads": 0}, "bad-threads", "0"),
        ({"threads": "all"}, "bad-threads", "'all'"),
        ({"seed": 1.5}, "bad-seed", "whole"),
        ({"timeout_s": 0}, "bad-timeout", "zero"),
        ({"on_interrupt": "stop"}, "bad-interrupt", "partial"),
        ({"residual": "ln"}, "bad-residual", "`log`"),
        ({"loss": "huber"}, "bad-loss", "sf.Huber"),
        ({"resample": 4000}, "bad-resample", "sf.Bootstrap(4000)"),
        ({"checkpoints": "final"}, "bad-checkpoints", "run="),
        ({"run": 3}, "bad-column", "name"),
        ({"starts": {"alpha": [1]}}, "bad-starts", "`beta`"),
        ({"where": "N >"}, "bad-where", "SQL"),
        ({"weights": "n"}, "unknown-column", "`N`"),
        ({"units": {"N": "million"}}, "unknown-unit", "`millions`"),
        ({"units": {"M": "ones"}}, "unknown-symbol", "`N`"),
    ],
)
def test_settings_of_a_fit(settings, code, said):
    with pytest.raises(sf.ScalefastError) as caught:
        sf.fit(RUNS, "chinchilla", **settings)
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        (lambda: sf.law(None), "unknown-law", "formula"),  # type: ignore[arg-type]
        (lambda: sf.law("hofman-2022"), "unknown-law", "`hoffmann-2022`"),
        (lambda: sf.law("runs.csv"), "unknown-law", "fit a law"),
        (lambda: sf.law("epoch-2023"), "unknown-law", "`epoch-2024`"),
        (lambda: sf.law("E + A/x**alpha"), "no-variable", "variables="),
        (lambda: sf.law("E + A/N**alpha", parameters=["B"]), "unknown-parameter", "`B`"),
        (lambda: sf.sweep("chinchilla", 1e24), "no-values", "`hoffmann-2022`"),
        (lambda: sf.sweep("E + A/N**a + B/D**b", 1e24), "no-values", "parameters="),
        (lambda: sf.sweep("epoch-2024-huber", 1e24, draws=10**6), "bad-draws", "4000"),
        (lambda: sf.sweep("hoffmann-2022", "many"), "bad-number", "1e24"),
        (lambda: sf.sweep("hoffmann-2022"), "bad-budget", "1e24"),
        (lambda: sf.simulate("chinchilla", sf.Sobol(5)), "no-values", "`hoffmann-2022`"),
        (lambda: sf.simulate("hoffmann-2022", sf.Sobol(5, {"Q": (1, 2)})), "unknown-symbol", "`Q`"),
        (lambda: sf.simulate("hoffmann-2022", sf.Sobol(5), "noise"), "bad-noise", "sf.LogNormal"),  # type: ignore[arg-type]
        (lambda: sf.fit(None, "chinchilla"), "unknown-frame", "dict"),
    ],
)
def test_other_calls(call, code, said):
    with pytest.raises(sf.ScalefastError) as caught:
        call()
    assert caught.value.code == code
    assert said in str(caught.value)
