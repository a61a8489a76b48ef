"""What is installed: files, version, requirements; and the licences of what it is built from."""

import tomllib
from importlib import metadata, resources
from pathlib import Path

import pytest

import scalefast as sf
from check_licences import permitted

ROOT = Path(__file__).parents[2]


def installed():
    root = resources.files("scalefast")
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_every_file_of_the_package_is_installed():
    source = ROOT / "python" / "scalefast"
    kept = {".py", ".pyi", ".toml", ".parquet", ".typed"}
    expected = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.suffix in kept or p.name == "py.typed"}
    assert expected <= installed()


def test_the_tests_run_against_the_installed_package():
    assert not Path(sf.__file__).is_relative_to(ROOT / "python")


def test_there_is_one_version():
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    assert sf.__version__ == workspace["workspace"]["package"]["version"] == metadata.version("scalefast")


def test_run_time_requirements_are_few():
    required = [r for r in metadata.requires("scalefast") or [] if "extra ==" not in r]
    assert sorted(r.split(">")[0].split("<")[0] for r in required) == ["click", "numpy", "polars", "rich"]


def test_lock_files_name_no_index():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--" not in text.replace("via -r", "").replace("-c requirements", "")


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT/Apache-2.0", True),
        ("MIT OR LGPL-2.1-or-later", True),
        ("MIT AND LGPL-2.1-or-later", False),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only WITH Classpath-exception-2.0", False),
        ("GPL-3.0-only", False),
        ("", False),
        ("MIT OR", False),
        ("(MIT", False),
    ],
)
def test_licence_expressions(expression, allowed):
    assert permitted(expression) is allowed
