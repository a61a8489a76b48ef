"""docs/frames.md states the columns of every frame that the library returns; names, order and types are generated."""

import pytest

import scalefast as sf
from frames_page import FRAMES, PAGE, ROW, fit, sections, shown

TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0].removeprefix("## "): part for part in sections(TEXT)[1:]}
#: Sections without a table of their own: columns are added to those of the points.
IN_WORDS = {"Predictions"}


def test_every_section_has_its_frame_and_every_frame_its_section():
    assert set(SECTIONS) - IN_WORDS == set(FRAMES), "add the frame to FRAMES in tools/frames_page.py, or its section"


def test_every_frame_of_a_result_is_on_the_page():
    of_results = {
        sf.Fit: ("parameters", "starts", "draws", "influence", "residuals", "diagnostics"),
        sf.Sweep: ("summary", "spread", "draws"),
        sf.Plan: ("decision", "constraints", "assumptions", "alternatives", "sources", "draws"),
    }
    for kind, names in of_results.items():
        for name in names:
            assert f"{kind.__name__}: {name}" in SECTIONS


@pytest.mark.parametrize("heading", FRAMES)
def test_values_are_null_where_the_page_says_so_and_never_nan(heading):
    frame, words = shown(heading), {name: null for name, _, null, _ in ROW.findall(SECTIONS[heading])}
    assert "?" not in words.values(), "say in docs/frames.md when the new column is null, and what it means"
    never = [name for name, null in words.items() if null == "never"]
    assert sum(frame[name].null_count() for name in never) == 0
    for name, dtype in frame.schema.items():
        assert not dtype.is_float() or frame[name].is_nan().sum() == 0


def test_the_page_states_every_status_of_a_row():
    for status in [*fit().parameters["status"], *fit().starts["status"], fit().status]:
        assert f"`{status}`" in TEXT
