"""Files of hostile content: always a result or a named error with exit code 2, never a traceback."""

import io
import json
import math

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scalefast as sf
from cli_runs import invoke

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

CELLS = st.one_of(
    st.floats(width=64).map(repr),
    st.sampled_from(
        [
            "",
            "1e308",
            "-1e308",
            "1e309",
            "nan",
            "inf",
            "-inf",
            "NA",
            "null",
            '"',
            '""',
            '"a,b"',
            '"a\nb"',
            "0x10",
            "1_000",
            "70B",
            "1,5",
            "\ufeff1",
            "٣",
            "\x00",
            "\x1b[31m",
            "=cmd()",
            "a" * 5000,
            "9" * 400,
            "-0",
            "+1",
            " 1 ",
            "True",
        ]
    ),
    st.text(max_size=12),
    st.integers(-(10**30), 10**30).map(str),
)
HEADERS = st.sampled_from(
    [
        "N,D,loss",
        "N,D,L",
        "\ufeffN,D,loss",
        "N,D,loss,loss",
        "N,N,loss",
        '"N","D","loss"',
        ",,",
        "n_params,tokens,val_loss",
        "N,D,`loss`",
        'N,"D\n",loss',
        "N;D;loss",
        "N\tD\tloss",
        "N,D,loss,extra",
        "__proto__,N,loss",
        "N,D," + "x" * 3000,
    ]
)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n\r"])


@st.composite
def tables(draw):
    rows = draw(st.lists(st.lists(CELLS, min_size=0, max_size=5), max_size=8))
    end = draw(LINE_ENDS)
    text = draw(HEADERS) + end + end.join(",".join(row) for row in rows) + draw(st.sampled_from(["", end]))
    raw = text.encode(draw(st.sampled_from(["utf-8", "utf-16", "latin-1", "cp1252"])), errors="replace")
    cut = draw(st.integers(0, len(raw)))
    return raw if draw(st.booleans()) else raw[:cut]


def accept(result):
    """Either it worked, or one named error stands on stderr as JSON. `invoke` raises whatever else there is."""
    if result.exit_code == 0:
        return
    assert result.exit_code == 2, result.stderr
    error = json.loads(result.stderr.splitlines()[-1])["error"]
    assert error["code"]
    assert error["message"]
    assert "Traceback" not in result.stderr


@QUIET
@given(tables())
def test_fits_of_hostile_csv_end_well(raw):
    accept(invoke("fit", "-", "--law", "chinchilla", "--timeout", "20", "--format", "json", stdin=raw))


@QUIET
@given(tables())
def test_predictions_at_hostile_points_end_well(raw):
    accept(invoke("predict", "hoffmann-2022", "-", "--format", "json", stdin=raw))


@QUIET
@given(st.binary(max_size=400), st.sampled_from(["csv", "tsv", "parquet", "ndjson", "arrow"]))
def test_any_bytes_in_any_format_end_well(raw, kind):
    accept(invoke("fit", "-", "--law", "chinchilla", "--input-format", kind, "--format", "json", stdin=raw))


@QUIET
@given(tables())
def test_the_library_reads_hostile_files_or_says_why(tmp_path, raw):
    path = tmp_path / "runs.csv"
    path.write_bytes(raw)
    try:
        sf.fit(path, "chinchilla", timeout_s=20.0)
    except sf.ScalefastError as error:
        assert error.code


EXTREME = st.sampled_from([5e-324, 1e-308, 1e-30, 1.0, 3.0, 1e9, 1e30, 1e154, 1e308, 1.7976931348623157e308])


@QUIET
@given(st.lists(st.tuples(EXTREME, EXTREME, EXTREME), min_size=6, max_size=14))
def test_fits_of_extreme_numbers_end_well(rows):
    text = "N,D,loss\n" + "\n".join(",".join(map(repr, row)) for row in rows)
    accept(invoke("fit", "-", "--law", "chinchilla", "--timeout", "20", "--format", "json", stdin=text))


@QUIET
@given(st.binary(max_size=300))
def test_no_bytes_are_taken_for_an_artifact(tmp_path, raw):
    path = tmp_path / "law.parquet"
    path.write_bytes(raw)
    for read in (sf.load, sf.law, sf.Manifest.read):
        with pytest.raises(sf.LawError) as caught:
            read(path)
        assert caught.value.code


def grid(ends):
    """A clean table of 24 rows, in any dialect of lines and quotes."""
    runs = sf.simulate("hoffmann-2022", sf.Sobol(24), sf.LogNormal(0.005))
    return runs.write_csv(line_terminator=ends, quote_style="always")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_marks_quotes_and_line_ends_do_not_change_a_fit(mark, ends):
    plain = sf.simulate("hoffmann-2022", sf.Sobol(24), sf.LogNormal(0.005)).write_csv()
    expected = invoke("fit", "-", "--law", "chinchilla", stdin=plain)
    found = invoke("fit", "-", "--law", "chinchilla", stdin=mark + grid(ends).encode())
    assert found.exit_code == 0, found.stderr
    assert found.stdout == expected.stdout


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_written_are_read_to_the_bit(value):
    text = pl.DataFrame({"x": [value]}).write_csv()
    read = pl.read_csv(io.StringIO(text), schema={"x": pl.Float64})["x"][0]
    assert math.copysign(1, read) == math.copysign(1, value)
    assert read == value
    assert sf.units.read_number(repr(value)) == value


@given(st.floats(1e-5, 1e27))
def test_counts_are_written_to_be_read_again(value):
    for write in (sf.units.format_count, sf.units.format_flops):
        assert sf.units.read_number(write(value)) == pytest.approx(value, rel=6e-3)
