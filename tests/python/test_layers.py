"""Who may import whom, as ARCHITECTURE.md says: packages in one order, no circle between files, nothing private across.

Also how long files and functions may be. A file that has a reason to be longer says so in its first comment, in a sentence
that begins with `Longer than the rule, because`.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

from import_arrows import (
    ORDER,
    ROOT,
    Module,
    circles,
    imported_names,
    python_arrows,
    python_modules,
    rust_arrows,
    rust_code,
    rust_files,
    upward,
)

PACKAGE = ROOT / "python" / "scalefast"
MODULES = python_modules(PACKAGE)
NUMERICAL = {"numpy", "polars"}
TERMINAL = {"click", "rich"}
#: What a package may import beside the standard library; those that are not named here get numbers and the core.
OUTSIDE = {
    "_base": set(),
    "_forms": set(),
    "names": set(),
    "cli": NUMERICAL | TERMINAL,
}
#: Files that may do otherwise: what draws on stderr, what wraps a call of the core, what asks the core for its version,
#: what makes a frame of codes.
EXCEPTIONS = {
    "scalefast._calls.progress": {"rich"},
    "scalefast._calls.cancel": set(),
    "scalefast._calls.longcall": {"scalefast._core"},
    "scalefast._base.command_manifest": {"scalefast._core"},
    "scalefast._base.explain": {"polars"},
}
#: Circles that stay in Rust: one table of operators says how each is written, built and differentiated.
RUST_CIRCLES = {"core": set(), "expr": {"op", "graph", "differentiate"}, "python": set()}
LONGEST_FILE = {".py": 400, ".rs": 450}
LONGEST_FUNCTION = 60
REASON = "Longer than the rule, because "
SOURCES = [*(module.path for module in MODULES.values()), *rust_files(ROOT / "rust")]


def outside(module: Module) -> set[str]:
    """What a file may import from outside of the package."""
    usual = OUTSIDE.get(module.package, {*NUMERICAL, "scalefast._core"})
    return EXCEPTIONS.get(module.name, usual)


def violations(module: Module) -> list[str]:
    """What a file imports against the rules of its package."""
    found = []
    place = ORDER.index(module.package)
    for base, name in imported_names(module.tree, module.name, module.path.name == "__init__.py"):
        target = MODULES.get(f"{base}.{name}") or MODULES.get(base)
        if base.partition(".")[0] != "scalefast" or base == "scalefast._core" or (base, name) == ("scalefast", "_core"):
            top = "scalefast._core" if base.startswith("scalefast") else base.partition(".")[0]
            if top not in outside(module) and top not in sys.stdlib_module_names:
                found.append(f"{module.name} must not import {top}")
        elif target is None:
            found.append(f"{module.name} imports {base}, which is not there")
        elif module.package == "cli" and target.package not in ("cli", "names"):
            found.append(f"{module.name} must not import {target.name}: the command line uses public names only")
        elif ORDER.index(target.package) > place:
            found.append(f"{module.name} must not import {target.name}: {target.package} stands above {module.package}")
        elif target.package != module.package and name and name.startswith("_") and not name.endswith("__"):
            found.append(f"{module.name} must not import {name}: it belongs to {target.package}")
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_file_imports_only_what_its_package_may(name):
    assert violations(MODULES[name]) == []


def test_every_folder_is_a_package_of_the_order():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == set(ORDER) - {"names"}
    assert set(EXCEPTIONS) <= set(MODULES)


def test_no_import_leads_up_and_none_in_a_circle():
    arrows = python_arrows(PACKAGE)
    assert upward(arrows, MODULES) == []
    assert circles(arrows) == []


@pytest.mark.parametrize("crate", RUST_CIRCLES)
def test_modules_of_a_crate_form_no_circle(crate):
    found = circles(rust_arrows(ROOT / "rust" / crate / "src"))
    assert [group for group in found if not set(group) <= RUST_CIRCLES[crate]] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("scalefast._base.numbers", "import polars as pl"),
        ("scalefast._base.errors", "from scalefast._core import kernel"),
        ("scalefast._base.errors", "from scalefast import _core"),
        ("scalefast._forms.form", "def read():\n    from scalefast._laws.law import Law"),
        (
            "scalefast._laws.law",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from scalefast._fitting import fit",
        ),
        ("scalefast._laws.law", "from .._fitting.fit import Fit"),
        ("scalefast._planning.plan", "from scalefast import Law"),
        ("scalefast._fitting.fit", "from scalefast._data.binding import _RECOGNISED"),
        ("scalefast._fitting.fit", "from scalefast.cli import output"),
        ("scalefast._fitting.fit", "import click"),
        ("scalefast._fitting.fit", "import rich.progress"),
        ("scalefast._fitting.fit", "import scipy.optimize"),
        ("scalefast._calls.progress", "import polars as pl"),
        ("scalefast.cli.app", "def main():\n    from scalefast._core import fit"),
        ("scalefast.cli.app", "from scalefast._laws.law import Law"),
        ("scalefast.cli.commands.fit", "from ..._fitting.fit import Fit"),
    ],
)
def test_a_forbidden_import_is_seen(name, source, tmp_path):
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    assert violations(Module(name, path)) != []


def test_a_circle_is_seen():
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a"}}
    assert circles(arrows) == [["b", "c"]]


def test_the_uses_of_a_crate_are_seen(tmp_path):
    (tmp_path / "nested").mkdir()
    texts = {
        "lib.rs": "pub mod one; pub mod two; pub mod three; pub mod nested; pub use two::{Two, Other};",
        "one.rs": "use crate::{three::{self, Three}, Two};\n// use crate::nested::Not;",
        "two.rs": "fn f() { crate::three::g() }\n#[cfg(test)]\nmod tests { use crate::one::One; }",
        "three.rs": "use super::nested::Deep;",
        "nested/mod.rs": "pub mod deep;",
        "nested/deep.rs": "use super::super::one::One; use super::three;",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    expected = {"one": {"three", "two"}, "two": {"three"}, "three": {"nested"}, "nested": {"one"}}
    assert rust_arrows(tmp_path) == expected


def private_names(tree: ast.Module) -> set[str]:
    """Names with a leading underscore that a file defines: functions, classes, fields, attributes of itself."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    of_tuples = {"_asdict", "_fields", "_replace"}
    return {name for name in found if name.startswith("_") and not name.endswith("__")} - of_tuples


