"""Which column is which symbol, which rows are used, and what is said when that is not clear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalefast as sf
from reference import close, grid
from scalefast._data.binding import bind
from scalefast._data.expression import column_expression

RUNS = grid()


def fitted(runs: Any, **settings: Any) -> sf.Fit:
    return sf.fit(runs, "chinchilla", **settings)


def recovered(fit: sf.Fit) -> bool:
    """Whether the fit found the law that the rows were made with."""
    truth = sf.law("hoffmann-2022").parameters
    return all(close(found, float(truth[name] or 0), 1e-6) for name, found in (fit.law.values or {}).items())


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"N": "n_params", "D": "n_tokens", "L": "loss"},
        {"N": "params", "D": "tokens", "L": "val_loss"},
        {"N": "parameters"},
    ],
)
def test_usual_names_are_recognised(names: dict[str, str]) -> None:
    assert recovered(fitted(RUNS.rename(names)))


def test_columns_are_bound_by_name_formula_or_expression() -> None:
    odd = RUNS.select(
        (pl.col("N") / 1e6).alias("config.params_m"),
        (pl.col("D") / 1e9).alias("tokens (B)"),
        pl.col("L").alias("eval/loss"),
    )
    by_text = fitted(odd, columns={"N": "config.params_m*1e6", "D": "`tokens (B)` * 1e9"}, y="eval/loss")
    assert recovered(by_text)
    assert by_text.sources["N"] == "config.params_m*1e6"
    assert recovered(
        fitted(odd, columns={"N": pl.col("config.params_m") * 1e6, "D": pl.col("tokens (B)") * 1e9}, y="eval/loss")
    )
    assert recovered(
        fitted(
            odd,
            columns={"N": "config.params_m", "D": "tokens (B)"},
            y="eval/loss",
            units={"N": "millions", "D": "billions"},
        )
    )


def test_an_existing_column_beats_a_formula() -> None:
    odd = RUNS.rename({"N": "a*b"}).with_columns(a=pl.lit(1.0), b=pl.lit(2.0))
    assert recovered(fitted(odd, columns={"N": "a*b"}))


@pytest.mark.parametrize("name", ["*", "^.*$", "^N$", "a b", "`", "π", "col('x')", "exp", "pi", "1e9", "-", ""])
def test_any_column_name_can_be_bound(name: str) -> None:
    assert recovered(fitted(RUNS.rename({"N": name}), columns={"N": name}))


@pytest.mark.parametrize(
    ("columns", "y", "code", "said"),
    [
        ({"N": "n_parms"}, None, "unknown-column", "`n_params`"),
        ({"N": "n_parms*1e6"}, None, "unknown-column", "`n_params`"),
        ({"N": "n_params*"}, None, "dangling-operator", "N"),
        ({"N": "n_params^2"}, None, "caret-power", "**"),
        ({"N": "2*3"}, None, "unknown-column", "no column"),
        ({"M": "n_params"}, None, "unknown-symbol", "`M`"),
        ({"N": 3}, None, "bad-column", "int"),
        (None, "los", "unknown-column", "`loss`"),
        (None, "eval/los", "unknown-column", "`eval/loss`"),
    ],
)
def test_misbinding_is_named(columns: dict[str, Any] | None, y: str | None, code: str, said: str) -> None:
    runs = RUNS.rename({"N": "n_params", "L": "loss"}).with_columns(pl.col("loss").alias("eval/loss"))
    with pytest.raises(sf.ScalefastError) as caught:
        fitted(runs, columns=columns, y=y)
    assert caught.value.code == code
    assert said in str(caught.value)


def test_two_candidates_are_an_error_that_asks() -> None:
    with pytest.raises(sf.DataError) as caught:
        fitted(RUNS.with_columns(n_params=pl.col("N")))
    assert caught.value.code == "ambiguous-column"
    assert "`N`" in str(caught.value) and "`n_params`" in str(caught.value)


def test_a_missing_variable_names_what_would_be_recognised() -> None:
    with pytest.raises(sf.DataError) as caught:
        fitted(RUNS.drop("D"))
    assert caught.value.code == "unbound-variable"
    assert "`n_tokens`" in str(caught.value)


def test_a_parameter_that_is_a_column_is_asked_about() -> None:
    runs = RUNS.with_columns(beta=pl.lit(1.0))
    with pytest.raises(sf.DataError) as caught:
        sf.fit(runs, "E + A/N**alpha + B/D**beta")
    assert caught.value.code == "ambiguous-symbol" and caught.value.column == "beta"
    named = sf.law("E + A/N**alpha + B/D**beta", parameters=["beta"])
    assert sf.fit(runs, sf.FitSpec(named)).status == "converged"
    # In a catalogued form the roles are declared, so nothing is unclear.
    assert recovered(fitted(runs))


BROKEN = RUNS.with_columns(
    pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise(pl.col("L")).alias("L"),
    pl.when(pl.int_range(pl.len()) == 7)
    .then(float("nan"))
    .when(pl.int_range(pl.len()) == 9)
    .then(-1.0)
    .otherwise(pl.col("N"))
    .alias("N"),
    pl.when(pl.int_range(pl.len()) == 11)
    .then(0.0)
    .when(pl.int_range(pl.len()) == 12)
    .then(float("inf"))
    .otherwise(pl.col("D"))
    .alias("D"),
)


def test_invalid_rows_are_counted_and_shown() -> None:
    with pytest.raises(sf.DataError) as caught:
        fitted(BROKEN)
    error = caught.value
    assert error.code == "invalid-rows"
    assert "5 of 30 rows" in str(error) and "row 3" in str(error) and "1 of y" in str(error) and "2 of N" in str(error)
    assert error.row == 7 and error.column == "N"


def test_rows_are_dropped_only_when_asked_and_then_counted() -> None:
    fit = fitted(BROKEN, drop_invalid=True)
    assert recovered(fit)
    assert (fit.n_read, fit.n_dropped, fit.n_rows) == (30, 5, 25)
    dropped = fit.diagnostics.filter(pl.col("code") == "dropped-rows").row(0, named=True)
    assert dropped["severity"] == "warning" and dropped["value"] == 5.0


@pytest.mark.parametrize(
    "where",
    [
        "L IS NOT NULL AND N > 0 AND D > 0 AND D < 1e300",
        pl.col("L").is_not_null() & (pl.col("N") > 0) & pl.col("D").is_between(1, 1e300),
    ],
)
def test_where_takes_sql_or_an_expression_and_keeps_row_numbers(where: Any) -> None:
    kept = BROKEN.filter(~pl.col("N").is_nan())
    fit = fitted(kept, where=where)
    assert recovered(fit) and fit.n_filtered == 4
    with pytest.raises(sf.DataError) as caught:
        fitted(BROKEN, where="L IS NOT NULL")
    assert "row 7:" in str(caught.value)


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("stauts = 'done'", "unknown-column"),
        ("L >", "bad-where"),
        ("N + D", "bad-where"),
        ("L < 0", "no-rows"),
        (3, "bad-where"),
    ],
)
def test_bad_filters_are_named(where: Any, code: str) -> None:
    with pytest.raises(sf.ScalefastError) as caught:
        fitted(RUNS.with_columns(status=pl.lit("done")), where=where)
    assert caught.value.code == code


def test_text_in_a_number_column_is_shown() -> None:
    runs = RUNS.with_columns(
        pl.when(pl.int_range(pl.len()) == 4).then(pl.lit("crashed")).otherwise(pl.col("L").cast(pl.String)).alias("L")
    )
    with pytest.raises(sf.DataError) as caught:
        fitted(runs)
    assert caught.value.code == "not-numeric" and caught.value.row == 4 and "crashed" in str(caught.value)


def test_every_kind_of_table_is_read(tmp_path: Path) -> None:
    frames: list[Any] = [
        RUNS,
        RUNS.lazy(),
        RUNS.to_dict(as_series=False),
        {name: RUNS[name].to_numpy() for name in RUNS.columns},
    ]
    pandas = pytest.importorskip("pandas")
    frames.append(pandas.DataFrame(RUNS.to_dict(as_series=False)))
    writers: dict[str, Any] = {
        "csv": RUNS.write_csv,
        "parquet": RUNS.write_parquet,
        "ndjson": RUNS.write_ndjson,
        "arrow": RUNS.write_ipc,
    }
    for suffix, write in writers.items():
        write(tmp_path / f"runs.{suffix}")
        frames += [tmp_path / f"runs.{suffix}", str(tmp_path / f"runs.{suffix}")]

    class Arrow:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return RUNS.__arrow_c_stream__(requested_schema)

    frames.append(Arrow())
    for frame in frames:
        assert recovered(fitted(frame)), type(frame)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("runs.csv", b"", "empty-file"),
        ("runs.csv", b"N,D,L\n", "no-rows"),
        ("runs.parquet", b"PAR1 cut short", "unreadable-file"),
        ("runs.xlsx", b"x", "unknown-format"),
        ("runs.ndjson", b"{", "unreadable-file"),
        ("runs.arrow", b"nothing", "unreadable-file"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(sf.DataError) as caught:
        fitted(tmp_path / name)
    assert caught.value.code == code


def test_a_truncated_parquet_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    RUNS.write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(sf.DataError) as caught:
        fitted(path)
    assert caught.value.code == "unreadable-file"
    with pytest.raises(sf.DataError):
        fitted(tmp_path / "none.csv")


@pytest.mark.parametrize("frame", [3, None, object(), [1, 2], {"N": [1, 2], "D": [1, 2, 3]}])
def test_what_is_no_table_is_refused(frame: Any) -> None:
    with pytest.raises(sf.DataError):
        fitted(frame)


@given(st.text(max_size=40))
def test_any_column_text_gives_an_expression_or_a_named_error(text: str) -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0], "b c": [3.0, 4.0]})
    try:
        frame.select(column_expression(text, frame.columns, "N"))
    except sf.ScalefastError as error:
        assert error.code


def test_binding_is_zero_copy_for_float_columns() -> None:
    values = np.linspace(1, 2, 1000)
    frame = pl.DataFrame({"N": values})
    column = frame.select(bind({"N": sf.Variable("parameters")}, frame.columns)["N"].expression)["N"]
    assert column.to_numpy().ctypes.data == frame["N"].to_numpy().ctypes.data
