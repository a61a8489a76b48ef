"""Writes docs/diagnostics.md from the table of findings in the code.

In: `scalefast._findings.TABLE`, and the false alarms that `make evidence` counted. Out: the page, one entry a code.
"""

from __future__ import annotations

from pathlib import Path

from scalefast._findings import TABLE

PAGE = Path(__file__).parents[1] / "docs" / "diagnostics.md"
EVIDENCE = "## False alarms\n"
HEAD = """# Diagnostics

`fit.diagnostics` has one row a finding; `scalefast fit` prints them on stderr, warnings with their code. A warning does not
stop anything: it says what the numbers cannot. Columns: `code`, `severity`, `message`, `value`, `limit`. This page is
written from the code by `make docs`.

"""


def page(evidence: str | None = None) -> str:
    """The page; `evidence` is the table of false alarms, None that of the present page."""
    entries = []
    for code, kind in TABLE.items():
        facts = [("value", kind.value), ("limit", kind.limit), ("what to do", kind.remedy)]
        lines = [f"### `{code}`", "", f"*{kind.severity}* · {kind.meaning}", ""]
        lines += [f"- {name}: {text}" for name, text in facts if text]
        entries.append("\n".join(lines).rstrip() + "\n")
    intro = (
        "Data sets simulated without a fault (`tools/diagnostics_study.py`: five designs, two laws, three kinds of noise,\n"
        "two losses), and how many of them each warning was given for. Warnings not named were never given.\n"
    )
    joined = "\n".join(entries)
    return f"{HEAD}{joined}\n{EVIDENCE}\n{intro}\n{evidence or stated_evidence()}"


def stated_evidence() -> str:
    """The table that the page holds now."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index("| warning |") :]


if __name__ == "__main__":
    from diagnostics_study import table

    PAGE.write_text(page(table()), encoding="utf-8")
