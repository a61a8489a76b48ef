"""The program as a whole: help, laziness, exit codes, signals, pipes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from cli_runs import SCRIPT, invoke, process
from scalefast.cli import program


def test_help_lists_every_command_with_a_summary() -> None:
    text = invoke("--help").stdout
    for command in program.COMMANDS:
        assert re.search(rf"^  {command} +[A-Z]", text, re.MULTILINE)


def test_version() -> None:
    assert re.fullmatch(r"scalefast \d+\.\d+\.\d+\S*\n", invoke("--version").stdout)


def test_no_arguments_show_the_help_and_are_wrong_usage() -> None:
    result = invoke()
    assert result.exit_code == 2
    assert "Usage: scalefast" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["swep"], "did you mean `sweep`"),
        (["sweep", "--bugdet", "1"], "--budget"),
        (["sweep", "--budget", "1e24", "extra"], "extra"),
        (["fit"], "RUNS"),
        (["fit", "runs.csv"], "--law"),
        (["predict", "chinchilla"], "POINTS"),
        (["sweep", "--format", "xml", "--budget", "1"], "'xml'"),
    ],
)
def test_wrong_usage_is_2_and_says_what(arguments: list[str], told: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("spelling", [["--format", "json"], ["--format=json"], ["--format", "ndjson"]])
def test_errors_are_json_where_json_was_asked_for(spelling: list[str]) -> None:
    result = invoke("sweep", "--budget", "abc", *spelling)
    assert result.exit_code == 2
    error = json.loads(result.stderr)["error"]
    assert error["code"] == "bad-number"
    assert "abc" in error["message"]
    usage = json.loads(invoke("sweep", "--bugdet", "1", *spelling).stderr)["error"]
    assert usage["code"] == "usage"


def test_a_missing_file_is_2_without_a_traceback(tmp_path: Path) -> None:
    result = invoke("fit", str(tmp_path / "no.csv"), "--law", "chinchilla")
    assert result.exit_code == 2
    assert "no.csv" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_closed_pipe_ends_quietly() -> None:
    many = ["predict", "hoffmann-2022", "--at", "N=1e6..1e12:300", "--at", "D=1e6..1e12:300"]
    with process(*many) as run, subprocess.Popen(["head", "-1"], stdin=run.stdout, stdout=subprocess.PIPE) as head:
        assert run.stdout is not None
        run.stdout.close()
        assert head.communicate()[0] == b"N,D,L\n"
        assert run.stderr is not None
        assert run.stderr.read() == ""
        assert run.wait(20) == 0


def test_the_output_is_csv_in_a_pipe_and_a_table_on_a_terminal() -> None:
    arguments = ["predict", "hoffmann-2022", "--at", "N=70B", "--at", "D=1.4T"]
    assert invoke(*arguments).stdout.startswith("N,D,L\n70000000000.0,1400000000000.0,1.92")
    assert "70B" in on_a_terminal(*arguments, NO_COLOR="")


def test_no_color_leaves_no_escape_sequences_for_colour() -> None:
    arguments = ["predict", "hoffmann-2022", "--at", "N=70B", "--at", "D=1.4T"]
    text = on_a_terminal(*arguments, NO_COLOR="1", TERM="xterm-256color")
    assert "70B" in text
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text)


def test_an_encoding_without_a_columns_letters_is_no_failure(tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("N,D,größe\n1e9,1e10,1\n", encoding="utf-8")
    arguments = ["predict", "hoffmann-2022", str(points), "--format", "table"]
    with process(*arguments, environment={"PYTHONIOENCODING": "ascii"}) as run:
        stdout, stderr = run.communicate(timeout=20)
    assert run.returncode == 0, stderr
    assert "gr\\xf6\\xdfe" in stdout


def test_json_is_utf_8_and_errors_are_one_line_in_any_encoding(tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("N,D,größe\u0085\n1e9,1e10,1\n", encoding="utf-8")
    environment = {"PYTHONIOENCODING": "ascii"}
    run = subprocess.run(
        [str(SCRIPT), "predict", "hoffmann-2022", str(points), "--format", "json"],
        capture_output=True,
        env={**os.environ, **environment},
        check=True,
    )
    assert list(json.loads(run.stdout.decode("utf-8"))["rows"][0]) == ["N", "D", "größe\u0085", "L"]
    with process("fit", str(points), "--law", "chinchilla", "--format", "json", environment=environment) as failing:
        _, stderr = failing.communicate(timeout=20)
    [line] = stderr.splitlines()
    assert "größe\u0085" in json.loads(line)["error"]["hint"]


@pytest.mark.parametrize(
    ("closing", "code", "said"),
    [("<&-", 2, "stdin is empty"), (">&-", 0, ""), ("2>&-", 0, ""), ("<&- >&- 2>&-", 2, "")],
)
def test_a_stream_that_was_closed_before_the_start_is_no_traceback(closing: str, code: int, said: str) -> None:
    command = "predict hoffmann-2022 -" if "<" in closing else "sweep --budget 1e24 --quiet"
    run = subprocess.run(
        ["bash", "-c", f"'{SCRIPT}' {command} {closing}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, "Traceback" in run.stderr, said in run.stderr) == (code, False, True)


def test_a_dumb_terminal_gets_no_escape_sequences() -> None:
    assert "\x1b" not in on_a_terminal("laws", "--filter", "chinchilla", TERM="dumb")


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What the script writes when its stdout is a terminal."""
    import os
    import pty

    leader, follower = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment = {name: value for name, value in environment.items() if value}
    run = subprocess.Popen(
        [str(SCRIPT), *arguments],
        stdout=follower,
        stderr=subprocess.DEVNULL,
        env={**clean, "COLUMNS": "200", **environment},
    )
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(leader)
    assert run.wait(20) == 0
    return text.decode()
