"""What is loaded when: `import scalefast` and every `--help` stay light (P10 of the benches times them)."""

import json
import subprocess
import sys

import pytest

import scalefast as sf
from cli_page import commands
from write_stub import PATH, stub

HEAVY = ("numpy", "polars", "rich", "pandas", "scalefast._core")


def loaded_by(program):
    """Which of the heavy modules a fresh interpreter holds after running a program."""
    report = f"import json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]), file=sys.stderr)"
    command = [sys.executable, "-c", f"import atexit\natexit.register(lambda: exec({report!r}, {{}}))\n{program}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done, json.loads(done.stderr.splitlines()[-1])


def test_importing_the_package_loads_no_numerical_library():
    done, loaded = loaded_by("import scalefast; dir(scalefast)")
    assert done.returncode == 0, done.stderr
    assert loaded == []


@pytest.mark.parametrize("command", [name for name, _ in commands()])
def test_help_loads_no_numerical_library(command):
    arguments = ["scalefast", *command.split(), "--help"]
    done, loaded = loaded_by(f"import sys; sys.argv = {arguments!r}; from scalefast.cli.app import main; main()")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    assert loaded == []


def test_every_public_name_loads_and_is_listed():
    program = "import scalefast as sf; assert set(sf.__all__) <= set(dir(sf)); [getattr(sf, n) for n in sf.__all__]"
    done, _ = loaded_by(program)
    assert done.returncode == 0, done.stderr


def test_type_checkers_see_the_names_of_the_table():
    """`python tools/write_stub.py` writes the stub."""
    assert PATH.read_text(encoding="utf-8") == stub()


def test_a_public_name_lives_where_the_table_says():
    for module, names in sf._PUBLIC.items():
        for name in names.split():
            home = getattr(getattr(sf, name), "__module__", None)
            assert home in (f"scalefast.{module}", None) or name in ("Loss", "__version__"), name


def test_an_unknown_name_is_an_attribute_error():
    done, _ = loaded_by("import scalefast\ntry:\n    scalefast.fitt\nexcept AttributeError as e:\n    print(e)")
    assert "fitt" in done.stdout, done.stderr
