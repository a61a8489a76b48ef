"""The rules of binding as properties: for any column names, a symbol is the column that the rules say, or a named error."""

from __future__ import annotations

import io

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import scalefast as sf
from scalefast._data.binding import RESPONSE, bind, bind_one

RECOGNISED = {
    "N": ("N", "n_params", "params", "parameters"),
    "D": ("D", "n_tokens", "tokens"),
    "C": ("C", "flops", "compute"),
    RESPONSE: ("L", "loss", "val_loss"),
}
SIZE = sf.Variable("parameters")
USUAL = [name for names in RECOGNISED.values() for name in names]
#: Names of any characters, names that read as formulas, and the usual ones. Polars takes no surrogates.
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["eval/loss", "a*b", "2*N", "`", "``", "a b", "^.*$", "*", "exp(N)", "1e9", "pi", "N ", "n", "-N"]),
    st.sampled_from(USUAL),
)
COLUMNS = st.lists(NAMES, min_size=1, max_size=8, unique=True)


def table(names: list[str]) -> pl.DataFrame:
    """One row; every column holds another number."""
    return pl.DataFrame({name: [float(3 + 2 * i)] for i, name in enumerate(names)})


def value(frame: pl.DataFrame, symbol: str, bound: object = None) -> float:
    """What the symbol is in the only row."""
    column = bind_one(symbol, bound, frame.columns)
    return float(frame.select(column.expression.alias("found"))["found"][0])


@given(COLUMNS, st.sampled_from(list(RECOGNISED)))
def test_an_unbound_symbol_is_its_only_candidate_or_an_error_that_says_so(names: list[str], symbol: str) -> None:
    frame = table(names)
    candidates = [name for name in RECOGNISED[symbol] if name in names]
    if len(candidates) == 1:
        assert value(frame, symbol) == frame[candidates[0]][0]
        return
    with pytest.raises(sf.DataError) as caught:
        value(frame, symbol)
    assert caught.value.code == ("ambiguous-column" if candidates else "unbound-variable")
    assert all(f"`{name}`" in str(caught.value) for name in candidates)


@given(COLUMNS, st.data())
def test_an_existing_name_is_that_column_whatever_its_characters(names: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(names))
    frame = table(names)
    assert value(frame, "N", chosen) == frame[chosen][0]


@given(COLUMNS, st.data())
def test_backquotes_hold_any_name_inside_a_formula(names: list[str], data: st.DataObject) -> None:
    quotable = [name for name in names if name and "`" not in name]
    assume(quotable)
    first, second = (data.draw(st.sampled_from(quotable)) for _ in range(2))
    frame = table(names)
    text = f"`{first}`*2 + `{second}`"
    assume(text not in names)
    assert value(frame, "N", text) == 2 * frame[first][0] + frame[second][0]


@given(COLUMNS, st.text(max_size=20))
def test_any_other_text_is_a_formula_of_the_columns_or_a_named_error(names: list[str], text: str) -> None:
    frame = table(names)
    try:
        value(frame, "N", text)
    except sf.ScalefastError as error:
        assert error.code
        assert text not in names


@given(st.permutations(USUAL), st.integers(0, len(USUAL)))
def test_the_order_of_columns_does_not_matter(order: list[str], count: int) -> None:
    def outcome(names: list[str]) -> object:
        try:
            return {symbol: column.words for symbol, column in bind({"N": SIZE, "D": SIZE}, names).items()}
        except sf.DataError as error:
            return error.code, error.column

    present = order[:count]
    assert outcome(present) == outcome(sorted(present))


@given(COLUMNS, st.sampled_from(["thousands", "millions", "billions", "trillions"]))
def test_a_unit_is_a_factor_and_is_said(names: list[str], unit: str) -> None:
    factor = sf.units.read_number({"thousands": "1k", "millions": "1M", "billions": "1B", "trillions": "1T"}[unit])
    frame = table(names)
    column = bind({"N": SIZE}, frame.columns, {"N": names[0]}, {"N": unit})["N"]
    assert frame.select(column.expression.alias("found"))["found"][0] == factor * frame[names[0]][0]
    assert column.words == f"{names[0]} in {unit}"


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12), min_size=2, unique=True),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["necessary", "always"]),
)
def test_a_csv_of_any_names_and_numbers_is_read_back_to_the_bit(
    names: list[str], values: list[float], ends: str, quotes: str
) -> None:
    written = io.BytesIO()
    frame = pl.DataFrame(dict.fromkeys(names, values), schema=dict.fromkeys(names, pl.Float64))
    frame.write_csv(written, line_terminator=ends, quote_style=quotes)  # type: ignore[call-overload]
    back = sf.read_file(written.getvalue(), "csv")
    assert back.columns == frame.columns
    assert back.cast(pl.Float64).equals(frame)
