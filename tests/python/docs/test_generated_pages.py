"""The generated pages say what the code says now (`make docs` writes them)."""

from pathlib import Path

import pytest

import cli_page
import error_sources
import nist_scoreboard
import scalefast as sf
import write_docs

DOCS = Path(__file__).parents[3] / "docs"
#: The same for every page: nobody edits a generated page by hand.
STALE = "docs/{} is not what the code says now: run `make docs`, or `python tools/write_docs.py {}`"


@pytest.mark.parametrize("name", write_docs.PAGES)
def test_the_page_says_what_the_code_says(name):
    current = (DOCS / name).read_text(encoding="utf-8") == write_docs.PAGES[name]()
    assert current, STALE.format(name, name)


def test_every_code_of_the_sources_is_explained():
    explained = set(sf.codes().filter(kind="error")["code"])
    missing = sorted(set(error_sources.codes_in_sources()) - explained)
    assert not missing, f"add a line for {', '.join(missing)} to {error_sources.TABLE}: what it means, what to do"


def test_every_explained_code_is_in_the_sources():
    explained = set(sf.codes().filter(kind="error")["code"]) - set(error_sources.codes_in_sources())
    gone = sorted(code for code in explained if not error_sources.stands_in_sources(code))
    assert not gone, f"no source raises {', '.join(gone)} any more: remove it from {error_sources.TABLE}"


def test_codes_are_spelt_out_where_they_are_raised():
    put_together = error_sources.unreadable()
    assert not put_together, f"write the code as it is, so that a search finds it: {put_together}"


def test_codes_are_explained_in_sentences():
    for row in sf.codes().filter(kind="error").iter_rows(named=True):
        for text in (row["meaning"], row["remedy"]):
            assert text[0].isupper() or text[0] in "`", row
            assert text.endswith("."), row


def test_every_command_has_its_file_and_its_section():
    names = [name for name, _ in cli_page.commands() if name]
    page = (DOCS / "cli-reference.md").read_text(encoding="utf-8")
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == names


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
