"""Calls that are ended early: what was counted as finished is kept, with the bytes of the whole, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import long_work
import scalefast as sf
from cli_runs import invoke, process, read_until
from long_work import ENDLESS, Begun, code_of, noisy
from scalefast._calls.longcall import LongCall


def cancelled_after(seconds: float, call: Callable[[], Any]) -> Any:
    """The call's answer, its token cancelled from another thread."""
    token = sf.CancelToken()
    timer = threading.Timer(seconds, token.cancel)
    with token:
        timer.start()
        try:
            return call()
        finally:
            timer.cancel()


def cancelled_once_begun(call: Callable[[Begun], Any], steps: int = 1, total: int = ENDLESS) -> Any:
    """The answer of a call, given a progress function that cancels it when so many of its steps are done."""
    token = sf.CancelToken()
    with token:
        return call(Begun(token.cancel, total, steps))


@pytest.fixture(scope="module")
def whole() -> dict[str, pl.DataFrame]:
    """Every replicate of an uninterrupted run, by kind."""
    kinds: tuple[Any, ...] = ("pairs", "residual")
    return {kind: sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(6000, kind=kind)).draws for kind in kinds}


@pytest.mark.parametrize("attempt", range(12))
def test_at_any_moment_what_was_counted_is_kept(attempt: int, whole: dict[str, pl.DataFrame]) -> None:
    generator = random.Random(attempt)
    kind: Any = generator.choice(sorted(whole))
    counted = [0]
    settings: dict[str, Any] = {
        "resample": sf.Bootstrap(6000, kind=kind),
        "threads": generator.choice([1, 2, 5]),
        "on_interrupt": "partial",
        "progress": lambda done, total: counted.append(done) if total == 6000 else None,
    }
    try:
        part = cancelled_after(generator.uniform(0.0, 1.0), lambda: sf.fit(noisy(), "chinchilla", **settings))
    except sf.ScalefastError as error:
        assert error.code == "cancelled"
        assert counted[-1] == 0
        return
    numbers = part.draws["replicate"].to_list()
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= counted[-1]
    assert part.draws.equals(whole[kind].filter(pl.col("replicate").is_in(numbers)))
    found = part.diagnostics.filter(pl.col("code") == "interrupted")
    assert found.height == (len(numbers) < 6000)
    for row in found.iter_rows(named=True):
        assert (row["value"], row["limit"]) == (len(numbers), 6000)
        missing = next(number for number in range(6000) if number not in set(numbers))
        assert f"the first missing is {missing}" in row["message"]


def test_the_rest_completes_what_was_interrupted() -> None:
    settings: dict[str, Any] = {"resample": sf.Bootstrap(ENDLESS), "on_interrupt": "partial"}
    part = cancelled_once_begun(lambda told: sf.fit(noisy(), "chinchilla", progress=told, **settings), steps=100)
    message = part.diagnostics.row(by_predicate=pl.col("code") == "interrupted", named=True)["message"]
    first = int(message.split("missing is ")[1])
    rest = sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(range(first, first + 100))).draws
    joined = pl.concat([part.draws, rest]).unique("replicate", keep="first", maintain_order=True).sort("replicate")
    joined = joined.filter(pl.col("replicate") < first + 100)
    assert joined.equals(sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(first + 100)).draws)


#: Start of a program: its progress function sends the process a signal, a moment after the first replicates.
KILLED_ONCE_BEGUN = f"""
import os, signal, sys, threading
sys.path.insert(0, {os.path.dirname(long_work.__file__)!r})
import scalefast as sf
from long_work import ENDLESS, Begun, noisy
def killed_once_begun(number):
    return Begun(threading.Timer(0.05, os.kill, (os.getpid(), number)).start)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_is_finished(number: signal.Signals) -> None:
    """In a process of its own, whose handlers are as usual before and after."""
    text = f"""
{KILLED_ONCE_BEGUN}
usual = signal.getsignal({int(number)})
told = killed_once_begun({int(number)})
part = sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(ENDLESS), on_interrupt="partial", progress=told)
assert signal.getsignal({int(number)}) is usual
print(part.draws.height)
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) < ENDLESS


