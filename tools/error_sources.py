"""The codes of errors that stand in the sources, Python and Rust: what `error-codes.toml` must explain.

In: the files of the package and of the crates. Out: for each code the classes of error that carry it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "scalefast"
TABLE = PACKAGE / "error-codes.toml"
#: Expressions after `code=` that pass on the code of another error, or a status of the core.
PASSED_ON = {"code", "error.code", "found['code']", "self.status", "state['code']", "stored", "str(code)"}
#: Statuses that `fit.raise_for_status` raises as codes.
BY_STATUS = {"ill-determined", "iterations", "saddle", "stalled", "undefined"}
RUST = re.compile(
    r"""(?: CoreError::(?:new\(\s*ErrorKind::(?P<kind>\w+),|(?P<short>data|settings|law)\()
          | (?P<formula>FormulaError::new\(|error_at\()
          | \b(?:error|bad)\(
          | \bpositive\([^,"]*,
          | \bconst\ [A-Z_]+:\ &str\ =
        )\s*"(?P<code>[a-z]+(?:-[a-z0-9]+)*)"(?=[,;)])""",
    re.VERBOSE,
)
#: A test module inside a source file stands at its end.
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{")
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def codes_in_sources() -> dict[str, set[str]]:
    """Each code with the classes that carry it (`LawError`, …), where the source says which."""
    found = {code: {"ScalefastError"} for code in BY_STATUS}
    for code, kind in [*_python(), *_rust()]:
        found.setdefault(code, set()).update({kind} - {""})
    return found


def stands_in_sources(code: str) -> bool:
    """Whether the code stands between quotes anywhere, also where it is handed on to be raised elsewhere."""
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "rust").rglob("src/**/*.rs")]
    return any(f'"{code}"' in path.read_text(encoding="utf-8") for path in files)


def unreadable() -> list[str]:
    """Places in Python where the text after `code=` is put together, so that nobody can search for the code."""
    return [
        f"{path.name}:{value.lineno}: code={ast.unparse(value)}"
        for path, _, value in _arguments()
        if not list(_constants(value)) and ast.unparse(value) not in PASSED_ON
    ]


def _python() -> Iterator[tuple[str, str]]:
    for _, called, value in _arguments():
        kind = called.rpartition(".")[2]
        for code in _constants(value):
            yield code, kind if kind.endswith("Error") else ""


def _arguments() -> Iterator[tuple[Path, str, ast.expr]]:
    """Every value of an argument named `code`, as a keyword, as a default, or in its place among the positional ones."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        places: dict[str, int] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [argument.arg for argument in node.args.args]
                defaults = dict(zip(reversed(names), reversed(node.args.defaults), strict=False))
                if isinstance(defaults.get("code"), ast.Constant):
                    places[node.name] = names.index("code") - (names[0] == "self")
                    yield path, "LawError", defaults["code"]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                yield from ((path, called, word.value) for word in node.keywords if word.arg == "code")
                # `Table.error` of the law files takes its code in third place, from other modules too.
                place = places.get(called.rpartition(".")[2], 2 if called.endswith("able.error") else None)
                if place is not None and len(node.args) > place:
                    yield path, "LawError", node.args[place]
            elif isinstance(node, ast.ClassDef):
                of_class = (entry for entry in node.body if isinstance(entry, ast.Assign))
                yield from ((path, "", entry.value) for entry in of_class if ast.unparse(entry.targets[0]) == "code")


def _constants(value: ast.expr) -> Iterator[str]:
    """The texts that the expression may have as its value."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _constants(value.body)
        yield from _constants(value.orelse)


def _rust() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "rust").rglob("src/**/*.rs")):
        if path.stem == "tests" or "tests" in path.relative_to(ROOT).parts:
            continue
        text = COMMENT.sub("", TESTS.split(path.read_text(encoding="utf-8"))[0])
        for match in RUST.finditer(text):
            kind = match["kind"] or match["short"] or ("formula" if match["formula"] else _closure(match[0], text))
            if kind == "Interrupted":
                kind = "scalefast"
            yield match["code"], f"{kind.capitalize()}Error"


def _closure(call: str, text: str) -> str:
    """The class behind a local helper: that of the first error of its file. A constant is a code that Python raises."""
    built = re.search(r"CoreError::(?:new\(\s*ErrorKind::)?(\w+)", text)
    return "scalefast" if built is None or call.startswith("const") else built[1]
