"""Threads, forks and processes: as many as are asked for, the GIL released, and the same bytes from all of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

import long_work
import scalefast as sf
from long_work import ENDLESS, Begun, answer, code_of, noisy, noisy_columns

#: Where `long_work` lies, for programs of their own.
HERE = os.path.dirname(long_work.__file__)


@pytest.fixture(scope="module")
def answers() -> list[str]:
    found = [answer(seed) for seed in range(4)]
    assert len(set(found)) == 4
    return found


def test_eight_threads_at_once_give_the_bytes_of_one(answers: list[str]) -> None:
    found: dict[int, list[str]] = {}
    begin = threading.Barrier(8)

    def work(k: int) -> None:
        begin.wait()
        found[k] = [answer(seed) for seed in (k % 4, (k + 1) % 4)]

    workers = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert found == {k: [answers[k % 4], answers[(k + 1) % 4]] for k in range(8)}


def in_a_fork(work: Any, *arguments: Any) -> str:
    """What `work` returns in a forked child, which is killed if it hangs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            os.write(writing, work(*arguments).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


def test_a_forked_child_whose_parent_used_the_pools(answers: list[str]) -> None:
    assert [in_a_fork(answer, seed) for seed in range(4)] == answers


def test_a_child_forked_while_threads_of_the_parent_work(answers: list[str]) -> None:
    """Locks of the pool may be held at the moment of the fork; the child has pools of its own."""
    token, begun = sf.CancelToken(), [threading.Event() for _ in range(2)]

    def busy(event: threading.Event) -> None:
        endless: dict[str, Any] = {"resample": sf.Bootstrap(ENDLESS), "progress": Begun(event.set, total=None, steps=0)}
        with token:
            assert code_of(lambda: sf.fit(noisy_columns(), "chinchilla", **endless)) == "cancelled"

    workers = [threading.Thread(target=busy, args=(event,)) for event in begun]
    for worker in workers:
        worker.start()
    try:
        # One call may keep the pool to itself; the other then waits for it, which is work too.
        assert all(event.wait(60) for event in begun)
        assert [in_a_fork(answer, seed) for seed in range(3)] == answers[:3]
        assert in_a_fork(in_a_fork, answer, 3) == answers[3]
    finally:
        token.cancel()
        for worker in workers:
            worker.join(60)


def test_a_spawned_pool_gives_the_same_bytes(answers: list[str]) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(answer, range(4), chunksize=1) == answers


def test_fits_go_to_and_from_processes() -> None:
    """A spec is sent, a fit comes back, and is the one that is made here."""
    spec = sf.FitSpec("chinchilla", resample=sf.Bootstrap(60, kind="wild"), seed=9)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(sf.fit, (noisy(), spec)) == sf.fit(noisy(), spec)


def test_another_thread_goes_on_while_a_call_works() -> None:
    """The GIL is released: this thread counts on while the core works on another."""
    counted, token, begun, ended = 0, sf.CancelToken(), threading.Event(), threading.Event()
    endless: dict[str, Any] = {"resample": sf.Bootstrap(ENDLESS), "threads": 1, "progress": Begun(begun.set)}

    def work() -> None:
        with token:
            code_of(lambda: sf.fit(noisy_columns(), "chinchilla", **endless))
        ended.set()

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(60)
    while counted < 100_000:
        counted += 1
    assert not ended.is_set()
    token.cancel()
    worker.join(60)
    assert ended.is_set()


POOL = """
import os, sys
sys.path.insert(0, {here!r})
{before}
import long_work
import scalefast as sf
from long_work import noisy_columns
sf.fit(noisy_columns(), "chinchilla", resample=sf.Bootstrap(100), threads={threads})
names = [open(f"/proc/self/task/{{task}}/comm").read() for task in os.listdir("/proc/self/task")]
print(sum(name.startswith("scalefast-") for name in names))
"""


def threads_of(threads: int | None, variable: str | None = None, before: str = "") -> int:
    """How many threads the library keeps, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "SCALEFAST_NUM_THREADS"}
    if variable is not None:
        environment["SCALEFAST_NUM_THREADS"] = variable
    text = POOL.format(here=HERE, threads=threads, before=before)
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_there_are_as_many_threads_as_asked_for() -> None:
    assert threads_of(3) == 3
    assert threads_of(None, "5") == 5
    assert threads_of(2, "5") == 2
    assert threads_of(None, before="os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})") == 1
    assert threads_of(None) <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize("value", ["0", "many", "2000"])
def test_a_useless_variable_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEFAST_NUM_THREADS", value)
    with pytest.raises(sf.SettingsError) as caught:
        sf.fit(noisy(), "chinchilla")
    assert caught.value.code == "bad-threads"
    assert "SCALEFAST_NUM_THREADS" in str(caught.value)
    assert sf.fit(noisy(), "chinchilla", threads=1).status == "converged"
