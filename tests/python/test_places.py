"""Runs are read from paths, buffers and URLs alike."""

import io

import polars as pl
import pytest

import scalefast as sf

RUNS = sf.simulate("hoffmann-2022", sf.Sobol(24), sf.LogNormal(0.005))
FORMATS = {"csv": "write_csv", "parquet": "write_parquet", "ndjson": "write_ndjson", "arrow": "write_ipc"}


def written(kind):
    buffer = io.BytesIO()
    getattr(RUNS, FORMATS[kind])(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def estimates():
    return sf.fit(RUNS, "chinchilla").parameters


@pytest.mark.parametrize("kind", FORMATS)
def test_a_buffer_is_told_by_its_first_bytes(kind, estimates):
    assert sf.fit(io.BytesIO(written(kind)), "chinchilla").parameters.equals(estimates)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_path_and_its_url_are_the_same(tmp_path, kind, estimates):
    path = tmp_path / f"runs.{kind}"
    path.write_bytes(written(kind))
    assert sf.fit(path, "chinchilla").parameters.equals(estimates)
    assert sf.fit(path.as_uri(), "chinchilla").parameters.equals(estimates)


def test_an_open_file_and_a_buffer_of_text_are_read(tmp_path, estimates):
    path = tmp_path / "runs"
    path.write_bytes(written("csv"))
    with path.open("rb") as file:
        assert sf.fit(file, "chinchilla").parameters.equals(estimates)
    assert sf.fit(io.StringIO(RUNS.write_csv()), "chinchilla").parameters.equals(estimates)


def test_other_places_are_read_through_fsspec(estimates):
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://study/runs.csv", "wb") as file:
        file.write(written("csv"))
    assert sf.fit("memory://study/runs.csv", "chinchilla").parameters.equals(estimates)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("file:///no/such/runs.csv", "unreadable-file"),
        ("file:///no/such/runs.xlsx", "unknown-format"),
        ("odd-scheme://bucket/runs.csv", None),
        (io.BytesIO(b""), "empty-file"),
        (io.BytesIO(b"PAR1 cut short"), "unreadable-file"),
        (io.BytesIO(b'{"N": 1'), "unreadable-file"),
    ],
)
def test_what_cannot_be_read_is_named(source, code):
    with pytest.raises(sf.DataError) as caught:
        sf.fit(source, "chinchilla")
    assert code is None or caught.value.code == code


def test_a_lazy_frame_is_read_once_it_is_needed(estimates):
    assert sf.fit(pl.LazyFrame(RUNS), "chinchilla").parameters.equals(estimates)
