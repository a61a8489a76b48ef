"""What holds in every test: no error leaves the library without a code that is explained."""

import pytest

import scalefast as sf
from error_sources import TABLE
from scalefast._base.explain import explanations

EXPLAINED = {entry.code for entry in explanations() if entry.kind == "error"}


@pytest.fixture(autouse=True)
def explained_codes(monkeypatch):
    """Errors made anywhere, by Python or Rust, have a line in the table; the sources are searched for them too."""
    made = sf.ScalefastError.__init__

    def checked(self, message, *, code, **details):
        assert code in EXPLAINED, f"`{code}` has no line in {TABLE}: {message}"
        made(self, message, code=code, **details)

    monkeypatch.setattr(sf.ScalefastError, "__init__", checked)
