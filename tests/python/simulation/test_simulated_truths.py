"""The generator of problems with known answers keeps its promises, and its judge is strict."""

import numpy as np
import pytest

from simulated_truths import FAMILIES, ROWS, problem, problems

SHARES = (0.02 - 1e-9, 2.0 + 1e-9)


def geometric_mean_row(p):
    return {name: np.array([np.exp(np.mean(np.log(x)))]) for name, x in p.columns.items()}


def terms(p):
    """Each term at the geometric-mean row as a share of the irreducible loss."""
    t, x = p.truth, {name: value[0] for name, value in geometric_mean_row(p).items()}
    if p.family == "broken":
        return [(FAMILIES["broken"].curve(geometric_mean_row(p), t)[0] - t["a"]) / t["a"]]
    if p.family == "interaction":
        first = [t["A"] / x["N"] ** t["a"], t["B"] / x["D"] ** t["b"]]
        return [term / t["E"] for term in [*first, t["F"] / (x["N"] ** t["c"] * x["D"] ** t["d"])]]
    power = t["gamma"] if p.family == "power-scaled" else 1.0
    return [(term**power) / t["E"] for term in (t["A"] / x["N"] ** t["alpha"], t["B"] / x["D"] ** t["beta"])]


@pytest.mark.parametrize("family", FAMILIES)
def test_truths_lie_in_the_stated_ranges(family):
    for p in problems(family, 100):
        assert p.y.shape == (ROWS,)
        assert np.isfinite(p.y).all()
        assert (p.y > 0).all()
        assert all(SHARES[0] <= share <= SHARES[1] for share in terms(p))
        for name in p.truth.keys() & {"alpha", "beta", "b", "c", "d", "c0", "c1", "c2"} - set(
            "b" * (family == "broken")
        ):
            assert 0.1 <= p.truth[name] <= 0.8
        if family == "broken":
            assert p.columns["x"].min() < p.truth["d1"] < p.truth["d2"] < p.columns["x"].max()
            assert 0.1 <= min(p.truth["f1"], p.truth["f2"]) <= max(p.truth["f1"], p.truth["f2"]) <= 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_problem_and_seeds_differ(family):
    first, again, other = problem(family, 3), problem(family, 3), problem(family, 4)
    assert first.truth == again.truth
    assert np.array_equal(first.y, again.y)
    assert first.truth != other.truth


@pytest.mark.parametrize("family", FAMILIES)
def test_the_judge_takes_the_truth_and_refuses_what_is_off(family):
    for p in problems(family, 5):
        assert p.recovered(p.truth)
        for name, value in p.truth.items():
            for factor in (1 - 1e-5, 1 + 1e-5):
                assert not p.recovered(p.truth | {name: value * factor})


def test_breaks_may_come_in_any_order_and_with_negative_widths():
    for p in problems("broken", 20):
        swapped = {k.translate(str.maketrans("12", "21")): v for k, v in p.truth.items()}
        assert p.recovered(swapped)
        t = dict(p.truth)
        # (1 + u**(1/f))**(-c*f) with u = x/d, rewritten with -f: see `_broken_canonical`.
        t |= {"f1": -t["f1"], "c1": -t["c1"], "c0": t["c0"] + t["c1"], "b": t["b"] * t["d1"] ** t["c1"]}
        assert np.allclose(p.predict(t), p.y, rtol=1e-9, atol=0.0)
        assert p.recovered(t)
