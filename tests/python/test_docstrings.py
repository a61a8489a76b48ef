"""Docstrings of public names in numpydoc form: one entry for each parameter or attribute, in the order of the signature."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

import scalefast as sf

FUNCTIONS = (sf.fit, sf.fit_groups, sf.plan, sf.sweep)
CLASSES = (sf.Certificate, sf.Fit, sf.Law, sf.Plan, sf.Sweep)
SECTIONS = ("Parameters", "Attributes", "Returns", "Raises", "Notes", "Examples")


def sections(documented: object) -> dict[str, str]:
    """The text of each section by its heading, which is underlined."""
    text = inspect.getdoc(documented) or ""
    parts = re.split(rf"^({'|'.join(SECTIONS)})\n-+\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(section: str) -> list[str]:
    """The names that begin a line of a section; their descriptions are indented and not empty."""
    found = re.findall(r"^(\S.*)\n    \S", section, flags=re.MULTILINE)
    assert len(found) == len(re.findall(r"^\S", section, flags=re.MULTILINE)), section
    return [name.split(" : ")[0] for name in found]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_parameter_has_an_entry(function):
    found = sections(function)
    assert sorted(entries(found["Parameters"])) == sorted(inspect.signature(function).parameters)
    assert ">>> " in found["Examples"]
    assert entries(found["Raises"])


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_attribute_has_an_entry(kind):
    fields = {field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")}
    assert set(entries(sections(kind)["Attributes"])) >= fields


@pytest.mark.parametrize("documented", [*FUNCTIONS, *CLASSES], ids=lambda documented: documented.__name__)
def test_sections_stand_in_the_order_of_numpydoc(documented):
    order = [SECTIONS.index(name) for name in sections(documented)]
    assert order == sorted(order) and order
