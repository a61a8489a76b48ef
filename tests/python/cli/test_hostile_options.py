"""Anything may be typed after any option of any command: a result or a named error, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scalefast as sf
from cli_page import commands
from cli_runs import invoke

COMMANDS = {name: command for name, command in commands() if name and not isinstance(command, click.Group)}
#: Texts that mean something to some option, and some that mean nothing to any.
TEXTS = [
    *(
        "",
        " ",
        "-",
        "--",
        "-1",
        "0",
        "1",
        "5",
        "0.4",
        "1e24",
        "1e999",
        "nan",
        "inf",
        "1_000",
        "70B",
        "70b",
        "1e5x",
        "٣",
    ),
    *(
        "1e20..1e22:3",
        "1e22..1e20:3",
        "1..",
        "..",
        ":",
        "=",
        "=1",
        "N=",
        "N=1",
        "N=7B",
        "N=7B,D=1T",
        "N=1..2",
        "N=..8B",
    ),
    *(
        "N=1e8..1e9:2",
        "D=20*N",
        "D=20*Q",
        "U=25B",
        "L=2",
        "L=0",
        "C=1e23",
        "alpha=0..1",
        "alpha=0,1",
        "beta=alpha",
        "E=1.69",
    ),
    *(
        "huber:auto",
        "huber:1e-3",
        "pinball:0.5",
        "pairs:5",
        "wild:5",
        "jackknife",
        "0.05,0.95",
        "0.95,0.05",
        "N,D",
        "N,N",
    ),
    *(
        "uniform(0.3,0.4)",
        "uniform(1,0)",
        "normal(1,",
        "0.3..0.4",
        "100xA100",
        "H100-SXM",
        "30d",
        "30m",
        "$10M",
        "500MWh",
    ),
    *("6*N*D", "6*N*", "N^2", "E + A/N**a", "`", "loss < 4", "loss <", "chinchilla", "hoffmann-2022", "kaplan-2020"),
    *("runs.csv", "law.parquet", "no-such-file.csv", "/", "a" * 2000, "α", "\n", "\udcff", "N=\udcff", "final"),
]
#: What suits an option, by what its help calls it.
SUITABLE = {
    "COLUMN": ["N", "task", "L"],
    "COUNTxNAME": ["100xA100", "8xH100-SXM"],
    "DAYS": ["30", "6w"],
    "DOLLARS": ["10M", "$1e6"],
    "ENERGY": ["500MWh"],
    "FLOPS": ["1e24", "1e20..1e22:3", "1", "1e300"],
    "FILE": ["out.csv", "out.json"],
    "FORMULA": ["6*N*D", "6*N*D + 2*N*T", "D", "6*N*D/0", "2*N*T", "exp(N)"],
    "ID": ["chinchilla", "hoffmann-2022"],
    "INTEGER RANGE": ["0", "1", "7"],
    "LAW": ["hoffmann-2022", "epoch-2024-huber", "law.parquet", "kaplan-n/kaplan-2020", "kaplan-frontier/kaplan-2020"],
    "LOSS": ["squared", "huber:auto", "huber:1e-9", "cauchy:0.1", "pinball:0.5,0.01"],
    "NAME=COLUMN": ["N=N*1e6", "D=`D`", "C=6*N*D", "N=L", "x=N"],
    "NAME=FORMULA": ["beta=alpha", "B=A*2", "alpha=1/0", "E=E"],
    "NAME=LOW..HIGH": ["N=1e8..1e9", "N=..8B", "D=1..", "alpha=0..1", "alpha=0..0.001", "E=-1..0"],
    "NAME=NUMBER": ["N=7B", "D=1e8..1e12:3", "E=1.69", "alpha=0", "beta=1e300", "U=1"],
    "NAME=NUMBER,...": ["alpha=0,0.5", "beta=0.3", "E=1", "A=400", "B=400"],
    "NAME=NUMBER|FORMULA": ["U=25B", "D=20*N", "N=7B", "D=D", "T=0", "N=1/0"],
    "NAME=UNIT": ["N=millions", "D=ones"],
    "NOISE": ["none", "log-normal:0.01", "additive:1e300", "student-t:0.01,3", "run-level:0.01,0.002,2"],
    "NUMBER": ["0.5", "1", "8", "32k", "128", "1e300", "70B"],
    "NUMBER|NAME": ["1e15", "H100-SXM"],
    "NUMBER|RANGE|DISTRIBUTION": ["0.4", "0.3..0.5", "uniform(0.3,0.4)", "normal(0.4,0.01)", "lognormal(0.4,3)"],
    "Q,Q,...": ["0.5", "0.05,0.95"],
    "RUNS": ["runs.csv", "-"],
    "SECONDS": ["20"],
    "SQL": ["N > 1e9", "L < 3", "task = 'a'"],
    "SYMBOL,SYMBOL": ["N,D", "D,N", "M,D"],
    "SYMBOL=NUMBER,...": ["N=7B,D=1T", "C=1e23", "L=2.1"],
    "SYMBOL=NUMBER...": ["N=7B", "L=2.1", "C=1e22"],
    "[SYMBOL=NUMBER]...": ["N=7B", "L=2.1"],
    "TEXT": ["chinchilla", "hoffmann-2022", "law.parquet", "epoch-2024-huber", "E + A/N**a", "kaplan-c/kaplan-2020"],
    "TOKENS": ["2T"],
    "W,W,...": ["1,2", "1"],
    "DIR": ["drawn"],
    "[KIND:]COUNT": ["5", "wild:5", "bayesian:4", "fraction:0.8:4", "jackknife"],
    "[POINTS]": ["runs.csv", "-"],
}
#: What a command cannot do without, though no option of it is marked so.
BASE = {
    "fit": ["--law", "chinchilla"],
    "costs": ["--layers", "8", "--width", "1024", "--heads", "8", "--vocabulary", "32k"],
    "plan": ["--budget", "1e22"],
    "shapes": ["--vocabulary", "32k"],
    "simulate": ["--sobol", "4"],
    "sweep": ["--budget", "1e24"],
}
#: No system passes a zero byte to a program.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
QUIET = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs and a fitted law."""
    path = tmp_path_factory.mktemp("typed")
    runs = sf.simulate("hoffmann-2022", sf.Sobol(12), sf.LogNormal(0.005))
    runs.write_csv(path / "runs.csv")
    sf.fit(runs, "chinchilla").save(path / "law.parquet")
    return path


