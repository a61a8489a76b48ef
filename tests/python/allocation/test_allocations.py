"""Every allocation of a sweep: kept, streamed to a data set, and ended early."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from scalefast._allocation import cells, sinks

LAW = "epoch-2024-huber"
SERVED = "6*N*D + 2*N*T"
CASES = [
    pytest.param({}, id="closed form"),
    pytest.param({"bounds": {"N": (None, 1e11)}}, id="bound"),
    pytest.param({"cost": SERVED, "scenarios": {"T": [0.0, 1e13], "who": ["a", "b"]}}, id="scenarios"),
    pytest.param({"cost": SERVED, "given": {"T": 1e12, "N": 1e10}}, id="one variable"),
]


@pytest.mark.parametrize("settings", CASES)
def test_the_summary_is_that_of_the_allocations(settings: dict[str, object]) -> None:
    found = sf.sweep(LAW, [1e22, 1e25], draws=200, keep_draws=True, **settings)  # type: ignore[arg-type]
    plain = sf.sweep(LAW, [1e22, 1e25], draws=200, **settings)  # type: ignore[arg-type]
    assert found.summary.equals(plain.summary) and plain.draws is None
    draws = found.draws
    assert draws is not None and draws.height == 200 * found.summary.height
    assert draws["draw"].to_list() == list(range(200)) * found.summary.height
    keys = [name for name in ("scenario", "C") if name in draws.columns]
    solved = draws.filter(pl.col("status").is_in(["interior", "at-bound"]))
    quantiles = solved.group_by(keys, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n_solved"),
        *(
            pl.col(name).quantile(q / 100, interpolation="linear").alias(f"{name}_q{q:02}")
            for name in ("N", "D", "L")
            for q in (5, 50, 95)
        ),
    )
    expected = found.summary.select(quantiles.columns).filter(pl.col("n_solved") > 0)
    assert quantiles.select(keys).equals(expected.select(keys))
    for name in quantiles.columns:
        assert np.allclose(quantiles[name], expected[name], rtol=1e-13, atol=0)


@pytest.mark.parametrize("settings", CASES)
def test_a_data_set_holds_what_would_have_been_kept(
    settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = sf.sweep([LAW, "hoffmann-2022"], [1e22, 1e25], draws=200, keep_draws=True, **settings)  # type: ignore[arg-type]
    for module in (sinks, cells):
        monkeypatch.setattr(module, "ROWS_A_PART", 150)
    folder = tmp_path / "draws"
    streamed = sf.sweep([LAW, "hoffmann-2022"], [1e22, 1e25], draws=200, draws_to=folder, **settings)  # type: ignore[arg-type]
    assert streamed.summary.equals(kept.summary)
    assert streamed.draws is None and streamed.draws_path == folder
    parts = sorted(path.name for path in folder.iterdir())
    assert parts == [f"part-{place:05}.parquet" for place in range(len(parts))] and len(parts) > 2
    assert all(pl.read_parquet(folder / part).height <= 150 for part in parts)
    assert kept.draws is not None and pl.scan_parquet(folder).collect().equals(kept.draws)
    assert [path.name for path in tmp_path.iterdir()] == ["draws"]
    # A law without draws stands in it with its estimate.
    alone = kept.draws.filter(pl.col("draw").is_null())
    assert alone["law"].unique().to_list() == ["hoffmann-2022"]
    summary = kept.summary.filter(pl.col("law") == "hoffmann-2022")
    assert alone["N"].equals(summary["N"]) and alone["status"].equals(summary["status"])


def test_an_existing_folder_is_refused_and_replaced_only_where_it_is_a_data_set(tmp_path: Path) -> None:
    folder = tmp_path / "draws"
    sf.sweep(LAW, 1e22, draws=3, draws_to=folder)
    with pytest.raises(sf.SettingsError) as caught:
        sf.sweep(LAW, 1e23, draws=3, draws_to=folder)
    assert caught.value.code == "file-exists" and "overwrite=True" in str(caught.value)
    sf.sweep(LAW, 1e23, draws=4, draws_to=folder, overwrite=True)
    assert pl.scan_parquet(folder).collect()["C"].to_list() == [1e23] * 4
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(sf.SettingsError) as caught:
        sf.sweep(LAW, 1e23, draws=3, draws_to=folder, overwrite=True)
    assert caught.value.code == "file-exists" and "notes.txt" in str(caught.value)
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(sf.SettingsError) as caught:
        sf.sweep(LAW, 1e23, draws=3, draws_to=tmp_path / "no" / "where")
    assert caught.value.code == "no-such-directory"
    with pytest.raises(sf.SettingsError) as caught:
        sf.sweep(LAW, 1e23, draws=3, draws_to=folder, keep_draws=True)
    assert caught.value.code == "contradictory"


def test_a_failed_sweep_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(sf.SettingsError):
        sf.sweep([LAW, "muennighoff-2023"], 1e22, draws=0, draws_to=tmp_path / "draws")
    assert list(tmp_path.iterdir()) == []


def test_what_was_finished_is_kept_and_the_rest_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_FIRST_PIECE", 100)
    monkeypatch.setattr(cells, "_PIECE_S", 0.0)
    whole = sf.sweep([LAW, "hoffmann-2022"], "1e20..1e25:6", draws=100).summary
    token = sf.CancelToken()

    def watch(done: int, total: int) -> None:
        if done >= 3:
            token.cancel()

    with token:
        found = sf.sweep(
            [LAW, "hoffmann-2022"],
            "1e20..1e25:6",
            draws=100,
            on_interrupt="partial",
            progress=watch,
            draws_to=tmp_path / "draws",
        )
    reached = found.summary.filter(pl.col("status") != "not-reached")
    assert found.summary.height == 12 and 0 < reached.height < 12
    assert reached.equals(whole.head(reached.height))
    missed = found.summary.filter(pl.col("status") == "not-reached")
    assert missed["N"].null_count() == missed.height and missed["n_solved"].sum() == 0
    assert pl.scan_parquet(tmp_path / "draws").collect().height == 100 * reached.height
    with token, pytest.raises(sf.ScalefastError):
        sf.sweep(LAW, 1e24)


def test_memory_is_that_of_the_draws_whatever_the_budgets() -> None:
    """A sweep of many budgets holds no column of allocations: its peak is bounded by that of a sweep of few."""
    resource = pytest.importorskip("resource")
    rng = np.random.default_rng(3)
    law = sf.law("epoch-2024")
    frame = pl.DataFrame(
        {name: (value or 0.0) * rng.lognormal(0, 0.02, 300_000) for name, value in law.parameters.items()}
    )

    def peak_kb() -> int:
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    sf.sweep(law, np.geomspace(1e20, 1e26, 64), draws=frame, threads=2)
    few = peak_kb()
    sf.sweep(law, np.geomspace(1e20, 1e26, 256), draws=frame, threads=2)
    # 192 more budgets of 300,000 draws would be 460 MB a column.
    assert peak_kb() - few < 60_000


def test_threads_change_no_bit_of_the_allocations() -> None:
    one, three = (
        sf.sweep(LAW, [1e22, 1e24], draws=2000, cost=SERVED, given={"T": 1e12}, keep_draws=True, threads=threads)
        for threads in (1, 3)
    )
    assert one == three
