"""The page of frames: for every frame that the library returns, its columns in order, with type, null and meaning.

In: one frame for each section, made here, and the present page, which has the words. Out: docs/frames.md with names, order
and types as the code has them; when a value may be null and what it means stays as it was written, `?` for a new column.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

import scalefast as sf

PAGE = Path(__file__).parents[1] / "docs" / "frames.md"
LAW = "E + A/N**alpha + B/D**beta"
SHAPE = sf.Transformer(layers=32, width=4096, heads=32, vocabulary=32000)
HEAD = "| column | type | null | meaning |\n|---|---|---|---|\n"
ROW = re.compile(r"^\| `([^`]+)` \| (\w+) \| ([^|]+?) \|(.*)\|\n", re.MULTILINE)
#: The page shows the column of E for those of all parameters.
OF_OTHER_PARAMETERS = ("A", "alpha", "B", "beta")


def runs() -> pl.DataFrame:
    """Sixty runs of a law near that of Hoffmann et al., with 1 % noise."""
    rng = np.random.default_rng(5)
    n, d = 10 ** rng.uniform(7, 10, 60), 10 ** rng.uniform(9, 12, 60)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(rng.normal(0, 0.01, 60))
    return pl.DataFrame({"N": n, "D": d, "L": loss})


@cache
def fit() -> sf.Fit:
    """A fit with a squared loss, which has everything."""
    return sf.fit(runs(), LAW)


@cache
def studied() -> sf.Study:
    """A study with a cut."""
    return sf.study(runs(), [sf.FitSpec(LAW), sf.FitSpec("chinchilla")], cuts=[1e21], along="6*N*D")


def kept() -> pl.DataFrame:
    """Every allocation of a sweep."""
    draws = sf.sweep("epoch-2024-huber", budget=[1e20, 1e24], draws=5, keep_draws=True).draws
    assert draws is not None
    return draws


@cache
def plan() -> sf.Plan:
    """A plan with something uncertain."""
    return sf.plan(accelerators="100xA100", days=30, mfu="uniform(0.35, 0.45)", draws=200)


def compared() -> pl.DataFrame:
    """What `sf.compare` adds to the columns of `sf.solve`; the third plan has no answer."""
    found = sf.compare("hoffmann-2022", [{"N": 1e9}, {"C": 1e23}, {"L": 1.0}])
    return found.drop(*sf.solve("hoffmann-2022", N=1e9).columns)


#: A frame for every section of the page.
FRAMES: dict[str, Callable[[], pl.DataFrame]] = {
    "Laws": sf.laws,
    "Law: check values": lambda: sf.check_law(sf.law("hoffmann-2022")),
    "Codes": sf.codes,
    "Fit: parameters": lambda: fit().parameters,
    "Fit: derived quantity": lambda: fit().derive("beta/(alpha + beta)"),
    "Fit: covariance": lambda: fit().covariance(),
    "Fit: starts": lambda: fit().starts,
    "Fit: residuals": lambda: fit().residuals.drop("N", "D", "L"),
    "Fit: draws": lambda: sf.fit(runs(), LAW, resample=sf.Bootstrap(20)).draws,
    "Fit: influence": lambda: sf.fit(runs(), LAW, resample=sf.Jackknife()).influence,
    "Fit: profile": lambda: fit().profile("alpha").points,
    "Fit: diagnostics": lambda: fit().diagnostics,
    "Study: summary": lambda: studied().summary,
    "Study: parameters": lambda: studied().parameters,
    "Accountings": lambda: sf.accountings(SHAPE),
    "Over-training": lambda: sf.overtraining("epoch-2024-huber", 1e24, draws=20),
    "Comparison": compared,
    "Buildable shapes": lambda: sf.buildable(budget=1e23, vocabulary=32000),
    "Sweep: summary": lambda: sf.sweep(budget=[1e20, 1e24]).summary,
    "Sweep: draws": kept,
    "Sweep: spread": lambda: sf.sweep(budget=[1e20, 1e24]).spread,
    "Solve": lambda: sf.solve("epoch-2024-huber", N=10e9, draws=20),
    "Accelerators": sf.accelerators,
    "Plan: decision": lambda: plan().decision,
    "Plan: constraints": lambda: plan().constraints,
    "Plan: assumptions": lambda: plan().assumptions,
    "Plan: alternatives": lambda: plan().alternatives,
    "Plan: sources": lambda: plan().sources,
    "Plan: draws": lambda: plan().draws,
}


def shown(heading: str) -> pl.DataFrame:
    """The frame of a section, with the columns that the page shows."""
    frame = FRAMES[heading]()
    return frame.drop([name for name in frame.columns if name.split(".")[-1] in OF_OTHER_PARAMETERS])


def sections(text: str) -> list[str]:
    """The page cut before each heading of a section."""
    return re.split(r"^(?=## )", text, flags=re.MULTILINE)


def page() -> str:
    """The whole page."""
    return "".join(map(section, sections(PAGE.read_text(encoding="utf-8"))))


def section(text: str) -> str:
    """One section with its table as the code has it."""
    heading = text.partition("\n")[0].removeprefix("## ")
    if heading not in FRAMES:
        return text
    words = {name: (null, meaning.strip()) for name, _, null, meaning in ROW.findall(text)}
    rows = ""
    for name, dtype in shown(heading).schema.items():
        null, meaning = words.get(name, ("?", "?"))
        rows += f"| `{name}` | {dtype} | {null} | {meaning} |\n".replace("|  |", "| |")
    begin = text.index(HEAD)
    table = re.match(r"(?:\|.*\n)*", text[begin + len(HEAD) :])
    assert table is not None
    return text[:begin] + HEAD + rows + text[begin + len(HEAD) + table.end() :]
