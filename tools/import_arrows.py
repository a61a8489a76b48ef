"""Who imports whom: the files of a Python package, and the modules of a Rust crate, with the circles among them.

In: the folder of a package or the `src` of a crate. Out: for each module those that it imports, wherever the import stands:
inside functions and below `TYPE_CHECKING` too. `python tools/import_arrows.py` prints the counts of this repository.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The packages in their order: each imports only those before it. The package's own names stand before the command line.
ORDER = (
    "_base",
    "_forms",
    "_calls",
    "_data",
    "_laws",
    "_optimum",
    "_costs",
    "_fitting",
    "_simulation",
    "_allocation",
    "_planning",
    "names",
    "cli",
)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
#: A test module inside a source file stands at its end.
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{")

Arrows = Mapping[str, set[str]]


@dataclass(frozen=True)
class Module:
    """A file of a Python package by its dotted name."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        """The room that it stands in; `names` for the files of public names."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 and parts[1] in ORDER else "names"

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.path.read_text(encoding="utf-8"))


def python_modules(folder: Path) -> dict[str, Module]:
    """Every file of a package by its dotted name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path)
    return found


def imported_names(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[str, str | None]]:
    """What a file imports: the module, and the name from it, None for a whole module; relative ones made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*up, base]).rstrip(".")
            yield from ((base, alias.name) for alias in node.names)


def imports(module: Module, known: Mapping[str, Module]) -> set[str]:
    """Modules that a file imports; `from package import module` names a module where there is one."""
    names = imported_names(module.tree, module.name, module.path.name == "__init__.py")
    return {f"{base}.{name}" if f"{base}.{name}" in known else base for base, name in names}


def python_arrows(folder: Path) -> dict[str, set[str]]:
    """The imports among the files of a package."""
    known = python_modules(folder)
    return {name: imports(module, known) & set(known) - {name} for name, module in known.items()}


def upward(arrows: Arrows, known: Mapping[str, Module]) -> list[tuple[str, str]]:
    """The imports of a package that stands later in the order."""
    place = {name: ORDER.index(module.package) for name, module in known.items()}
    return sorted((name, other) for name, others in arrows.items() for other in others if place[other] > place[name])


def circles(arrows: Arrows) -> list[list[str]]:
    """Groups of modules each of which reaches all others of its group (strongly connected components; Tarjan 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        waiting.append(name)
        for other in sorted(arrows.get(name, ())):
            if other not in number:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in waiting:
                lowest[name] = min(lowest[name], number[other])
        if lowest[name] == number[name]:
            group = waiting[waiting.index(name) :]
            del waiting[waiting.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(arrows):
        if name not in number:
            visit(name)
    return found


def rust_code(path: Path) -> str:
    """A file of Rust without comments and without the module of tests at its end."""
    return COMMENT.sub("", TESTS.split(path.read_text(encoding="utf-8"))[0])


def rust_files(source: Path) -> list[Path]:
    """The files of a crate, or of several, that are not tests."""
    apart = {"tests", "benches", "examples"}
    paths = sorted(source.rglob("*.rs"))
    return [path for path in paths if not apart & set(path.relative_to(source).with_suffix("").parts)]


def rust_arrows(source: Path) -> dict[str, set[str]]:
    """The uses among the top-level modules of a crate, also through names that `lib.rs` gives on."""
    top = {path.stem if path.is_file() else path.name for path in source.iterdir()} - {"lib", "tests"}
    homes = {name: name for name in top}
    for module, listed, single in re.findall(r"pub use (\w+)::(?:\{([^}]*)\}|(\w+))", rust_code(source / "lib.rs")):
        homes |= {name.strip(): module for name in (listed or single).split(",") if module in top}
    arrows: dict[str, set[str]] = {name: set() for name in top}
    for path in rust_files(source):
        parts = [part for part in path.relative_to(source).with_suffix("").parts if part != "mod"]
        if parts[0] in top:
            named = _named(rust_code(path), len(parts))
            arrows[parts[0]] |= {homes[name] for name in named if name in homes} - {parts[0]}
    return arrows


def _named(code: str, depth: int) -> Iterator[str]:
    """Names that follow `crate::`, or so many `super::` as lead to the crate from a module of that depth."""
    root = rf"(?:\bcrate::|(?<![\w:])(?:super::){{{depth}}})"
    yield from re.findall(rf"{root}(\w+)", code)
    for listed in re.findall(rf"{root}\{{([^;]*)\}};", code):
        # What stands in braces inside of the list belongs to the names before them.
        while listed != (shorter := re.sub(r"\{[^{}]*\}", "", listed)):
            listed = shorter
        yield from re.findall(r"(?:^|,)\s*(\w+)", listed)


def main(folder: Path) -> None:
    """Print the counts."""
    known, arrows = python_modules(folder), python_arrows(folder)
    count = sum(map(len, arrows.values()))
    print(f"python: {len(known)} files, {count} arrows, {len(upward(arrows, known))} up, circles {circles(arrows)}")
    for crate in ("core", "expr", "python"):
        found = rust_arrows(folder.parents[1] / "rust" / crate / "src")
        print(f"rust/{crate}: {len(found)} modules, {sum(map(len, found.values()))} arrows, circles {circles(found)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "python" / "scalefast")
