"""Law files written and read again."""

from dataclasses import replace

import pytest

import scalefast as sf
from scalefast._forms.catalogue import entries
from scalefast._forms.form import LawFile, Recipe, Variable
from scalefast._forms.read import parse_law_file
from scalefast._forms.write import law_text

FORMS = {entry.form.id: entry.form for entry in entries()}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_shipped_law_is_read_again_as_it_was(form: LawFile) -> None:
    assert parse_law_file(law_text(form), "again") == form


def test_texts_with_quotes_controls_and_odd_names_survive() -> None:
    odd = 'quoted "x"\\ new\nline, tab\t, bell\x07, del\x7f, Σ'
    form = replace(
        FORMS["chinchilla"],
        title=odd,
        variables={"N": Variable(odd, positive=False), "config.tokens/b": Variable("tokens")},
        recipe=Recipe("identity", sf.Pinball(0.9, 1e-3)),
        published=(),
    )
    assert parse_law_file(law_text(form), "again") == form


def test_an_automatic_threshold_survives() -> None:
    form = replace(FORMS["chinchilla"], recipe=Recipe("log", sf.Huber("auto")))
    assert parse_law_file(law_text(form), "again").recipe == form.recipe
