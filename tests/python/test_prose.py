"""Plain English in what users read: messages, help, error codes, findings and pages.

The rules: a sentence names its subject and never opens with "what" or "who" unless it asks; "per row", not "a row", where a
rate or a count for each is meant; "is not a", not "is no"; an error says what a thing must be and what it got.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "scalefast"
#: Measured figures, written by `make bench`, in the words of the benches.
MEASURED = {"speed.md"}
_EACH = (
    "row|token|parameter|run|column|group|draw|budget|task|point|year|hour|day|line|cell|replicate|accelerator|target|start"
    "|law|layer|sequence|quantity|limit|rule|scenario|plan|size|accelerator-hour"
)
_COUNTED = r"[Oo]ne (?:entry|row|value|column|number|name|weight)|tokens|[Dd]ollars|FLOPs|\d (?:ns|µs|ms)|several rows"
BANNED = {
    "a sentence opens with its subject": re.compile(
        r"(?:^|(?<=[.!] )|(?<=[.!]\n)|(?<=\| ))(?:What|Who|Whatever|Whoever)\b(?! to do)(?![^.|\n]*\?)", re.MULTILINE
    ),
    "`per row`, not `a row`": re.compile(rf"\b(?:{_COUNTED}) an? (?:{_EACH})\b(?!-)(?! of)"),
    "`is not a`, not `is no`": re.compile(r"(?<!here )(?<!here\n)\b(?:is|are|was|were) no\b(?! longer| more| less)"),
    "`is none` is not a message": re.compile(r"(?<!here )\bis none\b"),
    "`must be …; got …`": re.compile(r"\bmust \w[^.;]*, not \{"),
}


def pages() -> list[Path]:
    found = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), PACKAGE / "error-codes.toml"]
    return sorted([*(path for path in found if path.name not in MEASURED), *(PACKAGE / "catalogue").glob("*.toml")])


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page outside of its code; the messages and the help of a module."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from messages(ast.parse(text))
        return
    code = False
    for number, line in enumerate(text.split("\n"), 1):
        code ^= line.startswith("```")
        # A heading is not a sentence.
        if not code and not line.startswith("#"):
            yield number, re.sub(r"^\w[\w-]* = \{ means = |^[-* ]+|^\w+ = ", "", line).strip('"')


def messages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts of a module that are not docstrings, except the docstrings of commands, which are their help."""
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            command = isinstance(node, ast.FunctionDef) and any(
                "command(" in ast.unparse(d) for d in node.decorator_list
            )
            if not command:
                docstrings.add(id(node.body[0].value))  # type: ignore[attr-defined]
    joined = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | joined:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", [*pages(), *modules()], ids=lambda path: str(path.relative_to(ROOT)))
def test_plain_english(path: Path) -> None:
    found = [
        f"{path.name}:{line}: {rule}: …{text[max(0, match.start() - 20) : match.end() + 40]}…"
        for line, text in prose(path)
        for rule, pattern in BANNED.items()
        for match in pattern.finditer(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("a sentence opens with its subject", "It ends. What is left is dropped."),
        ("`per row`, not `a row`", "20 tokens a parameter"),
        ("`per row`, not `a row`", "one row a run"),
        ("`is not a`, not `is no`", "N is no variable"),
        ("`is none` is not a message", "progress: 3 is none"),
        ("`must be …; got …`", "N must be above zero, not {}"),
    ],
)
def test_the_patterns_find_what_they_ban(rule: str, text: str) -> None:
    assert BANNED[rule].search(text)


@pytest.mark.parametrize(
    "text",
    [
        "What to do about it",
        "There is no column `x`; it is no longer there",
        "What does a run cost?",
        "20 tokens per parameter",
        "threads must be a whole number from 1; got 0",
    ],
)
def test_the_patterns_leave_good_english(text: str) -> None:
    assert not any(pattern.search(text) for pattern in BANNED.values())


def test_the_glossary_is_linked_and_has_its_words() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert "docs/glossary.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    for word in ("regret", "waste", "epochs", "MFU", "run", "start", "cost", "objective", "certificate"):
        assert f"**{word}**" in glossary
