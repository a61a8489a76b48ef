"""The generated pages say what the code says now (`make docs` writes them)."""

from pathlib import Path

import pytest

import laws_page
import nist_scoreboard

DOCS = Path(__file__).parents[2] / "docs"


def test_the_catalogue_page_is_that_of_the_catalogue():
    assert (DOCS / "laws.md").read_text(encoding="utf-8") == laws_page.page()


def test_nist_problems_are_solved_to_the_digits_of_the_scoreboard():
    folder = nist_scoreboard.reference_folder()
    if folder is None:
        pytest.skip("SCALEFAST_REFERENCE_DATA names no folder")
    scores = [
        nist_scoreboard.score(problem, nist_scoreboard.fit_scalefast(problem, problem[start]))
        for problem in nist_scoreboard.read_problems(folder)
        for start in nist_scoreboard.STARTS
    ]
    assert len(scores) == 54
    assert min(scores) >= 6
    assert sum(digits >= 8 for digits in scores) >= 48
    page = (DOCS / "nist.md").read_text(encoding="utf-8")
    for least in (4, 6, 8):
        assert f"| runs of 54 with at least {least} digits | {sum(d >= least for d in scores)} |" in page