def test_no_private_attribute_of_another_package_is_read():
    defined = {package: set() for package in ORDER}
    for module in MODULES.values():
        defined[module.package] |= private_names(module.tree)
    for module in MODULES.values():
        others = set().union(*(names for package, names in defined.items() if package != module.package))
        read = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
        assert read & others - defined[module.package] == set(), module.name


def first_comment(path: Path) -> str:
    """What stands at the top of a file: its docstring, or its `//!` lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return " ".join((ast.get_docstring(ast.parse(text)) or "").split())
    return " ".join(line.removeprefix("//!").strip() for line in text.splitlines() if line.startswith("//!"))


def length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def python_functions(path: Path) -> dict[str, int]:
    """Lines of each function without its docstring."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = node.body[0] if ast.get_docstring(node) is not None else None
            found[node.name] = length(node) - (0 if said is None else length(said))
    return found


def rust_functions(path: Path) -> dict[str, int]:
    """Lines of each function of a file, without comments, from `fn` to the brace that closes it."""
    code = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', "''", rust_code(path))
    found = {}
    for match in re.finditer(r"\bfn (\w+)[^;{]*\{", code):
        depth, end = 1, match.end()
        while depth and end < len(code):
            depth += (code[end] == "{") - (code[end] == "}")
            end += 1
        lines = code[match.start() : end].splitlines()
        found[match[1]] = sum(bool(line.strip()) for line in lines)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_are_short_or_say_why_not(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    functions = python_functions(path) if path.suffix == ".py" else rust_functions(path)
    long = {name: count for name, count in functions.items() if count > LONGEST_FUNCTION}
    if lines > LONGEST_FILE[path.suffix] or long:
        assert REASON in first_comment(path), (lines, long)
