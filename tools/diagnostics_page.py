"""Writes docs/diagnostics.md from the table of findings in the code.

In: `scalefast._base.findings.TABLE`, and what `make evidence` counted. Out: the page, one entry a code.
"""

from __future__ import annotations

from pathlib import Path

from scalefast._base.findings import TABLE

PAGE = Path(__file__).parents[1] / "docs" / "diagnostics.md"
EVIDENCE = "## Found and false alarms\n"
HEAD = """# Diagnostics

`fit.diagnostics` has one row a finding; `scalefast fit` prints them on stderr, warnings with their code. A warning does not
stop anything: it says what the numbers cannot. Columns: `code`, `severity`, `message`, `value`, `limit`. This page is
written from the code by `make docs`.

"""


def page(evidence: str | None = None) -> str:
    """The page; `evidence` is the table of what was found, None that of the present page."""
    entries = []
    for code, kind in TABLE.items():
        facts = [("value", kind.value), ("limit", kind.limit), ("what to do", kind.remedy)]
        lines = [f"### `{code}`", "", f"*{kind.severity}* · {kind.meaning}", ""]
        lines += [f"- {name}: {text}" for name, text in facts if text]
        entries.append("\n".join(lines).rstrip() + "\n")
    intro = (
        "The fault that was injected into simulated runs to provoke each finding (`tools/diagnostics_causes.py`), whether\n"
        "it was found, and in how many data sets without a fault each warning was given all the same\n"
        "(`tools/diagnostics_study.py`: five designs, two laws, three kinds of noise, two losses, with and without\n"
        "resampling; schedules that do not follow scale). Written by `make evidence`.\n"
    )
    joined = "\n".join(entries)
    return f"{HEAD}{joined}\n{EVIDENCE}\n{intro}\n{evidence or stated_evidence()}"


def stated_evidence() -> str:
    """The table that the page holds now."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index("| finding |") :]


if __name__ == "__main__":
    from diagnostics_study import table

    PAGE.write_text(page(table()), encoding="utf-8")
