"""Fits as files: round trips to the byte, files of others refused by name, manifests that repeat a fit."""

import json
import pickle

import numpy as np
import polars as pl
import pytest

import scalefast as sf

BUDGETS = "1e20..1e26:7"


def runs(rows=60, seed=3):
    rng = np.random.default_rng(seed)
    n, d = 10 ** rng.uniform(7.5, 10, rows), 10 ** rng.uniform(9, 12, rows)
    truth = sf.law("hoffmann-2022").predict({"N": n, "D": d})["L"].to_numpy()
    return pl.DataFrame({"N": n, "D": d, "loss": truth * np.exp(rng.normal(0, 0.003, rows))})


@pytest.fixture(scope="module")
def fit():
    return sf.fit(runs(), "chinchilla", loss=sf.Squared())


@pytest.fixture(scope="module")
def resampled():
    return sf.fit(runs(), "chinchilla", loss=sf.Squared(), resample=sf.Bootstrap(50), seed=7)


@pytest.fixture(params=["fit", "resampled"])
def any_fit(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def path(any_fit, tmp_path):
    path = tmp_path / "law.parquet"
    any_fit.save(path)
    return path


def test_a_loaded_fit_sweeps_and_predicts_to_the_bit(any_fit, path):
    before, after = sf.sweep(any_fit, BUDGETS), sf.sweep(sf.load(path), BUDGETS)
    assert after == before
    assert after.summary.write_csv() == before.summary.write_csv()
    assert after.summary["uncertainty"][0] == ("none" if any_fit.spec.resample is None else "draws")
    points = {"N": [1e9, 7e10], "D": [2e10, 1.4e12]}
    assert sf.load(path).predict(points).equals(any_fit.predict(points))


def test_the_law_of_the_file_has_the_same_numbers(any_fit, path):
    by_name = sf.sweep(str(path), BUDGETS).summary.drop("law")
    assert by_name.equals(sf.sweep(any_fit, BUDGETS).summary.drop("law"))


def test_everything_but_the_runs_comes_back(any_fit, path):
    saved = sf.load(path)
    assert saved.law == any_fit.law
    assert saved.spec == any_fit.spec
    assert saved.certificate == any_fit.certificate
    assert (saved.status, saved.objective, saved.loss) == (any_fit.status, any_fit.objective, any_fit.loss)
    assert saved.law.fitted_range == any_fit.law.fitted_range
    assert saved.parameters.equals(any_fit.parameters)
    assert saved.diagnostics.equals(any_fit.diagnostics)
    assert saved.covariance().equals(any_fit.covariance())
    assert saved.n_rows == any_fit.n_rows


def test_saving_again_gives_the_same_bytes(any_fit, path, tmp_path):
    any_fit.save(tmp_path / "twin.parquet", name="law")
    sf.load(path).save(tmp_path / "again.parquet")
    assert (tmp_path / "twin.parquet").read_bytes() == path.read_bytes() == (tmp_path / "again.parquet").read_bytes()


def test_any_parquet_reader_sees_the_draws(resampled, tmp_path):
    path = tmp_path / "law.parquet"
    resampled.save(path)
    assert pl.read_parquet(path).equals(resampled.draws)
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(path)
    assert pl.DataFrame(pl.from_arrow(table)).equals(resampled.draws)
    assert json.loads(parquet.read_metadata(path).metadata[b"scalefast"])["schema_version"] == 1


def test_without_draws_the_table_is_empty_and_has_the_parameters(fit, tmp_path):
    path = tmp_path / "law.parquet"
    fit.save(path)
    assert pl.read_parquet(path).schema == dict.fromkeys(fit.law.parameters, pl.Float64)
    assert pl.read_parquet(path).is_empty()


def rewritten(path, change):
    """The file with the JSON of its metadata changed."""
    content = json.loads(pl.read_parquet_metadata(path)["scalefast"])
    change(content)
    pl.read_parquet(path).write_parquet(path, metadata={"scalefast": json.dumps(content)})


DAMAGE = {
    "truncated-artifact": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "newer-artifact": lambda path: rewritten(path, lambda content: content.update(schema_version=2)),
}


@pytest.mark.parametrize("read", [sf.load, sf.law])
@pytest.mark.parametrize("code", DAMAGE)
def test_cut_short_and_newer_files_are_refused_by_their_own_codes(path, read, code):
    DAMAGE[code](path)
    with pytest.raises(sf.LawError) as caught:
        read(path)
    assert caught.value.code == code


@pytest.mark.parametrize("read", [sf.load, sf.law])
@pytest.mark.parametrize(
    "write",
    [
        lambda path: pl.DataFrame({"a": [1]}).write_parquet(path),
        lambda path: path.write_text("N,D,loss\n1,2,3\n"),
    ],
)
def test_files_of_others_are_refused(tmp_path, read, write):
    path = tmp_path / "other.parquet"
    write(path)
    with pytest.raises(sf.LawError) as caught:
        read(path)
    assert caught.value.code == "foreign-artifact"


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("estimate"),
        lambda content: content.update(schema_version="one"),
        lambda content: content["estimate"].pop("values"),
        lambda content: content["estimate"].update(parameters=[1]),
        lambda content: content["manifest"]["spec"].pop("law"),
        lambda content: content["estimate"].update(loss={"type": "Path", "fields": {}}),
    ],
)
def test_damaged_metadata_are_refused(path, change):
    rewritten(path, change)
    with pytest.raises(sf.LawError) as caught:
        sf.load(path)
    assert caught.value.code == "damaged-artifact"


