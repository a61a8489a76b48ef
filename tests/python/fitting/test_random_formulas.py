"""Properties of the default fit over random formulas: it does not depend on how the law and the data are written, and no
fit that claims to have converged is beaten by SciPy from the truth.

The examples are the same in every run; `tools/formula_study.py` goes through a thousand.
"""

from __future__ import annotations

import re

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import scalefast as sf
from random_formulas import SAME, random_case, rescaled

bounded = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
seeds = st.integers(0, 999)


def fitted(case, formula=None, y=None, **settings):
    runs = case.runs if y is None else case.runs.with_columns(y=y)
    return sf.fit(runs, formula or case.formula, y="y", columns={name: name for name in case.columns}, **settings)


def confirmed(case):
    fit = fitted(case)
    assume(fit.status == "converged")
    return fit


def same(fit, other):
    """Both objectives agree, or the other fit says that it may be elsewhere."""
    return other.status != "converged" or abs(other.objective / fit.objective - 1) <= SAME


@given(seeds)
@bounded
def test_no_converged_fit_is_beaten_from_the_truth(seed):
    case = random_case(seed)
    assert confirmed(case).objective <= case.best_known(20) * (1 + SAME)


@given(seeds, st.randoms(use_true_random=False))
@bounded
def test_the_order_of_a_sum_does_not_matter(seed, random):
    case = random_case(seed)
    fit = confirmed(case)
    terms = list(case.terms)
    random.shuffle(terms)
    assert same(fit, fitted(case, " + ".join(terms)))


@given(seeds)
@bounded
def test_the_sign_of_a_rate_does_not_matter(seed):
    case = random_case(seed)
    assume(case.rates)
    fit = confirmed(case)
    formula = case.formula
    for rate in case.rates:
        formula = re.sub(rf"\b{rate}\b", f"(-{rate})", formula)
    assert same(fit, fitted(case, formula))


@given(seeds, st.sampled_from([1e-6, 1e-3, 1e3, 1e6]))
@bounded
def test_the_unit_of_a_column_does_not_matter(seed, factor):
    case = random_case(seed)
    fit = confirmed(case)
    assert same(fit, fitted(rescaled(case, next(iter(case.columns)), factor)))


@given(seeds, st.floats(-5, 5))
@bounded
def test_a_shift_of_the_response_moves_the_offset_alone(seed, shift):
    case = random_case(seed)
    assume(case.terms[0] == "c")
    fit = confirmed(case)
    moved = fitted(case, y=case.y + shift)
    assert same(fit, moved)
    if moved.status == "converged" and not case.rates and "K" not in case.truth:
        assert np.isclose(
            moved.law.parameters["c"] - fit.law.parameters["c"], shift, rtol=1e-3, atol=1e-3 * np.ptp(case.y)
        )


@given(seeds)
@bounded
def test_ends_at_infinity_are_no_bounds(seed):
    case = random_case(seed)
    assume(all(abs(value) < 1e8 for value in case.truth.values()))
    fit = confirmed(case)
    for ends in [(None, None), (-np.inf, np.inf), (-1e9, 1e9)]:
        assert same(fit, fitted(case, bounds=dict.fromkeys(case.truth, ends)))
