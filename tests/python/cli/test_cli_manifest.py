"""`scalefast fit --manifest` and `--repeat`: the same bytes again."""

import json

import pytest

import scalefast as sf
from cli_runs import invoke


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "runs.csv"
    sf.simulate("hoffmann-2022", sf.Sobol(40), sf.LogNormal(0.005)).write_csv(path)
    return str(path)


SETTINGS = (
    "--law",
    "chinchilla",
    "--loss",
    "huber:auto",
    "--where",
    "N < 1e10",
    "--tie",
    "beta=alpha",
    "--fix",
    "E=1.7",
)


def test_a_repeated_fit_gives_the_same_bytes(runs, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    files = [("-o", str(f / "law.parquet"), "--manifest", str(f / "m.json")) for f in (first, second)]
    once = invoke("fit", runs, *SETTINGS, *files[0])
    assert once.exit_code == 0, once.stderr
    again = invoke("fit", runs, "--repeat", str(first / "m.json"), *files[1], "--threads", "1")
    assert again.exit_code == 0, again.stderr
    assert again.stdout == once.stdout
    assert again.stderr.replace("second", "first") == once.stderr
    for name in ("law.parquet", "m.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_manifest_holds_what_the_fit_was_made_of(runs, tmp_path):
    path = tmp_path / "m.json"
    assert invoke("fit", runs, *SETTINGS, "--manifest", str(path)).exit_code == 0
    fields = json.loads(path.read_text())
    assert list(fields) == ["schema_version", "version", "kernel", "data", "n_rows", "spec"]
    assert fields["version"] == sf.__version__
    assert fields["spec"]["where"] == "N < 1e10"
    assert fields["spec"]["seed"] == 0
    assert "time" not in path.read_text()
    refused = invoke("fit", runs, *SETTINGS, "--manifest", str(path))
    assert (refused.exit_code, "--force" in refused.stderr) == (2, True)


def test_other_rows_and_other_settings_are_refused(runs, tmp_path):
    path, other = str(tmp_path / "m.json"), str(tmp_path / "other.csv")
    invoke("fit", runs, "--law", "chinchilla", "--manifest", path)
    sf.simulate("hoffmann-2022", sf.Sobol(40), sf.LogNormal(0.005), seed=1).write_csv(other)
    for arguments, code in (
        (("fit", other, "--repeat", path), "other-data"),
        (("fit", runs, "--repeat", path, "--loss", "squared"), "repeat-with-settings"),
        (("fit", runs, "--repeat", path, "--law", "chinchilla"), "repeat-with-settings"),
        (("fit", runs, "--repeat", runs), "foreign-manifest"),
        (("fit", runs), "usage"),
    ):
        result = invoke(*arguments, "--format", "json")
        assert result.exit_code == 2
        assert json.loads(result.stderr)["error"]["code"] == code


def test_what_changes_no_result_may_stand_beside_repeat(runs, tmp_path):
    path = str(tmp_path / "m.json")
    invoke("fit", runs, "--law", "chinchilla", "--resample", "30", "--manifest", path)
    beside = (
        "--threads",
        "1",
        "--timeout",
        "60",
        "--on-interrupt",
        "partial",
        "--draws-to",
        str(tmp_path / "d.parquet"),
    )
    result = invoke("fit", runs, "--repeat", path, *beside, "--residuals", str(tmp_path / "r.csv"))
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "d.parquet").exists()
    assert (tmp_path / "r.csv").exists()
    with pytest.raises(sf.SettingsError) as caught:
        sf.repeat(sf.Manifest.read(path), runs, level=0.5)
    assert caught.value.code == "repeat-with-settings"
