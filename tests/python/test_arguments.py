"""Errors name the argument that they are about, and each face spells it: Python in a call, the command line as an option."""

from __future__ import annotations

import json
import pickle

import pytest

import scalefast as sf
from cli_runs import invoke
from scalefast._base.wording import Advice, Argument, Phrase

RUNS = sf.simulate("hoffmann-2022", sf.Sobol(24), sf.LogNormal(0.005))


@pytest.mark.parametrize(
    ("settings", "argument"),
    [
        ({"threads": 0}, "threads"),
        ({"level": 90}, "level"),
        ({"seed": -1}, "seed"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"on_interrupt": "stop"}, "on_interrupt"),
        ({"progress": 3}, "progress"),
        ({"bounds": 3}, "bounds"),
        ({"bounds": {"alpha": (1, 0)}}, "bounds"),
        ({"fixed": {"alpha": "x"}}, "fixed"),
        ({"tied": {"beta": "alpha+"}}, "tied"),
        ({"per": {"Q": "corpus"}}, "per"),
        ({"columns": {"N": "parms"}}, "columns"),
        ({"y": "los"}, "y"),
        ({"weights": "weigth"}, "weights"),
        ({"units": {"N": "million"}}, "units"),
        ({"where": "N < 0"}, "where"),
        ({"run": "name"}, "run"),
        ({"checkpoints": "last"}, "checkpoints"),
        ({"resample": 4000}, "resample"),
        ({"starts": {"Q": [1]}}, "starts"),
        ({"loss": "huber"}, "loss"),
        ({"residual": "ln"}, "residual"),
    ],
)
def test_errors_of_a_fit_name_their_argument(settings, argument):
    with pytest.raises(sf.ScalefastError) as caught:
        sf.fit(RUNS, "chinchilla", **settings)
    assert caught.value.argument == argument
    subject = "N" if argument == "columns" else argument
    assert caught.value.message.startswith(subject), "the message opens with what it is about"


@pytest.mark.parametrize(
    ("settings", "argument"),
    [
        ({"accelerators": "1024xH1000"}, "accelerators"),
        ({"budget": 1e24, "mfu": "0.4oops"}, "mfu"),
        ({"budget": 1e24, "mfu": 40}, "mfu"),
        ({"budget": 1e24, "threads": 0}, "threads"),
        ({"budget": 1e24, "bounds": {"N": 3}}, "bounds"),
        ({"budget": 1e24, "price": 2.0}, "price"),
    ],
)
def test_errors_of_a_plan_name_their_argument(settings, argument):
    with pytest.raises(sf.ScalefastError) as caught:
        sf.plan(**settings)
    assert caught.value.argument == argument


def test_an_error_about_no_argument_says_none():
    with pytest.raises(sf.LawError) as caught:
        sf.sweep("chinchilla", 1e24)
    assert caught.value.argument is None


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("plan", "--accelerators", "1024xH1000"), "--accelerators"),
        (("plan", "--budget", "1e24", "--served-tokens", "2Q"), "--served-tokens"),
        (("plan", "--budget", "1e24", "--mfu", "40"), "--mfu"),
        (("sweep", "--budget", "1e24", "--bound", "Q=1..2"), "--bound"),
        (("sweep", "--budget", "oops"), "--budget"),
        (("predict", "hoffmann-2022", "--at", "N=70b", "--at", "D=1T"), "--at"),
    ],
)
def test_the_command_line_spells_it_as_an_option(arguments, option):
    shown = invoke(*arguments)
    assert shown.exit_code == 2 and option in shown.stderr
    told = json.loads(invoke(*arguments, "--format", "json").stderr)["error"]
    assert told["argument"] == option


def test_advice_in_both_faces():
    options = {"units": "--unit", "bounds": "--bound"}
    option_of = lambda name: options.get(name, f"--{name}")  # noqa: E731
    advice = Advice("write ", Argument("units", {"N": "millions"}), " or ", Argument("bounds", {"N": (1e8, 1e12)}))
    assert advice == 'write units={"N": "millions"} or bounds={"N": (1e8, 1e12)}'
    assert advice.typed(option_of) == "write --unit N=millions or --bound N=1e8..1e12"
    flag = Advice(Argument("force", True), "; ", Argument("cost", "6*N*D"), "; ", Phrase("sf.fit", "scalefast fit"))
    assert flag == 'force=True; cost="6*N*D"; sf.fit'
    assert flag.typed(option_of) == "--force; --cost '6*N*D'; scalefast fit"


def test_advice_and_argument_survive_a_pickle():
    with pytest.raises(sf.SettingsError) as caught:
        sf.sweep("hoffmann-2022")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.argument, str(error)) == ("budget", str(caught.value))
    assert error.hint.typed(lambda name: f"--{name}") == "--budget 1e24, in FLOPs"
