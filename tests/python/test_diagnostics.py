"""Every diagnostic fires when its cause is injected, and stays silent on clean runs."""

import re

import numpy as np
import polars as pl
import pytest

import diagnostics_page
import diagnostics_study
import scalefast as sf
from scalefast._findings import TABLE

LAW = "hoffmann-2022"
OWN = "E + A/N**alpha + B/D**beta"


def clean(design=None, noise=0.005, seed=1):
    return sf.simulate(LAW, design or sf.IsoFLOP("1e18..1e22:6", sizes=7, decades=1.2), sf.LogNormal(noise), seed)


def fitted(runs, law="chinchilla", **settings):
    return sf.fit(runs, law, **{"loss": sf.Squared(), **settings})


def outlier():
    """One run far from the others in size, whose loss is 20 % too high."""
    far = pl.DataFrame({"N": [2e11], "D": [2e9], "C": [6 * 2e11 * 2e9], "L": [3.4]})
    return pl.concat([clean(), far])


def scheduled(column):
    runs = clean()
    return runs.with_columns((pl.col("N") * pl.col("D")).pow(0.3).alias(column))


def checkpoints():
    sizes = np.repeat([1e8, 3e8, 1e9, 3e9], 6)
    tokens = np.tile(np.geomspace(2e9, 2e11, 6), 4)
    points = pl.DataFrame({"run_id": np.repeat(list("abcd"), 6), "N": sizes, "D": tokens})
    return sf.simulate(LAW, points, sf.LogNormal(0.002))


def lonely():
    """Three sizes, of which one was run once."""
    sizes = [1e8] * 15 + [1e9] * 15 + [1e7]
    return sf.simulate(LAW, {"N": sizes, "D": np.geomspace(1e10, 1e12, 31)[::-1]}, sf.LogNormal(0.003))


def drifting():
    runs = clean()
    return runs.with_columns(pl.col("C") * (pl.col("C") / 1e18).pow(0.05))


FIRES = {
    "bound": lambda: fitted(clean()),
    "rows": lambda: fitted(clean()),
    "range": lambda: fitted(clean()),
    "starts": lambda: fitted(clean()),
    "cost-ratio": lambda: fitted(clean()),
    "filtered-rows": lambda: fitted(clean(), where="N > 1e8"),
    "dropped-rows": lambda: fitted(clean().with_columns(L=pl.when(pl.col("N") > 1e9).then("L")), drop_invalid=True),
    "few-points": lambda: fitted(clean(sf.Sobol(8))),
    "collinear": lambda: fitted(clean(sf.FixedRatio(20, "1e8..1e10:40"))),
    "schedule-varies": lambda: fitted(scheduled("config.learning_rate")),
    "checkpoints-mixed": lambda: fitted(checkpoints()),
    "at-bound": lambda: fitted(clean(), bounds={"alpha": (0.0, 0.2)}),
    "flat-ridge": lambda: fitted(clean(sf.Sobol(30, ranges={"N": (1e9, 1.1e9)}))),
    "rival-optimum": lambda: fitted(clean(sf.FixedRatio(20, "1e8..1e10:40"))),
    "rounded-constants": lambda: fitted(clean(), fixed={"alpha": 0.34}),
    "delta": lambda: fitted(clean(), loss=sf.Huber("auto")),
    "delta-near-l1": lambda: fitted(clean(noise=0.01), loss=sf.Huber(1e-3)),
    "high-leverage": lambda: fitted(lonely()),
    "influential-row": lambda: fitted(outlier()),
    "influential-unit": lambda: fitted(outlier(), resample=sf.Jackknife(budget=1e24)),
    "looks-scaled": lambda: fitted(clean().with_columns(pl.col("N") / 1e6)),
    "cost-trend": lambda: fitted(drifting()),
    "runs": lambda: fitted(checkpoints(), run="run_id", checkpoints="all"),
    "checkpoints-biased": lambda: fitted(checkpoints(), run="run_id", checkpoints="all"),
    "few-clusters": lambda: fitted(
        checkpoints(), run="run_id", checkpoints="all", resample=sf.Bootstrap(20, kind="wild-webb")
    ),
    "replicates": lambda: fitted(clean(), resample=sf.Bootstrap(20)),
    "moved-replicates": lambda: fitted(clean(sf.FixedRatio(20, "1e8..1e10:40")), resample=sf.Bootstrap(20)),
    "failed-replicates": lambda: fitted(clean(sf.Sobol(7)), resample=sf.Bootstrap(40)),
    "interrupted": lambda: fitted(clean(), resample=sf.Bootstrap(50_000_000), on_interrupt="partial", timeout_s=2.0),
    "not-converged": lambda: fitted(clean(sf.Sobol(30)), "E + F + A/N**alpha + B/D**beta"),
    "lone-optimum": lambda: fitted(
        pl.concat([clean(sf.Sobol(30, ranges={"N": (1e9, 1.2e9), "D": (1e10, 1e12)})), outlier().tail(1).drop("C")]),
        OWN,
    ),
    "no-std-error": lambda: fitted(clean(), loss=sf.Huber(1e-8)),
}


def test_every_finding_has_a_cause_to_inject():
    assert set(FIRES) == set(TABLE)


@pytest.mark.parametrize("code", FIRES)
def test_a_finding_fires_on_its_cause(code):
    findings = FIRES[code]().diagnostics.filter(pl.col("code") == code)
    assert findings.height >= 1
    row = findings.row(0, named=True)
    assert row["severity"] == TABLE[code].severity
    if TABLE[code].value:
        assert row["value"] is not None
    if code in ("delta-near-l1", "few-points", "few-clusters"):
        assert row["value"] < row["limit"]
    elif code in ("collinear", "flat-ridge", "high-leverage", "influential-row", "influential-unit", "cost-trend"):
        assert row["value"] > row["limit"]


WARNINGS = [code for code in FIRES if TABLE[code].severity == "warning"]


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


def test_the_page_is_that_of_the_table():
    page = diagnostics_page.PAGE.read_text(encoding="utf-8")
    assert page == diagnostics_page.page(diagnostics_page.stated_evidence())


def test_the_page_states_few_false_alarms():
    alarms, sets = re.search(r"\| any of them \| (\d+) \| (\d+) \|", diagnostics_page.stated_evidence()).groups()
    assert int(sets) == diagnostics_study.COUNT == 200
    assert int(alarms) < 0.05 * int(sets)
