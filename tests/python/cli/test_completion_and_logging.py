"""The shell completes commands and ids of laws; the library logs, and prints nothing."""

import logging

import scalefast as sf
from cli_runs import process


def completed(words, place):
    environment = {"_SCALEFAST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)}
    with process(environment=environment) as run:
        out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, "")
    return [line.split(",", 1)[1] for line in out.splitlines()]


def test_commands_complete():
    assert {"sweep", "simulate"} <= set(completed("scalefast s", 1))


def test_ids_of_laws_complete():
    expected = [name for name in sf.laws()["id"] if name.startswith("hoff")]
    assert completed("scalefast predict hoff", 2) == expected
    assert completed("scalefast sweep --law hoff", 3) == expected
    assert completed("scalefast fit runs.csv --law no-such", 4) == ["no-such"]


def test_a_script_is_written_for_each_shell():
    for shell in ("zsh", "fish"):
        with process(environment={"_SCALEFAST_COMPLETE": f"{shell}_source"}) as run:
            out, _ = run.communicate(timeout=60)
        assert run.returncode == 0
        assert f"_SCALEFAST_COMPLETE={shell}_complete" in out


def test_a_fit_is_logged_and_prints_nothing(caplog, capfd):
    runs = sf.simulate("hoffmann-2022", sf.Sobol(40))
    with caplog.at_level(logging.INFO, logger="scalefast"):
        sf.fit(runs, "chinchilla")
    [record] = caplog.records
    assert record.name == "scalefast"
    assert record.message.startswith("converged, objective ")
    assert record.message.endswith("40 of 40 rows")
    assert capfd.readouterr() == ("", "")
