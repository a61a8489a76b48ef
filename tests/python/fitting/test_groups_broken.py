"""Groups of every broken kind among many: each is named by its status, none stops or changes the others."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import scalefast as sf

LAW = "E + A*x**-alpha"
GROUPS = 50_000
ROWS = 8


def curves(groups: int = GROUPS) -> pl.DataFrame:
    """Columns group, x, L: E + A x**-alpha with 1 % noise at 8 sizes over four decades."""
    rng = np.random.default_rng(11)
    e, a, alpha = rng.uniform(1, 3, groups), rng.uniform(0.5, 2.5, groups), rng.uniform(0.2, 0.6, groups)
    x = np.tile(10 ** np.linspace(0, 4, ROWS), (groups, 1))
    loss = (e[:, None] + a[:, None] * x ** -alpha[:, None]) * (1 + rng.normal(0, 0.01, x.shape))
    return pl.DataFrame({"group": np.repeat(np.arange(groups), ROWS), "x": x.ravel(), "L": loss.ravel()})


ROW = pl.int_range(pl.len()).over("group")
X, L = pl.col("x"), pl.col("L")
#: What is done to the rows of a group, and the status that must come of it.
BROKEN: dict[str, tuple[dict[str, pl.Expr], str]] = {
    "NaN": ({"L": pl.when(ROW == 3).then(float("nan")).otherwise(L)}, "invalid-values"),
    "null": ({"L": pl.when(ROW == 3).then(None).otherwise(L)}, "invalid-values"),
    "all null": ({"L": pl.lit(None, pl.Float64)}, "invalid-values"),
    "infinite": ({"L": pl.when(ROW == 0).then(float("inf")).otherwise(L)}, "invalid-values"),
    "minus infinite": ({"x": pl.when(ROW == 7).then(float("-inf")).otherwise(X)}, "invalid-values"),
    "NaN variable": ({"x": pl.when(ROW == 2).then(float("nan")).otherwise(X)}, "invalid-values"),
    "constant response": ({"L": pl.lit(2.5)}, "constant-response"),
    "one point": ({"x": pl.lit(10.0)}, "too-few-points"),
    "two sizes": ({"x": pl.when(ROW < 4).then(10.0).otherwise(100.0)}, "too-few-points"),
}


def fit(runs: pl.DataFrame, **settings: object) -> pl.DataFrame:
    return sf.fit_groups(runs, LAW, by="group", columns={"x": "x"}, **settings)  # type: ignore[arg-type]


def test_thousands_of_broken_groups_are_named_and_change_nothing_else() -> None:
    runs = curves()
    kinds = list(BROKEN)
    kind = pl.col("group") % 20
    broken = runs
    for number, name in enumerate(kinds):
        for column, expression in BROKEN[name][0].items():
            broken = broken.with_columns(
                pl.when(kind == number).then(expression).otherwise(pl.col(column)).alias(column)
            )
    # Two rows, and one.
    broken = broken.filter(~((kind == 9) & (ROW > 1)) & ~((kind == 10) & (ROW > 0)))
    found = fit(broken)
    expected = {number: BROKEN[name][1] for number, name in enumerate(kinds)} | {
        9: "too-few-points",
        10: "too-few-points",
    }
    assert found.height == GROUPS
    statuses = found.group_by(pl.col("group") % 20).agg(pl.col("status").unique().sort())
    for number, names in statuses.iter_rows():
        assert names == [expected.get(number, "converged")], number
    lost = found.select((pl.col("group") % 20).is_in(list(expected))).to_series()
    assert lost.sum() == GROUPS // 20 * 11
    assert found.filter(lost).select("E", "E_se", "objective", "se_status").null_count().row(0) == (lost.sum(),) * 4
    # The healthy groups are what they are without the broken ones, to the last bit.
    healthy = runs.filter(~kind.is_in(list(expected)))
    assert_frame_equal(found.filter(~lost), fit(healthy), check_exact=True)


def test_giant_groups_negative_variables_and_laws_without_a_value() -> None:
    rng = np.random.default_rng(12)
    n = 40_000
    giant = pl.DataFrame({"group": np.full(n, 1), "x": 10 ** rng.uniform(0, 4, n)}).with_columns(
        L=2 + 1.5 * pl.col("x") ** -0.4 + pl.Series(rng.normal(0, 0.01, n))
    )
    small = curves(3).with_columns(pl.col("group") + 10)
    negative = small.filter(group=10).with_columns(pl.lit(20).alias("group").cast(pl.Int64), x=-X)
    runs = pl.concat([giant, small, negative])
    found = fit(runs)
    assert found["group"].to_list() == [1, 10, 11, 12, 20]
    assert found["status"].to_list() == ["converged"] * 4 + ["undefined"]
    assert found["E"][0] == pytest.approx(2, abs=0.01)
    assert_frame_equal(found[1:4], fit(small), check_exact=True)
    logarithm = sf.fit_groups(runs, "a + b*log(x)**c", by="group", columns={"x": "x"})
    assert logarithm["status"][4] == "undefined"


def test_collinear_variables_are_ill_determined() -> None:
    rng = np.random.default_rng(13)
    size = 10 ** rng.uniform(7, 10, (300, 20))
    ratio = np.where(np.arange(300)[:, None] % 3 == 0, 20.0, 10 ** rng.uniform(0, 3, (300, 20)))
    loss = (1.8 + 400 * size**-0.34 + 400 * (size * ratio) ** -0.28) * np.exp(rng.normal(0, 0.002, size.shape))
    runs = pl.DataFrame(
        {"group": np.repeat(np.arange(300), 20), "N": size.ravel(), "D": (size * ratio).ravel(), "L": loss.ravel()}
    )
    # With the exponents fixed to the same value, the terms of N and of D = 20 N cannot be told apart.
    found = sf.fit_groups(runs, "E + A/N**alpha + B/D**alpha", by="group", fixed={"alpha": 0.3})
    on_the_line = found["group"] % 3 == 0
    assert found.filter(on_the_line)["status"].unique().to_list() == ["ill-determined"]
    assert found.filter(on_the_line)["A_se"].null_count() == 100
    assert found.filter(~on_the_line)["status"].unique().to_list() == ["converged"]
    sound = runs.filter(pl.col("group") % 3 != 0)
    alone = sf.fit_groups(sound, "E + A/N**alpha + B/D**alpha", by="group", fixed={"alpha": 0.3})
    assert_frame_equal(found.filter(~on_the_line), alone, check_exact=True)
