"""Writes the generated pages of docs/: `make docs`.

The operators' table is written by the Rust test that compares it, so that there is one printer; the scoreboard needs
the reference data and is left as it is without them, which is said.
"""

import os
import subprocess
import sys
from pathlib import Path

from cli_page import page as cli_page
from diagnostics_page import page as diagnostics_page
from errors_page import page as errors_page
from frames_page import page as frames_page
from laws_page import page as laws_page
from nist_scoreboard import page as nist_page
from nist_scoreboard import reference_folder
from refresh_examples import refresh

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
#: Pages that the installed package alone determines.
PAGES = {
    "laws.md": laws_page,
    "diagnostics.md": diagnostics_page,
    "errors.md": errors_page,
    "frames.md": frames_page,
    "cli-reference.md": cli_page,
}


def main() -> None:
    """Writes every page and names it; with names of pages as arguments, only those that the package determines."""
    for name in sys.argv[1:]:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
    if sys.argv[1:]:
        return
    command = ["cargo", "test", "--quiet", "--package", "scalefast-expr", "--test", "it", "operator_page"]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"SCALEFAST_WRITE_DOCS": "1"})
    print("formula-language.md")
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(name)
    folder = reference_folder()
    if folder is None:
        print("nist.md and the examples' output left as they are: SCALEFAST_REFERENCE_DATA names no folder")
        return
    (DOCS / "nist.md").write_text(nist_page(folder), encoding="utf-8")
    print("nist.md")
    refresh([ROOT / "README.md", *sorted(DOCS.glob("*.md"))], folder)
    print("output of the examples")


if __name__ == "__main__":
    main()
