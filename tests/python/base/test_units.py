"""Numbers as people write them."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalefast import ScalefastError, SettingsError, UnitsError
from scalefast._base.numbers import (
    Accelerators,
    Uncertain,
    column_factor,
    format_count,
    format_flops,
    read_accelerators,
    read_days,
    read_dollars,
    read_grid,
    read_number,
    read_positive,
    read_uncertain,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("70B", 70e9),
        ("1.4T", 1.4e12),
        ("1e24", 1e24),
        ("1_000", 1000.0),
        ("6.9B", 6.9e9),
        (" 12 K ", 12e3),
        ("-3M", -3e6),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3k", 1e6),
    ],
)
def test_numbers_are_read_exactly(text: str, value: float) -> None:
    assert read_number(text) == value


@pytest.mark.parametrize(
    "text", ["", "abc", "nan", "inf", "1e", "e5", "1__0", "_1", "0x10", "1.2.3", "1,000", "--1", "1 2"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_number(text)
    assert caught.value.code == "bad-number"


@pytest.mark.parametrize("text", ["70b", "5m", "3t", "1g"])
def test_ambiguous_suffixes_are_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_number(text)
    assert caught.value.code == "ambiguous-suffix"
    assert text[:-1] + text[-1].upper() in str(caught.value)


@pytest.mark.parametrize("text", ["1e400", "1e99999999999", "9e307K"])
def test_too_large_is_said(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_number(text)
    assert caught.value.code == "number-too-large"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_plain_numbers_survive_writing_and_reading(value: float) -> None:
    assert read_number(repr(value)) == value


@given(st.floats(min_value=1.0, max_value=9e15))
def test_human_counts_survive_to_their_digits(value: float) -> None:
    assert abs(read_number(format_count(value)) / value - 1) <= 5e-4


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_human_flops_survive_to_their_digits(value: float) -> None:
    assert abs(read_number(format_flops(value)) / value - 1) <= 5.1e-4


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_a_named_error(text: str) -> None:
    for read in (read_number, read_grid, read_dollars, read_days, read_accelerators, read_uncertain):
        try:
            read(text)
        except ScalefastError as error:
            assert error.code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (95.86e9, "95.86B"),
        (1.739e12, "1.739T"),
        (999.96e6, "1B"),
        (20.0, "20"),
        (0.0, "0"),
        (1.016e12, "1.016T"),
        (1234.0, "1.234K"),
    ],
)
def test_counts_in_tables(value: float, text: str) -> None:
    assert format_count(value) == text


def test_grids_hit_decades_and_both_ends() -> None:
    grid = read_grid("1e20..1e26:61")
    assert len(grid) == 61
    assert grid[0] == 1e20 and grid[-1] == 1e26
    assert [grid[10 * i] for i in range(7)] == [float(f"1e{k}") for k in range(20, 27)]
    ratios = [b / a for a, b in itertools.pairwise(grid)]
    assert max(ratios) / min(ratios) - 1 < 1e-12
    assert read_grid("70B") == [70e9]


@pytest.mark.parametrize("text", ["1e26..1e20:5", "1e20..1e26", "1e20..1e26:1", "1e20..:3", "1e20..1e26:x"])
def test_bad_grids_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        read_grid(text)


@pytest.mark.parametrize("text", ["0", "-1", "1e-400"])
def test_what_must_be_positive_is_checked(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_positive(text)
    assert caught.value.code == "not-positive"


def test_money_time_and_machines() -> None:
    assert read_dollars("$10M") == 10e6
    assert read_days("30d") == 30
    assert read_days("12h") == 0.5
    assert math.isclose(read_days("6w"), 42)
    assert read_accelerators("1024xH100") == Accelerators(1024, "H100")
    for text in ("30", "30m", "30x"):
        with pytest.raises(SettingsError):
            read_days(text)
    with pytest.raises(SettingsError):
        read_accelerators("H100")


def test_uncertain_numbers() -> None:
    assert read_uncertain("uniform(0.35,0.45)") == Uncertain("uniform", 0.35, 0.45)
    assert read_uncertain("normal(1K, 2)") == Uncertain("normal", 1000.0, 2.0)
    assert read_uncertain("0.4") == 0.4
    for text in ("uniform(2,1)", "normal(1,0)", "lognormal(-1,1)", "unifrom(1,2)"):
        with pytest.raises(SettingsError):
            read_uncertain(text)


def test_units_of_columns() -> None:
    assert column_factor("millions", "N") == 1e6
    assert column_factor("PF-days", "C") == 8.64e19
    with pytest.raises(UnitsError) as caught:
        column_factor("million", "N")
    assert "`millions`" in str(caught.value)