@pytest.mark.parametrize("length", [0, 2, 4, 100])
def test_no_prefix_of_a_file_is_a_traceback(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(sf.LawError) as caught:
        sf.load(path)
    assert caught.value.code == "truncated-artifact"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(sf.LawError, match=r"none\.parquet") as caught:
        sf.load(tmp_path / "none.parquet")
    assert caught.value.code == "unreadable-file"


SPECS = {
    "plain": sf.FitSpec("chinchilla"),
    "typed": sf.FitSpec("E + A/N**a", bounds={"a": (0, float("inf"))}, fixed={"E": 1.7}),
    "tied": sf.FitSpec("chinchilla", tied={"beta": "alpha"}, loss=sf.Huber("auto"), where="N > 1", y="loss"),
    "starts": sf.FitSpec("E + A/N**a", starts=sf.Grid({"E": [1, 2], "A": 400, "a": 0.3})),
    "frame of starts": sf.FitSpec("E + A/N**a", starts=pl.DataFrame({"E": [1.5], "A": [400.0], "a": [0.3]})),
    "expression": sf.FitSpec("chinchilla", columns={"N": pl.col("x") * 1e6}, where=pl.col("x") > 3),
    "bootstrap": sf.FitSpec("chinchilla", resample=sf.Bootstrap(range(10, 20), cluster="run"), seed=2**60),
    "weights": sf.FitSpec("chinchilla", resample=sf.Bootstrap(weights=np.array([[1.0, 2.0], [0.0, 1.0]]))),
    "jackknife": sf.FitSpec("chinchilla", resample=sf.Jackknife(), level=0.5),
}


@pytest.mark.parametrize("name", SPECS)
def test_specs_survive_plain_values_and_pickles(name):
    from scalefast._fitting.plainspec import plain_spec, read_spec

    spec = SPECS[name]
    assert read_spec(json.loads(json.dumps(plain_spec(spec), allow_nan=False))) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert all(spec != other for key, other in SPECS.items() if key != name)


def test_foreign_code_is_not_read_from_a_file(path):
    def hide(content):
        tree = json.dumps({"AnonymousFunction": {"input": [{"Column": "N"}], "function": [1, 2, 3]}})
        content["manifest"]["spec"]["where"] = {"expression": tree, "words": "col(N).map()"}

    rewritten(path, hide)
    saved = sf.load(path)
    assert saved.law.parameters["alpha"] is not None
    with pytest.raises(sf.LawError) as caught:
        _ = saved.spec
    assert caught.value.code == "expression-not-stored"


def test_values_pickle_and_compare(any_fit, path):
    copy = pickle.loads(pickle.dumps(any_fit))
    assert copy == any_fit
    assert copy.parameters.equals(any_fit.parameters)
    assert copy.residuals.equals(any_fit.residuals)
    assert copy.derive("beta/(alpha+beta)").equals(any_fit.derive("beta/(alpha+beta)"))
    assert copy != sf.fit(runs(seed=4), "chinchilla", loss=sf.Squared())
    for value in (any_fit.law, sf.sweep(any_fit, BUDGETS), sf.load(path), any_fit.manifest):
        assert pickle.loads(pickle.dumps(value)) == value


def test_a_manifest_repeats_the_fit_to_the_byte(any_fit, tmp_path):
    any_fit.manifest.save(tmp_path / "manifest.json")
    again = sf.repeat(sf.Manifest.read(tmp_path / "manifest.json"), runs(), threads=1)
    assert again == any_fit
    for fit, name in ((any_fit, "first"), (again, "second")):
        fit.save(tmp_path / f"{name}.parquet", name="law")
        fit.manifest.save(tmp_path / f"{name}.json")
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "second.parquet").read_bytes()
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()


def test_a_manifest_refuses_other_rows(fit):
    with pytest.raises(sf.DataError) as caught:
        sf.repeat(fit.manifest, runs().head(59))
    assert caught.value.code == "other-data"
    with pytest.raises(sf.DataError):
        sf.repeat(fit.manifest, runs().reverse())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "foreign-manifest"),
        ("[1]", "foreign-manifest"),
        ('{"schema_version": 9, "data": ""}', "newer-manifest"),
        ('{"schema_version": 1, "data": ""}', "damaged-artifact"),
        ("[" * 100_000, "foreign-manifest"),
    ],
)
def test_other_files_are_no_manifests(tmp_path, text, code):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(sf.LawError) as caught:
        sf.Manifest.read(tmp_path / "m.json")
    assert caught.value.code == code


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(fit, tmp_path, monkeypatch):
    path = tmp_path / "law.parquet"
    fit.save(path)
    before = path.read_bytes()

    def full(self, *arguments, **settings):
        raise OSError("no space left")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(OSError, match="no space"):
        fit.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
