"""Draws that go to a file: the rows and bytes of those in memory, one slice at a time, and no file by halves."""

from __future__ import annotations

import gc
import hashlib
import pickle
import weakref
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke
from long_work import code_of, noisy
from scalefast._data.drawsfile import DrawsFile, slices


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A name for the file; slices are of 64 rows, so that there are many."""
    monkeypatch.setattr("scalefast._data.drawsfile.SLICE_ROWS", 64)
    return tmp_path / "draws.parquet"


@pytest.mark.parametrize(
    "settings",
    [
        sf.Bootstrap(300),
        sf.Bootstrap(range(30, 200), kind="wild"),
        sf.Bootstrap(150, interval="bca", strata="N"),
        sf.Bootstrap(fraction=0.8, replicates=130),
        sf.Jackknife(),
    ],
)
def test_the_file_holds_the_draws_and_the_fit_is_the_same(settings: Any, file: Path) -> None:
    kept = sf.fit(noisy(), "chinchilla", resample=settings)
    streamed = sf.fit(noisy(), "chinchilla", resample=settings, draws_to=file)
    assert pl.read_parquet(file).equals(kept.draws)
    assert streamed.draws.equals(kept.draws)
    assert streamed == kept
    for name in ("parameters", "diagnostics"):
        assert getattr(streamed, name).equals(getattr(kept, name))
    assert streamed.derive("beta/(alpha+beta)").equals(kept.derive("beta/(alpha+beta)"))
    assert streamed.derive("1+1").equals(kept.derive("1+1"))
    if isinstance(settings, sf.Bootstrap):
        first, second = (fit.predict({"N": 1e11, "D": 1e12}, interval="confidence") for fit in (streamed, kept))
        assert first.equals(second)
    assert (streamed.law.draws is None) == (kept.law.draws is None)
    if kept.law.draws is not None:
        assert sf.sweep(streamed.law, 1e24) == sf.sweep(kept.law, 1e24)


def test_the_bytes_of_the_file_do_not_depend_on_threads(file: Path) -> None:
    digests = set()
    for threads in (1, 2, 7):
        sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(300), draws_to=file, overwrite=True, threads=threads)
        digests.add(hashlib.sha256(file.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_memory_holds_one_slice_at_a_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of replicates: no slice has more rows than its size, and each is gone before the next."""
    true_append, sizes, alive = DrawsFile.append, [], []

    def watched(self: DrawsFile, rows: pl.DataFrame) -> None:
        gc.collect()
        alive.append(sum(reference() is not None for reference in references))
        references.append(weakref.ref(rows))
        sizes.append(rows.height)
        true_append(self, rows)

    references: list[weakref.ref[pl.DataFrame]] = []
    monkeypatch.setattr(DrawsFile, "append", watched)
    fit = sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(1000), draws_to=file)
    assert sizes == [64] * 15 + [40]
    assert max(alive) <= 1
    assert isinstance(fit.law.own_draws, pl.LazyFrame)
    assert not any(isinstance(value, pl.DataFrame) and value.height >= 1000 for value in vars(fit._replicates).values())


def test_slices_cover_the_numbers_once() -> None:
    for first, last in ((0, 1), (0, 65_536), (7, 200_000), (65_535, 65_538)):
        numbers = [number for begin, end in slices(first, last) for number in (begin, end)]
        assert numbers[0] == first
        assert numbers[-1] == last
        assert numbers[1:-1:2] == numbers[2::2]


def test_an_existing_file_is_refused_before_any_work(file: Path) -> None:
    file.write_bytes(b"mine")
    calls = {"progress": lambda done, total: pytest.fail("it worked")}
    settings: dict[str, Any] = {"resample": sf.Bootstrap(100), "draws_to": file, **calls}
    assert code_of(lambda: sf.fit(noisy(), "chinchilla", **settings)) == "file-exists"
    assert file.read_bytes() == b"mine"
    sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(100), draws_to=file, overwrite=True)
    assert pl.read_parquet(file).height == 100


def test_misuse_is_named(tmp_path: Path) -> None:
    for settings, code in (
        ({"draws_to": tmp_path / "draws.csv", "resample": sf.Bootstrap(10)}, "unknown-suffix"),
        ({"draws_to": tmp_path / "no" / "draws.parquet", "resample": sf.Bootstrap(10)}, "no-such-directory"),
        ({"draws_to": tmp_path / "draws.parquet"}, "bad-draws-to"),
    ):
        found: dict[str, Any] = settings
        assert code_of(lambda found=found: sf.fit(noisy(), "chinchilla", **found)) == code  # type: ignore[misc]
    (tmp_path / "folder.parquet").mkdir()
    folder: dict[str, Any] = {"draws_to": tmp_path / "folder.parquet", "resample": sf.Bootstrap(10)}
    assert code_of(lambda: sf.fit(noisy(), "chinchilla", **folder)) == "is-a-directory"


def test_a_failure_leaves_nothing_behind(file: Path) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 100:
            raise Enough

    with pytest.raises(Enough):
        sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(10_000), draws_to=file, progress=stop)
    assert list(file.parent.iterdir()) == []


def test_progress_counts_over_all_slices(file: Path) -> None:
    seen = []
    settings: dict[str, Any] = {"progress": lambda done, total: seen.append((done, total))}
    sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(300), draws_to=file, **settings)
    counts = [done for done, total in seen if total == 300]
    assert counts == sorted(counts)
    assert counts[-1] == 300


def test_an_interruption_keeps_the_slices_that_are_finished(file: Path) -> None:
    class Stop:
        counted = 0

        def __call__(self, done: int, total: int) -> None:
            if total == 5000:
                self.counted = done
                if done > 200:
                    raise KeyboardInterrupt

    stop = Stop()
    settings: dict[str, Any] = {"draws_to": file, "progress": stop, "on_interrupt": "partial"}
    part = sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(5000), **settings)
    whole = sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(5000)).draws
    assert stop.counted <= part.draws.height < 5000
    assert part.draws.equals(whole.filter(pl.col("replicate").is_in(part.draws["replicate"])))
    metadata = pl.read_parquet_metadata(file)
    assert metadata["replicates_finished"] == str(part.draws.height)
    assert metadata["replicates_wanted"] == "5000"
    assert [path.name for path in file.parent.iterdir()] == ["draws.parquet"]


def test_a_file_that_has_gone_is_named(file: Path) -> None:
    fit = sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(100), draws_to=file)
    again = pickle.loads(pickle.dumps(fit))
    assert again == fit
    file.unlink()
    assert code_of(lambda: again.draws) == "draws-moved"
    assert code_of(lambda: again.law.draws) == "draws-moved"


def test_the_command_line_writes_them_too(file: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs.csv"
    noisy().write_csv(runs)
    arguments = ("fit", str(runs), "--law", "chinchilla", "--resample", "20..150", "--draws-to", str(file))
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    assert pl.read_parquet(file).equals(sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(range(20, 150))).draws)
    refused = invoke(*arguments)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert invoke(*arguments, "--force").exit_code == 0
