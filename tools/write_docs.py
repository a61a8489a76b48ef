"""Writes the generated pages of docs/: `make docs`.

The operators' table is written by the Rust test that compares it, so that there is one printer; the scoreboard needs
the reference data and is left as it is without them, which is said.
"""

import os
import subprocess
from pathlib import Path

import diagnostics_page
from laws_page import page as laws_page
from nist_scoreboard import page as nist_page
from nist_scoreboard import reference_folder
from refresh_examples import refresh

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def main() -> None:
    """Writes every page and names it."""
    command = ["cargo", "test", "--quiet", "--package", "scalefast-expr", "--test", "operator_page"]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"SCALEFAST_WRITE_DOCS": "1"})
    print("formula-language.md")
    (DOCS / "laws.md").write_text(laws_page(), encoding="utf-8")
    print("laws.md")
    diagnostics_page.main()
    print("diagnostics.md")
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
