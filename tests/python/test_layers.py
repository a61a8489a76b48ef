"""Who may import whom in python/scalefast, as ARCHITECTURE.md says; the compiler guards the Rust side."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "python" / "scalefast"
# The catalogue, the units and the errors, with what they stand on: the standard library and each other.
GROUND = {"_catalogue", "_errors", "_fields", "_lawfile", "_losses", "_names", "_units", "units"}
NUMERICAL = {"numpy", "polars"}
TERMINAL = {"click", "rich"}
# What draws on stderr while a long call runs; it knows neither data nor numbers.
DRAWING = {"_progress"}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported_by(source: str, module: str, is_package: bool) -> set[str]:
    """Modules that a module's text imports anywhere, also inside functions; relative ones made absolute."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*up, base]).rstrip(".")
            # `from package import module` names a module where there is one.
            names |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names}
    return names


def imports(module: str) -> set[str]:
    path = MODULES[module]
    return imported_by(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")


def layer(module: str) -> str:
    parts = module.split(".")
    if len(parts) == 1:
        return "names"
    if parts[1] == "cli":
        return "cli"
    if parts[1] in DRAWING:
        return "drawing"
    return "ground" if parts[1] in GROUND else "library"


def violations(module: str, imported: set[str]) -> list[str]:
    """What a module imports against the rules of its layer."""
    here = layer(module)
    found = []
    for name in sorted(imported):
        top = name.split(".")[0]
        if top != "scalefast":
            allowed = set(sys.stdlib_module_names)
            allowed |= {"library": NUMERICAL, "drawing": {"rich"}, "cli": NUMERICAL | TERMINAL}.get(here, set())
            # The package's own module holds names for static checkers only; the names are loaded on demand.
            if top not in allowed:
                found.append(f"{module} must not import {name}")
            continue
        target = layer(name)
        private = any(part.startswith("_") for part in name.split(".")[1:])
        if here != "cli" and target == "cli":
            found.append(f"{module} must not import {name}: the command line is the outermost layer")
        elif here == "cli" and target != "cli" and private:
            found.append(f"{module} must not import {name}: the command line uses public names only")
        elif here in ("ground", "drawing") and target != "ground":
            found.append(f"{module} must not import {name}: it stands on the standard library alone")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_stay_within_the_layers(module):
    assert violations(module, imports(module)) == []


def test_every_ground_module_exists():
    assert {f"scalefast.{name}" for name in GROUND} <= set(MODULES)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("scalefast._base.numbers", "import polars as pl"),
        ("scalefast._base.errors", "from ._core import fit"),
        ("scalefast._base.errors", "from scalefast import _fit"),
        ("scalefast.cli.app", "def main():\n    from scalefast._core import fit"),
        ("scalefast.cli.commands.fit", "from ..._fit import Fit"),
        ("scalefast._fitting.fit", "from scalefast.cli import output"),
        ("scalefast._fitting.fit", "import click"),
        ("scalefast._fitting.fit", "import rich.progress"),
        ("scalefast._calls.progress", "import polars as pl"),
        ("scalefast._fitting.fit", "import scipy.optimize"),
    ],
)
def test_a_forbidden_import_is_seen(module, source):
    assert violations(module, imported_by(source, module, is_package=False)) != []
