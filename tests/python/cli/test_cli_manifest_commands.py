"""`--manifest` and `--repeat` of the other commands: the same bytes again, on the same files."""

import json

import click
import pytest

import scalefast as sf
from cli_page import commands
from cli_runs import invoke, process
from scalefast.cli.manifests import ABOUT_THE_RUN

#: Commands that only look things up.
LOOK_UP = {"", "laws", "laws show", "laws check", "explain"}
COMPUTE = {name: command for name, command in commands() if name not in LOOK_UP}


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = sf.simulate("hoffmann-2022", sf.Sobol(40), sf.LogNormal(0.005))
    runs.write_csv("runs.csv")
    runs.drop("L").write_csv("points.csv")
    runs.with_columns(task=runs["N"].rank() > 20).write_csv("tasks.csv")
    fit = sf.fit(runs, "chinchilla", resample=sf.Bootstrap(20))
    fit.save("law.parquet")
    fit.residuals.write_csv("rows.csv")


@pytest.mark.parametrize("name", COMPUTE)
def test_every_command_that_computes_has_a_manifest(name):
    command = COMPUTE[name]
    options = {option for p in command.params if isinstance(p, click.Option) for option in p.opts}
    assert {"--manifest", "--repeat"} <= options, f"make `{name}` with cls=manifests.Recorded, inputs=(…)"
    assert set(command.inputs) <= {p.name for p in command.params}
    files = {p.name for p in command.params if isinstance(p, click.Option) and p.metavar == "FILE"}
    unknown = files - ABOUT_THE_RUN - set(command.inputs)
    assert not unknown, f"`{name}`: add {unknown} to inputs=(…) where it is read, else to ABOUT_THE_RUN"


RUNS = [
    ("sweep", "--budget", "1e20..1e24:3", "--law", "law.parquet", "--law", "hoffmann-2022", "--draws", "0"),
    ("sweep", "--budget", "1e24", "--budget", "1e25", "--bounds", "N=..8B", "--cost", "6*N*D"),
    ("predict", "law.parquet", "runs.csv", "--interval", "confidence"),
    ("predict", "hoffmann-2022", "--at", "N=1e9..1e10:3", "--at", "D=1e11"),
    ("simulate", "law.parquet", "--sobol", "8", "--seed", "3"),
    ("simulate", "hoffmann-2022", "--points", "points.csv", "--noise", "student-t:0.01,3"),
    ("simulate", "hoffmann-2022", "--sobol", "8", "--noise", "residuals:rows.csv"),
    ("fit", "tasks.csv", "--by", "task", "--law", "E + A/N**a + B/D**b", "--loss", "squared", "--fix", "E=1.69"),
]


@pytest.mark.parametrize("typed", RUNS, ids=" ".join)
def test_a_repeated_run_gives_the_same_bytes(typed):
    once = invoke(*typed, "--manifest", "m.json", "--format", "json")
    assert once.exit_code == 0, once.stderr
    again = invoke(typed[0], "--repeat", "m.json", "--manifest", "again.json", "--format", "json")
    assert again.exit_code == 0, again.stderr
    assert (again.stdout, again.stderr) == (once.stdout, once.stderr)
    with open("m.json", "rb") as first, open("again.json", "rb") as second:
        assert first.read() == second.read()


def test_stdin_is_recorded_and_compared():
    text = "N,D\n1e9,2e10\n"
    assert invoke("predict", "hoffmann-2022", "-", "--manifest", "m.json", stdin=text).exit_code == 0
    same = invoke("predict", "--repeat", "m.json", stdin=text)
    assert (same.exit_code, same.stdout.splitlines()[0]) == (0, "N,D,L")
    other = invoke("predict", "--repeat", "m.json", "--format", "json", stdin="N,D\n1e9,3e10\n")
    assert (other.exit_code, json.loads(other.stderr)["error"]["code"]) == (2, "other-data")
    assert other.stdout == ""


def test_the_manifest_holds_what_was_typed():
    typed = ("--draws", "0", "--law", "law.parquet", "--budget", "1e24", "--threads", "1", "--quiet", "-o", "s.csv")
    assert invoke("sweep", *typed, "--manifest", "m.json").exit_code == 0
    with open("m.json") as file:
        fields = json.load(file)
    assert list(fields) == ["schema_version", "version", "kernel", "command", "options", "arguments", "inputs"]
    assert fields["options"] == {"--budget": ["1e24"], "--law": ["law.parquet"], "--draws": "0"}
    assert fields["arguments"] == []
    [[name, digest]] = fields["inputs"]
    assert (name, digest[:7]) == ("law.parquet", "sha256:")
    refused = invoke("sweep", *typed, "--force", "--manifest", "no-such-folder/m.json")
    assert (refused.exit_code, "no-such-folder" in refused.stderr) == (2, True)


def test_another_law_other_settings_and_other_commands_are_refused():
    assert invoke("sweep", "--budget", "1e24", "--law", "law.parquet", "--manifest", "m.json").exit_code == 0
    sf.fit(sf.simulate("hoffmann-2022", sf.Sobol(40)), "chinchilla").save("law.parquet")
    invoke("fit", "runs.csv", "--law", "chinchilla", "--manifest", "fit.json")
    for arguments, code in (
        (("sweep", "--repeat", "m.json"), "other-data"),
        (("sweep", "--repeat", "m.json", "--budget", "1e25"), "repeat-with-settings"),
        (("simulate", "--repeat", "m.json"), "foreign-manifest"),
        (("fit", "runs.csv", "--repeat", "m.json"), "foreign-manifest"),
        (("sweep", "--repeat", "fit.json"), "foreign-manifest"),
        (("sweep", "--repeat", "runs.csv"), "foreign-manifest"),
        (("sweep", "--repeat", "absent.json"), "unreadable-file"),
        (("sweep",), "usage"),
    ):
        result = invoke(*arguments, "--format", "json")
        assert result.exit_code == 2
        assert json.loads(result.stderr)["error"]["code"] == code, arguments


def test_a_file_behind_a_word_is_recorded_too():
    invoke("simulate", "hoffmann-2022", "--sobol", "8", "--noise", "residuals:rows.csv", "--manifest", "m.json")
    assert [name for name, _ in sf.CommandManifest.read("m.json").inputs] == ["rows.csv"]


def test_another_version_is_said():
    invoke("sweep", "--budget", "1e24", "--manifest", "m.json")
    with open("m.json") as file:
        fields = json.load(file)
    with open("m.json", "w") as file:
        json.dump({**fields, "version": "0.0.0"}, file)
    result = invoke("sweep", "--repeat", "m.json")
    assert result.exit_code == 0
    assert "warning: the manifest is of scalefast 0.0.0" in result.stderr


def test_a_failed_run_writes_no_manifest():
    assert invoke("sweep", "--budget", "1e24", "--law", "nothing", "--manifest", "m.json").exit_code == 2
    assert invoke("sweep", "--repeat", "m.json").exit_code == 2


def test_a_manifest_is_repeated_by_the_script_too():
    with process("sweep", "--budget", "1e24", "--manifest", "m.json") as run:
        once, _ = run.communicate(timeout=60)
    with process("sweep", "--repeat", "m.json") as run:
        again, err = run.communicate(timeout=60)
    assert (run.returncode, again) == (0, once), err
