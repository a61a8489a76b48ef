"""Bad input: every case ends with exit code 2 and a message that names the fault and, where it can, the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli_runs import invoke

GOOD_ROWS = [
    f"{n:g},{d:g},{1.7 + 400 / n**0.34 + 400 / d**0.28:.17g}" for n in (1e8, 1e9, 1e10) for d in (1e9, 1e10, 1e11)
]
FIT = ("--law", "chinchilla")


def runs(folder: Path, rows: list[str], header: str = "N,D,loss") -> str:
    path = folder / "runs.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)


def refused(*arguments: str, stdin: str | None = None) -> str:
    """The message of a command that must end with 2, without a traceback and without data."""
    result = invoke(*arguments, stdin=stdin)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    return result.stderr


def caret_under(message: str, text: str) -> bool:
    """Whether the line with the carets stands under `text` in the line above it."""
    lines = message.splitlines()
    place = next(i for i, line in enumerate(lines) if re.fullmatch(r" *\^+", line))
    begin = lines[place].index("^")
    return lines[place - 1][begin:].startswith(text)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(content)
    assert "runs.csv` is empty" in refused("fit", str(path), *FIT)


def test_empty_stdin() -> None:
    assert "stdin is empty" in refused("fit", "-", *FIT, stdin="")


def test_a_header_without_rows(tmp_path: Path) -> None:
    assert "no rows" in refused("fit", runs(tmp_path, []), *FIT)


def test_a_missing_file() -> None:
    assert "no-such-file.csv" in refused("fit", "no-such-file.csv", *FIT)


def test_a_missing_variable(tmp_path: Path) -> None:
    message = refused("fit", runs(tmp_path, GOOD_ROWS, "N,data,loss"), *FIT)
    assert "`D`" in message
    assert "--col D=" in message
    assert "`data`" in message


def test_a_missing_column_gets_the_nearest(tmp_path: Path) -> None:
    path = runs(tmp_path, GOOD_ROWS, "config.params,config.tokens,eval/loss")
    bound = ("--col", "N=config.params", "--col", "D=config.tokens")
    assert "`eval/loss`" in refused("fit", path, *FIT, *bound, "--y", "eval/los")
    assert "`config.params`" in refused("fit", path, *FIT, *bound[2:], "--col", "N=config.parms", "--y", "eval/loss")


def test_a_near_miss_in_a_column_formula_has_a_caret(tmp_path: Path) -> None:
    path = runs(tmp_path, GOOD_ROWS, "params_m,D,loss")
    message = refused("fit", path, *FIT, "--col", "N=1e6*parms_m")
    assert "`params_m`" in message
    assert caret_under(message, "parms_m")


def test_a_near_miss_of_a_column_in_a_law_has_a_caret(tmp_path: Path) -> None:
    path = runs(tmp_path, GOOD_ROWS, "n_params,n_tokens,loss")
    message = refused("fit", path, "--law", "E + A/n_parms**alpha + B/D**beta", "--y", "loss")
    assert "`n_params`" in message
    assert caret_under(message, "n_parms")


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "", "0", "-1"])
def test_values_that_no_law_takes_are_counted_and_shown(tmp_path: Path, column: int, value: str) -> None:
    bad = []
    for row in (4, 7):
        fields = GOOD_ROWS[row].split(",")
        fields[column] = value
        bad.append(",".join(fields))
    rows = [*GOOD_ROWS[:4], bad[0], *GOOD_ROWS[5:7], bad[1], *GOOD_ROWS[8:]]
    message = refused("fit", runs(tmp_path, rows), *FIT)
    assert "2 of 9 rows" in message
    assert re.search(r"\b4\b", message)
    assert "--where, or --drop-invalid" in message


def test_text_in_a_column(tmp_path: Path) -> None:
    rows = [*GOOD_ROWS[:3], "oops,1e9,2.5", *GOOD_ROWS[4:]]
    message = refused("fit", runs(tmp_path, rows), *FIT)
    assert "`N`" in message
    assert "oops" in message


def test_too_few_distinct_design_points(tmp_path: Path) -> None:
    message = refused("fit", runs(tmp_path, GOOD_ROWS[:3] * 10), *FIT)
    assert "distinct" in message
    assert "3" in message


@pytest.mark.parametrize(
    ("formula", "told", "at"),
    [
        ("E + A*sqrrt(N)", "sqrt", "sqrrt"),
        ("E + A/N**", "", ""),
        ("E + A/N^0.5", "**", "^"),
        ("E + (A/N", "", "("),
        ("E + 2N", "", ""),
        ("E + 1e999*N", "", "1e999"),
    ],
)
def test_a_bad_formula_has_a_caret(tmp_path: Path, formula: str, told: str, at: str) -> None:
    message = refused("fit", runs(tmp_path, GOOD_ROWS), "--law", formula)
    assert told in message
    assert caret_under(message, at)


@pytest.mark.parametrize("formula", ["+".join(["N"] * 50_001), "(" * 10_000 + "N" + ")" * 10_000, "exp(" * 2_000 + "N"])
def test_monstrous_formulas_get_a_short_answer(tmp_path: Path, formula: str) -> None:
    message = refused("fit", runs(tmp_path, GOOD_ROWS), "--law", formula)
    assert len(message) < 1000


@pytest.mark.parametrize("budget", ["-1", "0", "nan", "abc", "1e400", "inf", "", "1e20..1e19:5", "1e20..1e22"])
def test_impossible_budgets(budget: str) -> None:
    message = refused("sweep", "--budget", budget)
    assert "--budget" in message
    assert "hint" in message or "above zero" in message


def test_an_ambiguous_suffix_is_refused() -> None:
    assert "70B" in refused("predict", "hoffmann-2022", "--at", "N=70b", "--at", "D=1T")


@pytest.mark.parametrize("draws", ["-1", "4001", "9" * 400, "many"])
def test_impossible_draws(draws: str) -> None:
    assert "draws" in refused("sweep", "--budget", "1e24", "--draws", draws)


@pytest.mark.parametrize(
    "arguments", [("sweep", "--budget", "1e24", "--law"), ("laws", "show"), ("predict", "--at", "N=1", "--at", "D=1")]
)
def test_an_unknown_law_gets_the_nearest(arguments: tuple[str, ...]) -> None:
    assert "`epoch-2024`" in refused(*arguments, "epoch-2023")


def test_a_form_without_values_cannot_predict() -> None:
    assert "no value" in refused("predict", "chinchilla", "--at", "N=1e9", "--at", "D=1e10")


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_truncated_parquet_file(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "runs.parquet"
    assert invoke("predict", "hoffmann-2022", "--at", "N=1e8..1e9:9", "--at", "D=1e9", "-o", str(path)).exit_code == 0
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    message = refused("fit", str(path), *FIT)
    assert "runs.parquet" in message
    assert "cut short" in message


def test_a_truncated_law(tmp_path: Path) -> None:
    path = tmp_path / "law.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    assert "law.parquet" in refused("sweep", "--budget", "1e24", "--law", str(path))


LAW_FILE = """\
schema = 1
id = "mine"
title = "Mine"
formula = "E + A/N**a"
[variables.N]
unit = "parameters"
[parameters.E]
[parameters.A]
[parameters.a]
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema = 1", "schema = 7", "schema"),
        ("schema = 1", "", "`schema`"),
        ('title = "Mine"', "", "`title`"),
        ('formula = "E + A/N**a"', "", "`formula`"),
        ('title = "Mine"', 'titel = "Mine"', "title"),
        ("[parameters.a]", "[parameters.a]\nboundz = [0, 1]", "`bounds`"),
        ('unit = "parameters"', 'unit = "parameters"\nUnit = "x"', "Unit"),
        ("[parameters.a]", "", "`a`"),
        ("[parameters.a]", "[parameters.a]\n[parameters.b]", "`b`"),
        ('formula = "E + A/N**a"', 'formula = "E + A/N**"', "A/N**"),
        ("schema = 1", "schema 1", "TOML"),
        ("[parameters.a]", "[parameters.a]\nbounds = [1, 0]", "bounds"),
    ],
)
def test_a_bad_law_file_names_the_field(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(LAW_FILE)
    assert invoke("laws", "check", str(path)).exit_code == 0
    path.write_text(LAW_FILE.replace(old, new))
    message = refused("laws", "check", str(path))
    assert told in message
    assert "mine.toml" in message


def test_messages_speak_of_options_not_of_arguments(tmp_path: Path) -> None:
    path = runs(tmp_path, GOOD_ROWS, "a,b,c")
    assert "--col N=…" in refused("fit", path, *FIT)
    assert "--y …" in refused("fit", path, *FIT, "--col", "N=a", "--col", "D=b")
    assert "--fix: " in refused("fit", path, *FIT, "--fix", "alfa=1")
    assert "--col NAME=COLUMN" in refused("fit", path, "--law", "E + A/a**q")


def test_names_given_twice() -> None:
    assert "twice" in refused("predict", "hoffmann-2022", "--at", "N=1e9", "--at", "N=2e9", "--at", "D=1e9")


def test_unknown_parameters(tmp_path: Path) -> None:
    path = runs(tmp_path, GOOD_ROWS)
    for option, value in (("--bound", "alfa=0..1"), ("--fix", "alfa=0.3"), ("--tie", "alfa=beta")):
        assert "`alpha`" in refused("fit", path, *FIT, option, value)


@pytest.mark.parametrize(
    ("condition", "told"), [("los < 3", "`loss`"), ("loss <", "loss <"), ("loss + 1", ""), ("loss < 0", "rows")]
)
def test_bad_conditions(tmp_path: Path, condition: str, told: str) -> None:
    assert told in refused("fit", runs(tmp_path, GOOD_ROWS), *FIT, "--where", condition)


def test_an_existing_output_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("precious")
    message = refused("predict", "hoffmann-2022", "--at", "N=1e9", "--at", "D=1e9", "-o", str(path))
    assert "--force" in message
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sweep",), "such as 1e24"),
        (("sweep", "--budget", "1e24", "--bound", "Q=1..2"), "--bound: `Q`"),
        (("sweep", "--budget", "1e24", "--bound", "N=8B"), "N=..1"),
        (("sweep", "--budget", "1e24", "--given", "U=25B"), "--given: "),
        (("sweep", "--budget", "1e24", "--law", "runs.csv"), "seems to hold runs"),
        (("sweep", "--budget", "1e24", "--law", "E + A/N**a"), "scalefast fit RUNS --law … -o law.parquet"),
        (("predict", "hoffmann-2022", "--at", "N=70B"), "--at D=…"),
        (("predict", "hoffmann-2022", "--at", "N=70B", "--at", "D=1T", "--at", "M=1"), "the law has no `M`"),
        (("simulate", "hoffmann-2022", "--sobol", "5", "--range", "Q=1..2"), "`Q`"),
        (("solve", "N"), "such as N=70B"),
        (("plan", "--accelerators", "100xA100", "--days", "30", "--mfu", "40"), "--mfu: 40"),
    ],
)
def test_messages_speak_the_language_of_the_command_line(arguments: tuple[str, ...], said: str) -> None:
    message = refused(*arguments)
    assert said in message
    assert "sf." not in message


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--fix", "E"), "--fix E=1.69"),
        (("--col", "N"), "--col N=n_params"),
        (("--tie", "beta=alpha+"), "--tie: beta: "),
        (("--start", "alpha=1"), "--start: "),
        (("--level", "90"), "--level 0.9"),
        (("--y", "los"), "--y: there is no column"),
        (("--where", "loss > 100"), "--where leaves none"),
        (("--by", "task"), "--by: there is no column"),
    ],
)
def test_messages_of_a_fit_name_the_option(tmp_path: Path, option: tuple[str, ...], said: str) -> None:
    assert said in refused("fit", runs(tmp_path, GOOD_ROWS), *FIT, *option)