def test_sigterm_ends_a_call_that_keeps_nothing() -> None:
    text = f"""
{KILLED_ONCE_BEGUN}
sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(ENDLESS), progress=killed_once_begun(signal.SIGTERM))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGTERM


def test_given_starts_that_are_solved_make_a_fit() -> None:
    starts = sf.Grid(
        {"E": [1.0, 1.5, 2.0], "A": [1.0, 1e2, 1e4], "B": [1.0, 1e2, 1e4], "alpha": 0.5, "beta": [0.1, 0.9]}
    )
    many = sf.Grid({name: list(values) * (60 if name == "alpha" else 1) for name, values in starts.values.items()})
    settings: dict[str, Any] = {"starts": many, "on_interrupt": "partial"}
    full = sf.fit(noisy(), "chinchilla", starts=many)
    counted = [0]
    settings["progress"] = lambda done, total: counted.append(done)
    for seconds in (0.08, 0.15, 0.3):
        try:
            part = cancelled_after(seconds, lambda: sf.fit(noisy(), "chinchilla", **settings))
        except sf.ScalefastError as error:
            assert error.code == "cancelled"
            continue
        solved = part.starts["status"] != "interrupted"
        assert part.starts.height == full.starts.height
        assert part.starts.filter(solved).equals(full.starts.filter(solved))
        assert part.starts.filter(~solved).select(pl.col("^end.*$", "objective")).null_count().row(0) == tuple(
            [int((~solved).sum())] * 6
        )
        assert solved.sum() >= counted[-1]
        assert part.objective == part.starts["objective"].min()
        assert part.certificate.starts == solved.sum()
        assert ("interrupted" in part.diagnostics["code"]) == (solved.sum() < full.starts.height)


def curves(groups: int) -> pl.DataFrame:
    """So many groups of eight rows, in order; every hundredth has a constant response."""
    number = np.repeat(np.arange(groups), 8)
    x = np.tile(10.0 ** np.linspace(6, 10, 8), groups)
    noise = np.exp(np.random.default_rng(0).normal(0, 0.01, x.size))
    response = np.where(number % 100 == 0, 2.0, (1 + number % 7 + 40 * x ** -(0.2 + 0.01 * (number % 13))) * noise)
    return pl.DataFrame({"group": number, "x": x, "L": response})


@pytest.mark.parametrize(("loss", "groups"), [(sf.Squared(), 200_000), (sf.Huber(1e-2), 3000)])
@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.3])
def test_groups_that_are_fitted_are_kept(
    loss: Any, groups: int, seconds: float, fitted: dict[int, pl.DataFrame]
) -> None:
    rows, counted = curves(groups), [0]
    settings: dict[str, Any] = {"by": "group", "loss": loss, "on_interrupt": "partial"}
    settings["progress"] = lambda done, total: counted.append(done)
    if groups not in fitted:
        fitted[groups] = sf.fit_groups(rows, "power-offset", by="group", loss=loss)
    token = sf.CancelToken()
    timer = threading.Timer(seconds, token.cancel)
    true_stage = LongCall.stage

    def stage(self: LongCall, *arguments: Any, **named: Any) -> Any:
        timer.start()
        return true_stage(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch, token:
        patch.setattr(LongCall, "stage", stage)
        try:
            part = sf.fit_groups(rows, "power-offset", **settings)
        except sf.ScalefastError as error:
            assert error.code == "cancelled"
            assert counted[-1] == 0
            return
        finally:
            timer.cancel()
    done = part["status"] != "interrupted"
    assert part.height == groups
    assert part.filter(done).equals(fitted[groups].filter(done))
    assert done.sum() >= counted[-1]
    unfinished = part.filter(~done)
    assert unfinished["n_rows"].to_list() == [8] * unfinished.height
    found = unfinished.drop("group", "n_rows", "status")
    assert found.null_count().row(0) == (unfinished.height,) * found.width


@pytest.fixture(scope="module")
def fitted() -> dict[int, pl.DataFrame]:
    """Uninterrupted fits by their number of groups."""
    return {}


def test_a_search_that_has_not_ended_is_no_fit() -> None:
    rows = pl.concat([noisy()] * 20_000)
    settings: dict[str, Any] = {"timeout_s": 0.002, "on_interrupt": "partial"}
    assert code_of(lambda: sf.fit(rows, "chinchilla", **settings)) == "timeout"


def test_starts_that_were_interrupted_are_not_resampled(tmp_path: Path) -> None:
    many = sf.Grid({"E": [1.0] * 30, "A": [1.0] * 30, "B": [1.0] * 30, "alpha": 0.5, "beta": 0.5})
    settings: dict[str, Any] = {"resample": sf.Bootstrap(10), "on_interrupt": "partial", "threads": 1}
    part = cancelled_once_begun(
        lambda told: sf.fit(noisy(), "chinchilla", starts=many, progress=told, **settings), total=30**3
    )
    assert part.starts["status"].value_counts().height >= 2
    assert code_of(lambda: part.draws) == "no-draws"
    part.save(tmp_path / "law.parquet")
    assert sf.law(tmp_path / "law.parquet").parameters == part.law.parameters
    assert sf.load(tmp_path / "law.parquet").parameters.equals(part.parameters)
    assert "nothing was resampled" in part.diagnostics.row(by_predicate=pl.col("code") == "interrupted")[2]


def test_an_interruption_between_starts_and_replicates_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start has ended, no replicate has: a fit without the draws that were asked for is no part of the whole."""
    true_keeps = LongCall.keeps
    patched = lambda self, stopped, finished: true_keeps(self, KeyboardInterrupt(), finished)  # noqa: E731
    monkeypatch.setattr(LongCall, "keeps", patched)
    with pytest.raises(KeyboardInterrupt):
        sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(10), on_interrupt="partial")
    assert sf.fit(noisy(), "chinchilla", on_interrupt="partial").status == "converged"


