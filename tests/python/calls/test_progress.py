"""Progress of long calls: the counts, the rate, and where they are shown."""

from __future__ import annotations

import io
import pickle
import threading
from typing import Any

import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke
from reference import grid
from scalefast._calls.progress import Display, Pace, _Lines, display, in_words


class Clock:
    """A clock that stands still until it is told to go on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(stream: Any, monkeypatch: pytest.MonkeyPatch, progress: bool | None, counts: list[tuple[float, int]]) -> str:
    """What a call of 4,000 steps writes to stderr, its counts read at these moments (seconds)."""
    monkeypatch.setattr("sys.stderr", stream)
    clock = Clock()
    shown = display(progress, clock)
    shown.begin("replicates")
    for now, done in counts:
        clock.now = now
        shown.update(done, 4000)
    shown.close()
    text: str = stream.getvalue()
    return text


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    pace = Pace(0.0)
    for second in range(1, 101):
        pace.add(float(second), second * 10 if second <= 50 else 500 + (second - 50) * 2)
    assert pace.rate == pytest.approx(2.0)
    assert pace.remaining(700) == pytest.approx(50.0)


def test_an_unknown_total_or_rate_has_no_remaining_time() -> None:
    pace = Pace(0.0)
    assert (pace.rate, pace.remaining(10)) == (0.0, None)
    assert in_words(0, 0, pace) == "0"
    pace.add(10.0, 1000)
    assert in_words(1000, 4000, pace) == "1,000 of 4,000, 100 per second, 0:00:30 left"
    assert in_words(1000, 0, pace) == "1,000, 100 per second"


def test_nothing_is_shown_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (Terminal(), io.StringIO()):
        assert drawn(stream, monkeypatch, True, [(0.05, 10), (0.5, 100), (0.99, 3999)]) == ""


def test_a_terminal_gets_a_bar_that_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    text = drawn(Terminal(), monkeypatch, None, [(0.5, 500), (1.5, 1500), (2.0, 2000)])
    assert "replicates" in text
    assert "1,500 of 4,000, 1,000 per second" in text
    assert text.rstrip().endswith("\x1b[2K")


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    counts = [(0.5, 500), (1.5, 1500)]
    assert "\x1b[38" in drawn(Terminal(), monkeypatch, None, counts)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[38" not in drawn(Terminal(), monkeypatch, None, counts)


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    counts = [(0.5, 500), (1.5, 1500), (5.0, 2000), (11.0, 3000), (11.6, 3600)]
    assert drawn(Terminal(), monkeypatch, None, counts) == ""
    lines = drawn(Terminal(), monkeypatch, True, counts).splitlines()
    assert lines == [
        "replicates: 1,500 of 4,000, 1,000 per second, 0:00:02 left",
        "replicates: 3,600 of 4,000, 310 per second, 0:00:01 left",
    ]


def test_a_file_gets_lines_only_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [(1.5, 1500), (20.0, 2000)]
    assert drawn(io.StringIO(), monkeypatch, None, counts) == ""
    assert drawn(io.StringIO(), monkeypatch, False, counts) == ""
    assert len(drawn(io.StringIO(), monkeypatch, True, counts).splitlines()) == 2


def test_no_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert type(display(True)) is Display


def test_one_bar_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    monkeypatch.setattr("sys.stderr", stream)
    first, second = display(True, clock), display(True, clock)
    clock.now = 2.0
    first.begin("first")
    second.begin("second")
    first.update(1, 2)
    second.update(1, 2)
    assert "second" not in stream.getvalue()
    first.close()
    clock.now = 3.0
    second.update(2, 2)
    second.close()
    assert "second" in stream.getvalue()


def test_a_function_sees_the_counts_rise_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    rows = grid()
    sf.fit(rows, "chinchilla", resample=sf.Bootstrap(2000), progress=lambda done, total: seen.append((done, total)))
    counts = [done for done, total in seen if total == 2000]
    assert counts == sorted(counts)
    assert counts[-1] == 2000


def test_groups_and_sweeps_count_too() -> None:
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    rows = grid().with_columns(task=pl.col("D") > 1e10)
    sf.fit_groups(rows, "power-offset", by="task", columns={"x": "N"}, progress=note)
    assert seen[-1] == (2, 2)
    sf.sweep("hoffmann-2022", "1e20..1e24:33", progress=note)
    assert seen[-1] == (33, 33)
    sf.solve("epoch-2024-huber", N=1e10, progress=note)
    assert seen[-1] == (1, 1)


def test_the_function_is_called_on_the_thread_that_called() -> None:
    threads = set()

    def note(done: int, total: int) -> None:
        threads.add(threading.get_ident())

    sf.fit(grid(), "chinchilla", resample=sf.Bootstrap(500), progress=note)
    assert threads == {threading.get_ident()}


def test_a_function_that_raises_ends_the_call() -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        sf.fit(grid(), "chinchilla", resample=sf.Bootstrap(50_000_000), progress=stop, on_interrupt="partial")


def test_what_shows_progress_is_no_part_of_the_fit() -> None:
    told = sf.fit(grid(), "chinchilla", progress=lambda done, total: None)
    assert told == sf.fit(grid(), "chinchilla", progress=False)
    assert pickle.loads(pickle.dumps(told)) == told


def test_misuse_is_named() -> None:
    for call in (
        lambda: sf.fit(grid(), "chinchilla", progress="yes"),  # type: ignore[arg-type]
        lambda: sf.sweep("hoffmann-2022", 1e24, progress=3),  # type: ignore[arg-type]
    ):
        with pytest.raises(sf.SettingsError) as caught:
            call()
        assert caught.value.code == "bad-progress"


def test_lines_are_flushed() -> None:
    class Flushed(io.StringIO):
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1

    stream, clock = Flushed(), Clock()
    shown = _Lines(stream, clock)
    clock.now = 2.0
    shown.update(1, 2)
    assert stream.flushes == 1


def test_the_command_line_shows_it_on_stderr_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quiet second is over at once, so that a short call shows what a long one would."""
    monkeypatch.setattr("scalefast._calls.progress._QUIET_S", 0.0)
    monkeypatch.setattr(_Lines, "every_s", 0.0)
    shown = {}
    for option in ("--progress", "--no-progress", "--quiet"):
        options = ("--law", "chinchilla", "--resample", "100", "--format", "csv", option)
        result = invoke("fit", "-", *options, stdin=grid().write_csv())
        assert result.exit_code == 0, result.stderr
        shown[option] = "replicates: " in result.stderr
        assert result.stdout.startswith("parameter,estimate")
        assert "replicates: " not in result.stdout
    assert shown == {"--progress": True, "--no-progress": False, "--quiet": False}
