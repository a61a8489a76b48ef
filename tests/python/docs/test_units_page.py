"""docs/units.md names the symbols, units and column names that the code knows, and no others."""

import re
from pathlib import Path

import pytest

import scalefast as sf
from scalefast._base import numbers
from scalefast._data.binding import _RECOGNISED, RESPONSE
from scalefast._laws.find import RESERVED

PAGE = (Path(__file__).parents[3] / "docs" / "units.md").read_text(encoding="utf-8")


def table(heading):
    """The cells of the first table below a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1]
    rows = re.search(r"^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", section, re.MULTILINE)[1]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def test_symbols_are_those_of_typed_formulas():
    rows = {symbol.strip("`"): (unit, meaning) for symbol, unit, meaning in table("Symbols")}
    assert rows.pop("L") == ("nats per token", "loss")
    assert rows == {name: (variable.unit, variable.meaning) for name, variable in RESERVED.items()}


def test_units_are_those_of_columns():
    assert {unit.strip("`"): float(factor) for unit, factor in table("Units of columns")} == numbers.COLUMN_UNITS


def test_names_are_those_that_are_recognised():
    rows = {symbol.strip("`"): tuple(names.strip("`").split("` `")) for symbol, names in table("Which column is which")}
    assert rows.pop("the loss") == _RECOGNISED[RESPONSE]
    assert rows == {symbol: names for symbol, names in _RECOGNISED.items() if symbol != RESPONSE}


def test_numbers_are_read_as_the_page_says():
    written = [text for cell, _ in table("Numbers as people write them") for text in re.findall("`([^`]+)`", cell)]
    readers = (
        numbers.read_grid,
        numbers.read_dollars,
        numbers.read_accelerators,
        numbers.read_days,
        numbers.read_uncertain,
    )
    for text in written:
        assert any(is_read(text, read) for read in readers), text
    assert [numbers.read_number(text) for text in written[:4]] == [70e9, 1.4e12, 350e6, 12e3]
    for text in ("70b", "1m"):
        assert f"`{text}`" in PAGE
        with pytest.raises(sf.SettingsError) as caught:
            numbers.read_number(text)
        assert caught.value.code == "ambiguous-suffix"


def is_read(text, read):
    try:
        read(text)
    except sf.SettingsError:
        return False
    return True
