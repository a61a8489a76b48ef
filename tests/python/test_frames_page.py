"""docs/frames.md states the columns of every frame that the library returns, with type and nullability."""

import re
from pathlib import Path

import numpy as np
import pytest

import scalefast as sf

PAGE = Path(__file__).parents[2] / "docs" / "frames.md"
LAW = "E + A/N**alpha + B/D**beta"
ROW = re.compile(r"^\| `([^`]+)` \| (\w+) \| ([^|]+?) \|", re.MULTILINE)


def stated(heading):
    """Columns that the page states under a heading: name to (type, when null)."""
    text = PAGE.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return {name: (kind, null) for name, kind, null in ROW.findall(section)}


def runs():
    rng = np.random.default_rng(5)
    n, d = 10 ** rng.uniform(7, 10, 60), 10 ** rng.uniform(9, 12, 60)
    loss = (1.7 + 400 / n**0.34 + 410 / d**0.28) * np.exp(rng.normal(0, 0.01, 60))
    return {"N": n, "D": d, "L": loss}


@pytest.fixture(scope="module")
def fit():
    return sf.fit(runs(), LAW)


SHAPE = sf.Transformer(layers=32, width=4096, heads=32, vocabulary=32000)


def compared():
    return sf.compare("hoffmann-2022", [{"N": 1e9}, {"C": 1e23}, {"L": 1.0}])


PLAN_FRAMES = ("decision", "constraints", "assumptions", "alternatives", "sources", "draws")


def plan():
    return sf.plan(accelerators="100xA100", days=30, mfu="uniform(0.35, 0.45)", draws=200)


def frame_of(heading, fit):
    frames = {
        "Laws": sf.laws,
        "Codes": sf.codes,
        "Fit: parameters": lambda: fit.parameters,
        "Fit: starts": lambda: fit.starts,
        "Fit: residuals": lambda: fit.residuals.drop("N", "D", "L"),
        "Fit: draws": lambda: sf.fit(runs(), LAW, resample=sf.Bootstrap(20)).draws,
        "Fit: influence": lambda: sf.fit(runs(), LAW, resample=sf.Jackknife()).influence,
        "Fit: profile": lambda: fit.profile("alpha").points,
        "Fit: diagnostics": lambda: fit.diagnostics,
        "Accountings": lambda: sf.accountings(SHAPE),
        "Over-training": lambda: sf.overtraining("epoch-2024-huber", 1e24, draws=20),
        "Comparison": lambda: compared().drop(*sf.solve("hoffmann-2022", N=1e9).columns),
        "Buildable shapes": lambda: sf.buildable(budget=1e23, vocabulary=32000),
        "Sweep: summary": lambda: sf.sweep(budget=[1e20, 1e24]).summary,
        "Sweep: draws": lambda: sf.sweep("epoch-2024-huber", budget=[1e20, 1e24], draws=5, keep_draws=True).draws,
        "Sweep: spread": lambda: sf.sweep(budget=[1e20, 1e24]).spread,
        "Accelerators": sf.accelerators,
        **{f"Plan: {name}": lambda name=name: getattr(plan(), name) for name in PLAN_FRAMES},
    }
    return frames[heading]()


HEADINGS = re.findall(r"^## (?!Predictions|Solve)(.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("heading", HEADINGS)
def test_columns_types_and_nulls_are_as_the_page_says(heading, fit):
    frame, page = frame_of(heading, fit), stated(heading)
    # The page shows the column of E for those of all parameters.
    frame = frame.drop([name for name in frame.columns if name.split(".")[-1] in ("A", "alpha", "B", "beta")])
    assert {name: str(dtype) for name, dtype in frame.schema.items()} == {k: v[0] for k, v in page.items()}
    assert list(frame.columns) == list(page)
    never = [name for name, (_, null) in page.items() if null == "never"]
    assert frame.select(never).null_count().sum_horizontal().item() == 0
    for name, dtype in frame.schema.items():
        assert not dtype.is_float() or frame[name].is_nan().sum() == 0


def test_the_page_states_every_status_of_a_row(fit):
    text = PAGE.read_text(encoding="utf-8")
    for status in [*fit.parameters["status"], *fit.starts["status"], fit.status]:
        assert f"`{status}`" in text
