"""Formats, files and numbers of the output."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest

import scalefast as sf
from scalefast.cli import output

FRAME = pl.DataFrame({"law": ["a", "b"], "N": [95863214567.123, None], "x": [0.1 + 0.2, float("nan")]})


def written(capfdbinary: pytest.CaptureFixture[bytes], format_: str) -> bytes:
    output.write_frame(FRAME, output.Destination(None, format_), meta={"answer": 42})
    return capfdbinary.readouterr().out


def test_csv_reads_back_to_the_same_doubles(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    back = pl.read_csv(io.BytesIO(written(capfdbinary, "csv")))
    assert back.equals(FRAME)


def test_ndjson_has_a_row_a_line(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    lines = written(capfdbinary, "ndjson").decode().splitlines()
    assert [json.loads(line)["law"] for line in lines] == ["a", "b"]
    assert json.loads(lines[0])["x"] == 0.1 + 0.2


def test_json_is_one_object_with_its_schema_version(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    fields = json.loads(written(capfdbinary, "json"))
    assert fields["schema_version"] == output.SCHEMA_VERSION
    assert fields["answer"] == 42
    assert fields["rows"][0] == {"law": "a", "N": 95863214567.123, "x": 0.1 + 0.2}
    assert fields["rows"][1] == {"law": "b", "N": None, "x": None}


@pytest.mark.parametrize("format_", ["parquet", "arrow"])
def test_binary_formats_round_trip(capfdbinary: pytest.CaptureFixture[bytes], format_: str) -> None:
    data = io.BytesIO(written(capfdbinary, format_))
    back = pl.read_parquet(data) if format_ == "parquet" else pl.read_ipc(data)
    assert back.equals(FRAME)
    if format_ == "parquet":
        assert pl.read_parquet_metadata(data)["schema_version"] == str(output.SCHEMA_VERSION)


def test_a_table_rounds_for_people(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = written(capfdbinary, "table").decode()
    assert "95.86B" in text
    assert "0.3 " in text or "0.3\n" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("name", "format_"),
    [("a.csv", "csv"), ("a.JSON", "json"), ("a.jsonl", "ndjson"), ("a.parquet", "parquet"), ("a.feather", "arrow")],
)
def test_the_suffix_chooses_the_format(tmp_path: Path, name: str, format_: str) -> None:
    assert output.destination(None, str(tmp_path / name), False, False).format == format_


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        output.destination(None, str(tmp_path / "a.xyz"), False, False)
    assert caught.value.code == "unknown-suffix"


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("precious")
    with pytest.raises(sf.SettingsError, match="exists") as caught:
        output.destination(None, str(path), False, False)
    assert caught.value.code == "file-exists"
    assert path.read_text() == "precious"
    output.write_frame(FRAME, output.destination(None, str(path), True, False))
    assert pl.read_csv(path).equals(FRAME)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("precious")
    with pytest.raises(ZeroDivisionError), output.replacing(path, force=True) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(sf.SettingsError), output.replacing(path, force=False):
        path.write_text("precious")
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("value", "column", "shown"),
    [
        (95.8632e9, "N", "95.86B"),
        (1.7386e12, "D_q05", "1.739T"),
        (1e24, "C", "1e24"),
        (18.13971, "D_per_N", "18.1397"),
        (1.9597131, "L", "1.95971"),
        (True, "at_bound", "yes"),
        (None, "N", "-"),
        (float("nan"), "L", "NaN"),
        ("epoch-2024", "law", "epoch-2024"),
    ],
)
def test_cells_of_a_table(value: object, column: str, shown: str) -> None:
    assert output.human(value, column) == shown
