"""The examples of the README, the docs and the docstrings run and print what they say."""

import doctest
import importlib
import os
import re
import shutil
from pathlib import Path

import pytest

from documents import Example, agrees, examples, normal, run_console, run_python, words_of
from test_layers import MODULES

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE_FILES = ("epoch_chinchilla.csv", "mlfoundations_overtrain.csv", "nist_strd.json")


def provide(page, folder):
    """Copies the tables of docs/, and the reference files that a page names, into the folder it runs in."""
    for table in (ROOT / "docs").glob("*.csv"):
        shutil.copy(table, folder)
    named = [name for name in REFERENCE_FILES if any(name in e.source for e in page)]
    source = os.environ.get("SCALEFAST_REFERENCE_DATA")
    for name in named if source else []:
        shutil.copy(Path(source) / name, folder)
    return bool(source) or not named


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_examples_print_what_the_page_says(path, tmp_path, monkeypatch):
    page = examples(path.read_text(encoding="utf-8"))
    complete = provide(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for example in page:
        if not complete and any(name in example.source for name in REFERENCE_FILES):
            pytest.skip(f"line {example.line} onwards needs SCALEFAST_REFERENCE_DATA")
        printed = (
            run_python(example, path, namespace) if example.language == "python" else run_console(example, tmp_path)
        )
        if example.output is not None and not agrees(example.output, printed):
            assert normal(printed) == normal(example.output), f"{path.name}, line {example.line}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_shell_blocks_that_are_not_run_only_install(path):
    for block in re.findall(r"^```sh\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for command in block.strip().splitlines():
            assert re.match(r"(git clone|make|pip install)\b", command), command


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failures, _ = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failures == 0


def test_blocks_are_read_from_a_page():
    page = "text\n```python\nprint(1)\n```\n```text\n1\n```\n\n"
    page += "```console\n$ echo a\na\n$ echo \\\n> b\n```\n```sh\nx\n```\n"
    assert examples(page) == [
        Example(2, "python", "print(1)\n", "1\n"),
        Example(9, "console", "echo a", "a\n"),
        Example(9, "console", "echo b", None),
    ]


def test_a_failing_command_is_an_error(tmp_path):
    with pytest.raises(AssertionError, match="ended with 3"):
        run_console(Example(1, "console", "exit 3", None), tmp_path)


def test_output_of_a_command_is_what_a_terminal_shows(tmp_path):
    assert normal(run_console(Example(1, "console", "test -t 1 && echo terminal", None), tmp_path)) == "terminal"


def test_only_a_single_command_runs_without_a_shell():
    assert words_of("scalefast sweep --cost '6*N*D + (2*N)*T'") == ["sweep", "--cost", "6*N*D + (2*N)*T"]
    assert words_of("scalefast compare N=7B,D=2T --at a:b") == ["compare", "N=7B,D=2T", "--at", "a:b"]
    for line in ("ls", "scalefast laws | head", "scalefast laws > a", "scalefast -h || true", "scalefast $(echo laws)"):
        assert words_of(line) == []


def test_a_command_in_this_process_is_on_a_terminal_too(tmp_path):
    shell = run_console(Example(1, "console", "scalefast laws --filter chinchilla || true", None), tmp_path)
    assert run_console(Example(1, "console", "scalefast laws --filter chinchilla", None), tmp_path) == shell
    with pytest.raises(AssertionError, match="ended with 2"):
        run_console(Example(1, "console", "scalefast laws --no-such-option", None), tmp_path)


def test_an_ellipsis_stands_for_anything_and_nothing_else_does():
    assert agrees("a\n...\nz\n", "a\nb\nc\nz")
    assert agrees("x = 1...", "x = 1.25")
    assert not agrees("a.b", "axb")
    assert not agrees("a\n...\nz\n", "a\nb\ny")