def suitable(parameter: click.Parameter) -> list[str]:
    """Texts that an option or argument may take."""
    if isinstance(parameter.type, click.Choice):
        return list(parameter.type.choices)
    return SUITABLE.get(parameter.make_metavar(click.Context(click.Command("any"))), TEXTS)


@st.composite
def typed(draw: st.DrawFn) -> list[str]:
    """A command with a few options and texts that suit them, of which one may be replaced by any other."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    command, words = COMMANDS[name], [*name.split(), *BASE.get(name, [])]
    texts: list[int] = []
    options = [p for p in command.params if isinstance(p, click.Option) and p.name not in ("help", "repeat")]
    required = [option for option in options if option.required]
    chosen = draw(st.lists(st.sampled_from(options), max_size=4, unique=True))
    for option in [*required, *(option for option in chosen if not option.required)]:
        words.append(draw(st.sampled_from([*option.opts, *option.secondary_opts])))
        if not option.is_flag:
            texts.append(len(words))
            words.append(draw(st.sampled_from(suitable(option))))
    for argument in command.params:
        if isinstance(argument, click.Argument) and (argument.required or draw(st.booleans())):
            texts.append(len(words))
            words.append(draw(st.sampled_from(suitable(argument))))
    if texts and draw(st.booleans()):  # type: ignore[arg-type]
        words[draw(st.sampled_from(texts))] = draw(st.one_of(st.sampled_from(TEXTS), WORDS))
    return words


@QUIET
@given(typed())
def test_whatever_is_typed_ends_well(folder: Path, words: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = invoke(*words, "--force", "--format", "json", stdin="N,D\n1e9,1e10\n")
    assert result.exit_code in (0, 1, 2), result.stderr
    if result.exit_code == 2:
        error = json.loads(result.stderr.splitlines()[-1])["error"]
        assert error["code"] and error["message"]
