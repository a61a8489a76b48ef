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
    page = (DOCS / "nist.md").read_text(encoding="utf-8")
    scores = []
    for problem in nist_scoreboard.read_problems(folder):
        for start, label in nist_scoreboard.STARTS.items():
            scores.append(nist_scoreboard.score(problem, nist_scoreboard.fit_scalefast(problem, problem[start])))
            cell = nist_scoreboard.cell(scores[-1])
            assert f"| {problem['name']} | {problem['difficulty']} | {label} | {cell} |" in page
    assert len(scores) == 54
    assert min(scores) >= 6
    assert sum(digits >= 8 for digits in scores) >= 48
