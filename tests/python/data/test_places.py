"""Runs are read from paths, buffers and URLs alike."""

import gzip
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


class Stream:
    """A frame of a library that nobody knows: it speaks Arrow's C stream and nothing else."""

    def __init__(self, frame):
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self.frame.__arrow_c_stream__(requested_schema)


class Broken:
    def __arrow_c_stream__(self, requested_schema=None):
        raise RuntimeError("the connection is gone")


def test_any_frame_that_speaks_arrow_is_read(estimates):
    table = RUNS.to_arrow()
    for frame in (Stream(RUNS), table, table.to_batches()[0], table.to_reader()):
        assert sf.fit(frame, "chinchilla").parameters.equals(estimates)
    with pytest.raises(sf.DataError, match="the connection is gone") as caught:
        sf.fit(Broken(), "chinchilla")
    assert caught.value.code == "unreadable-frame"


def test_pandas_frames_of_any_kind_are_read(estimates):
    pandas = pytest.importorskip("pandas")
    plain = pandas.DataFrame(RUNS.to_dict(as_series=False), index=[7] * RUNS.height)
    odd = plain.assign(kind=pandas.Categorical(["a"] * 24), mixed=[1, "a"] * 12, when=pandas.Timestamp("2026"))
    for frame in (
        plain,
        odd,
        plain.convert_dtypes(),
        plain.convert_dtypes(dtype_backend="pyarrow"),
        plain.astype(object),
    ):
        assert sf.fit(frame, "chinchilla").parameters.equals(estimates)
    twice = pandas.concat([plain, plain[["N"]]], axis=1)
    with pytest.raises(sf.DataError) as caught:
        sf.fit(twice, "chinchilla")
    assert caught.value.code == "unreadable-frame"


class Place:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


def test_bytes_paths_of_other_libraries_and_compressed_text_are_read(tmp_path, estimates):
    content = written("csv")
    packed, stream = tmp_path / "runs.csv.gz", tmp_path / "stream.ipc"
    packed.write_bytes(gzip.compress(content))
    RUNS.write_ipc_stream(stream)
    sources = (content, bytearray(content), memoryview(content), Place(packed), packed, stream, stream.read_bytes())
    for source in sources:
        assert sf.fit(source, "chinchilla").parameters.equals(estimates)


def test_a_name_is_no_pattern(tmp_path, estimates):
    for name in ("runs[1].csv", "runs*.csv", "a.csv"):
        (tmp_path / name).write_bytes(written("csv"))
    assert sf.fit(tmp_path / "runs[1].csv", "chinchilla").n_rows == RUNS.height
    assert sf.fit(tmp_path / "runs*.csv", "chinchilla").n_rows == RUNS.height


@pytest.mark.parametrize("word", ["nan", "NA", "inf", "null", ""])
def test_a_word_for_missing_is_a_row_that_is_counted_and_not_a_column_of_text(word):
    text = RUNS.write_csv() + f"1e9,1e10,{word}\n"
    with pytest.raises(sf.DataError) as caught:
        sf.fit(text.encode(), "chinchilla")
    assert (caught.value.code, caught.value.row) == ("invalid-rows", 24)
    assert sf.fit(text.encode(), "chinchilla", drop_invalid=True).n_dropped == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
def test_a_text_of_any_unicode_encoding_is_read(tmp_path, encoding, estimates):
    path = tmp_path / "runs.csv"
    path.write_text(RUNS.write_csv(), encoding=encoding)
    assert sf.fit(path, "chinchilla").parameters.equals(estimates)
    assert sf.fit(path.read_bytes(), "chinchilla").parameters.equals(estimates)


@pytest.mark.parametrize(("sign", "said"), [(";", "`;`"), ("\t", '"tsv"'), ("|", "`|`")])
def test_another_separator_is_named(sign, said):
    with pytest.raises(sf.DataError) as caught:
        sf.read_file(RUNS.write_csv(separator=sign).encode())
    assert caught.value.code == "other-separator"
    assert said in str(caught.value)
    assert sf.read_file(b'"a;b",c\n1,2\n').columns == ["a;b", "c"]


def test_a_format_may_be_said(tmp_path, estimates):
    path = tmp_path / "export"
    path.write_bytes(RUNS.write_csv(separator="\t").encode())
    with pytest.raises(sf.DataError) as caught:
        sf.fit(path, "chinchilla")
    assert caught.value.code == "unknown-format"
    assert sf.fit(sf.read_file(path, "tsv"), "chinchilla").parameters.equals(estimates)
    with pytest.raises(sf.SettingsError) as caught:
        sf.read_file(path, "tsvv")
    assert caught.value.code == "unknown-format"
    assert "`tsv`" in str(caught.value)


def test_columns_go_in_and_come_out_without_a_copy():
    points = RUNS.drop("L")
    predicted = sf.law("hoffmann-2022").predict(points)
    for name in points.columns:
        assert predicted[name].to_numpy().ctypes.data == points[name].to_numpy().ctypes.data
    assert predicted["L"].to_numpy(allow_copy=False).shape == (RUNS.height,)


def test_a_lazy_frame_is_read_once_it_is_needed(estimates):
    assert sf.fit(pl.LazyFrame(RUNS), "chinchilla").parameters.equals(estimates)
