"""The best split that diagnostics, designs and check values ask for is that of a sweep, bit for bit."""

from __future__ import annotations

import pytest

import scalefast as sf
from scalefast._optimum.best import best_size, best_split

BUDGETS = [1e19, 3e21, 5.76e23, 1e26]


@pytest.mark.parametrize("name", ["hoffmann-2022", "epoch-2024-huber", "kaplan-frontier/kaplan-2020"])
def test_the_best_size_is_that_of_a_sweep(name: str) -> None:
    law = sf.law(name)
    assert best_size(law, BUDGETS) == sf.sweep(law, BUDGETS, draws=0).summary["N"].to_list()


def test_a_budget_without_a_best_size_has_none() -> None:
    published = sf.law("hoffmann-2022")
    law = published.with_form(published.form).with_values({**(published.values or {}), "B": 0.0})
    assert best_size(law, [1e21]) == sf.sweep(law, 1e21).summary["N"].to_list() == [None]


def test_the_best_split_holds_what_is_given() -> None:
    law = sf.law("muennighoff-2023")
    row = sf.sweep(law, 1e22, given={"U": 1e10}, draws=0).summary.row(0, named=True)
    assert best_split(law, 1e22, {"U": 1e10}) == {name: row[name] for name in ("C", "N", "D", "L")}


@pytest.mark.parametrize(("law", "code"), [("chinchilla", "no-values"), ("E + A/N**alpha", "no-values")])
def test_what_cannot_be_asked_is_refused(law: str, code: str) -> None:
    with pytest.raises(sf.LawError) as caught:
        best_size(sf.law(law), BUDGETS)
    assert caught.value.code == code