def test_the_time_limit_is_that_of_the_whole_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each slice takes less than the limit: a limit for each would never end."""
    monkeypatch.setattr("scalefast._data.drawsfile.SLICE_ROWS", 64)
    settings: dict[str, Any] = {"resample": sf.Bootstrap(ENDLESS), "draws_to": tmp_path / "draws.parquet"}
    assert code_of(lambda: sf.fit(noisy(), "chinchilla", timeout_s=1.0, **settings)) == "timeout"
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_token_ends_every_later_call_and_no_other() -> None:
    token = sf.CancelToken()
    token.cancel()
    assert token.cancelled
    with token:
        for call in (
            lambda: sf.fit(noisy(), "chinchilla"),
            lambda: sf.sweep("hoffmann-2022", 1e24),
            lambda: sf.solve("hoffmann-2022", N=1e10),
            lambda: sf.fit_groups(noisy(), "power-offset", by="D", columns={"x": "N"}),
        ):
            assert code_of(call) == "cancelled"
        with sf.CancelToken():
            assert code_of(lambda: sf.sweep("hoffmann-2022", 1e24)) == "cancelled"
    assert sf.sweep("hoffmann-2022", 1e24).summary.height == 1


def test_a_token_ends_calls_of_the_thread_that_entered_it_alone() -> None:
    token, outcomes = sf.CancelToken(), {}
    begun = [threading.Event() for _ in range(2)]

    def work(name: str, entered: bool) -> None:
        long: dict[str, Any] = {"resample": sf.Bootstrap(ENDLESS if entered else 500)}
        if entered:
            long["progress"] = Begun(begun[int(name)].set, total=None, steps=0)
        try:
            if entered:
                with token:
                    sf.fit(noisy(), "chinchilla", **long)
            else:
                sf.fit(noisy(), "chinchilla", **long)
            outcomes[name] = "done"
        except sf.ScalefastError as error:
            outcomes[name] = error.code

    workers = [threading.Thread(target=work, args=(str(k), k < 2)) for k in range(4)]
    for worker in workers:
        worker.start()
    assert all(event.wait(60) for event in begun)
    token.cancel()
    for worker in workers:
        worker.join(60)
    assert outcomes == {"0": "cancelled", "1": "cancelled", "2": "done", "3": "done"}


def test_a_token_reaches_tasks_on_other_threads() -> None:
    async def work() -> str:
        token, begun = sf.CancelToken(), threading.Event()
        settings: dict[str, Any] = {"resample": sf.Bootstrap(ENDLESS), "progress": Begun(begun.set)}
        with token:
            task = asyncio.create_task(asyncio.to_thread(sf.fit, noisy(), "chinchilla", **settings))
        assert await asyncio.to_thread(begun.wait, 60)
        token.cancel()
        try:
            await task
        except sf.ScalefastError as error:
            return error.code
        return "done"

    assert asyncio.run(work()) == "cancelled"


def test_bca_without_all_units_has_no_interval(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The draws are complete, the jackknife behind the acceleration is not."""
    from scalefast import _core

    true_resample = _core.resample

    def stopped_in_the_jackknife(*arguments: Any) -> Any:
        found = true_resample(*arguments)
        if arguments[2] == "jackknife":
            found["stopped"] = KeyboardInterrupt()
        return found

    monkeypatch.setattr("scalefast._fitting.replicates.resample", stopped_in_the_jackknife)
    fit = sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(50, interval="bca"), on_interrupt="partial")
    assert fit.draws.height == 50
    assert fit.parameters["std_error"].null_count() == 0
    assert fit.parameters["lower"].null_count() == 5
    assert "interrupted" in fit.diagnostics["code"]
    with pytest.raises(KeyboardInterrupt):
        sf.fit(noisy(), "chinchilla", resample=sf.Bootstrap(50, interval="bca"), draws_to=tmp_path / "draws.parquet")
    assert list(tmp_path.iterdir()) == []


