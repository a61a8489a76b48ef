"""Every diagnostic fires when its cause is injected, and stays silent on clean runs."""

import re

import numpy as np
import polars as pl
import pytest

import diagnostics_page
import diagnostics_study
import scalefast as sf
from diagnostics_causes import CAUSES, FITS, clean, drifting, fitted, outlier
from scalefast._base.findings import TABLE


def test_every_finding_has_a_cause_to_inject():
    assert set(FITS) == set(CAUSES) == set(TABLE)


@pytest.mark.parametrize("code", FITS)
def test_a_finding_fires_on_its_cause(code):
    findings = FITS[code]().diagnostics.filter(pl.col("code") == code)
    assert findings.height >= 1
    row = findings.row(0, named=True)
    assert row["severity"] == TABLE[code].severity
    if TABLE[code].value:
        assert row["value"] is not None
    if code in ("delta-near-l1", "few-points", "few-clusters"):
        assert row["value"] < row["limit"]
    elif code in ("collinear", "flat-ridge", "high-leverage", "influential-row", "influential-unit", "cost-trend"):
        assert row["value"] > row["limit"]


WARNINGS = [code for code in FITS if TABLE[code].severity == "warning"]


def test_warnings_stay_silent_on_clean_runs():
    for study in diagnostics_study.clean_sets(24):
        warnings = study.fit().diagnostics.filter(pl.col("severity") == "warning")
        assert warnings.is_empty(), (study, warnings["message"].to_list())


def test_schedules_that_do_not_follow_scale_are_no_finding():
    runs = clean().with_columns(
        pl.lit(3e-4).alias("learning_rate"), pl.Series("batch_size", np.arange(42) % 3), pl.col("N").alias("blr_shape")
    )
    assert "schedule-varies" not in fitted(runs).diagnostics["code"].to_list()


def test_the_influential_row_is_named_with_its_effect():
    row = fitted(outlier()).diagnostics.filter(pl.col("code") == "influential-row").row(0, named=True)
    assert "row 42 " in row["message"]
    target, shift = re.search(r"best N at C = (\S+) by ([+-]\S+) %", row["message"]).groups()
    with_it, without = (sf.sweep(fitted(runs), float(target)).summary["N"][0] for runs in (outlier(), clean()))
    assert float(shift) == pytest.approx(100 * (without / with_it - 1), abs=0.1 * abs(float(shift)))


def test_the_cost_of_the_law_decides_what_c_should_be():
    row = fitted(clean()).diagnostics.filter(pl.col("code") == "cost-ratio").row(0, named=True)
    assert row["value"] == pytest.approx(1.0)
    row = fitted(drifting()).diagnostics.filter(pl.col("code") == "cost-trend").row(0, named=True)
    # C grows by (C/1e18)**0.05 over four decades.
    assert row["value"] == pytest.approx(10**0.2, rel=1e-5)


def test_the_page_states_that_every_finding_fires_and_few_false_alarms():
    rows = re.findall(
        r"^\| `?([a-z1 -]+)`? \| (.*) \| (.*) \| (.*) \|$", diagnostics_page.stated_evidence(), re.MULTILINE
    )
    found = {code: (cause, fired, alarms) for code, cause, fired, alarms in rows}
    assert {code: entry[:2] for code, entry in found.items() if code in TABLE} == {
        code: (cause, "yes") for code, cause in CAUSES.items()
    }
    alarms, sets = map(int, re.fullmatch(r"(\d+) of (\d+)", found["any of them"][2]).groups())
    assert sets == diagnostics_study.COUNT == 200
    assert alarms < 0.05 * sets