def test_interrupted_groups_on_the_command_line(tmp_path: Path) -> None:
    runs = tmp_path / "runs.parquet"
    curves(100_000).write_parquet(runs)
    law = ("--law", "power-offset", "--by", "group", "--loss", "huber:1e-2")
    arguments = ("fit", str(runs), *law, "--timeout", "2", "--threads", "1")
    refused = invoke(*arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    kept = invoke(*arguments, "--on-interrupt", "partial")
    assert kept.exit_code == 130
    assert pl.read_csv(kept.stdout.encode())["status"].value_counts().height >= 2


def test_an_interval_that_nobody_asked_for_needs_no_more_than_the_draws() -> None:
    """By itself the fit would read BCa off these; an interruption leaves percentiles."""
    many: dict[str, Any] = {"resample": sf.Bootstrap(ENDLESS), "on_interrupt": "partial"}
    part = cancelled_once_begun(lambda told: sf.fit(noisy(), "chinchilla", progress=told, **many), steps=100)
    assert part.parameters["interval_method"].unique().to_list() == ["pairs-percentile"]
    assert part.parameters["lower"].null_count() == 0


ARGUMENTS = ("fit", "-", "--law", "chinchilla", "--resample", f"{ENDLESS}", "--format", "csv", "--progress")


def interrupted(*options: str, number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line that is sent a signal while it resamples."""
    with process(*ARGUMENTS, *options, stdin=subprocess.PIPE) as run:
        assert run.stdin is not None
        run.stdin.write(noisy().write_csv())
        run.stdin.close()
        run.stdin = None
        assert run.stderr is not None
        read_until(run.stderr, "replicates: ")
        run.send_signal(number)
        out, err = run.communicate(timeout=60)
    return run.returncode, out, err


def has_taken_over(pid: int) -> bool:
    """Whether the script handles SIGTERM, which Python by itself does not: an interrupt before that is Python's own."""
    [mask] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    return bool(int(mask.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_no_file(number: signal.Signals, tmp_path: Path) -> None:
    files = ("--draws-to", str(tmp_path / "draws.parquet"), "-o", str(tmp_path / "law.parquet"))
    code, out, _ = interrupted(*files, number=number)
    assert (code, out) == (130 if number == signal.SIGINT else 143, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_keeps_what_is_finished(number: signal.Signals, tmp_path: Path) -> None:
    files = ("--draws-to", str(tmp_path / "draws.parquet"), "-o", str(tmp_path / "law.parquet"))
    code, out, err = interrupted("--on-interrupt", "partial", *files, number=number)
    assert code == 130, err
    assert out.count("pairs-percentile") == 5
    assert "(interrupted)" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["draws.parquet", "law.parquet"]
    draws = pl.read_parquet(tmp_path / "draws.parquet")
    assert 0 < draws.height < ENDLESS
    stored = sf.law(tmp_path / "law.parquet").draws
    assert stored is not None
    assert stored.height == draws.height


@pytest.mark.parametrize(("replicates", "longest_s"), [(20_000, 8.0), (300, 1.5)])
def test_at_any_moment_a_command_leaves_all_of_its_files_or_none(
    replicates: int, longest_s: float, tmp_path: Path
) -> None:
    """Six commands side by side, each ended at a moment of its own: while it loads, reads, fits, writes or leaves."""
    runs = tmp_path / "runs.csv"
    noisy().write_csv(runs)
    generator = random.Random(0)
    started = []
    for number in range(6):
        folder = tmp_path / str(number)
        folder.mkdir()
        names = ("--draws-to", str(folder / "draws.parquet"), "-o", str(folder / "law.parquet"))
        keeps = ("--on-interrupt", "partial") if number % 2 else ()
        run = process("fit", str(runs), "--law", "chinchilla", "--resample", str(replicates), *names, *keeps)
        while run.poll() is None and not has_taken_over(run.pid):
            time.sleep(0.01)
        timer = threading.Timer(generator.uniform(0.0, longest_s), run.send_signal, (signal.SIGINT,))
        timer.start()
        started.append((folder, run, timer))
    for folder, run, timer in started:
        out, err = run.communicate(timeout=120)
        timer.cancel()
        assert "Traceback" not in err
        files = sorted(path.name for path in folder.iterdir())
        assert files in ([], ["draws.parquet", "law.parquet"])
        assert bool(out) == bool(files)
        assert run.returncode in (0, 130)
