"""The same seed, the same bytes: for any number of threads, any kernel, any split; random numbers by their published answers."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

import scalefast as sf
from long_work import KINDS, everything, noisy
from scalefast import _core

WORD = 2**32


def philox(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Philox4x32-10 as Salmon, Moraes, Dror & Shaw (SC 2011) define it, in plain integers."""
    for turn in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        keys = [(key[0] + turn * 0x9E3779B9) % WORD, (key[1] + turn * 0xBB67AE85) % WORD]
        counter = (
            (second >> 32) ^ counter[1] ^ keys[0],
            second % WORD,
            (first >> 32) ^ counter[3] ^ keys[1],
            first % WORD,
        )
    return counter


def bits(seed: int, stream: int, series: int, place: int) -> int:
    """The 64 bits of a place: half a block whose counter is (place, series, stream) and whose key is the seed."""
    block = place >> 1
    words = philox((block % WORD, block >> 32, series, stream), (seed % WORD, seed >> 32))
    half = 2 * (place & 1)
    return words[half] | words[half + 1] << 32


def test_known_answers_of_random123() -> None:
    """`kat_vectors` of the Random123 distribution, the lines `philox4x32 10`: the twin above is the published generator."""
    for counter, key, expected in (
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ):
        words = [tuple(int(word, 16) for word in text.split()) for text in (counter, key, expected)]
        assert philox(words[0], words[1]) == words[2]


def test_the_core_draws_from_that_generator() -> None:
    noise = 3
    generator = random.Random(0)
    for _ in range(50):
        seed, series = generator.randrange(2**64), generator.randrange(2**32)
        places = [generator.randrange(2**63) for _ in range(4)]
        drawn = [bits(seed, noise, series, place) for place in places]
        asked = np.array(places, dtype=np.uint64)
        for bound in (7, 240, 2**53):
            expected = [word * bound >> 64 for word in drawn]
            assert _core.choices(seed, series, asked, bound).tolist() == expected
        uniform = [((word >> 12) + 0.5) / 2**52 for word in drawn]
        expected_normals = [statistics.NormalDist().inv_cdf(u) for u in uniform]
        assert _core.normals(seed, series, asked) == pytest.approx(expected_normals, rel=1e-8, abs=1e-12)


def test_pairs_are_drawn_from_that_generator() -> None:
    """Replicate k draws row i from stream 2 at (k, i): given the same sets of rows, the draws are the same."""
    rows, resampling, seed = noisy(), 2, 12345678901234567890
    sets = [[bits(seed, resampling, k, i) * rows.height >> 64 for i in range(rows.height)] for k in range(20)]
    given = sf.fit(rows, "chinchilla", resample=sf.Bootstrap(indices=np.array(sets)))
    drawn = sf.fit(rows, "chinchilla", resample=sf.Bootstrap(20), seed=seed)
    assert given.draws.equals(drawn.draws)


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    return everything(2)


@pytest.mark.parametrize("threads", [1, 7])
def test_threads_change_no_byte(threads: int, here: dict[str, str]) -> None:
    found = everything(threads)
    assert [name for name in here if found[name] != here[name]] == []


PROGRAM = """
import json, sys
sys.path.insert(0, {tests!r})
from long_work import everything
from scalefast import _core
print(json.dumps([_core.kernel(), everything({threads})]))
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="kernels of x86-64")
@pytest.mark.parametrize("kernel", ["scalar", "avx2", "avx512"])
def test_kernels_change_no_byte(kernel: str, here: dict[str, str]) -> None:
    """In a process of its own, since the kernel is chosen when the library loads."""
    text = PROGRAM.format(tests=os.path.dirname(__file__), threads={"scalar": 1, "avx2": 3, "avx512": 2}[kernel])
    environment = {**os.environ, "SCALEFAST_KERNEL": kernel}
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    used, found = json.loads(done.stdout)
    if used != kernel:
        pytest.skip(f"this processor has no {kernel}")
    assert [name for name in here if found[name] != here[name]] == []


def test_a_kernel_that_is_not_to_be_had_is_named() -> None:
    text = "from scalefast import _core; print(_core.kernel())"
    environment = {**os.environ, "SCALEFAST_KERNEL": "avx9000"}
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == _core.kernel()
    assert "SCALEFAST_KERNEL=avx9000 is no kernel of this machine" in done.stderr


@pytest.mark.parametrize("attempt", range(6))
def test_any_split_of_the_replicates_is_a_part_of_the_whole(attempt: int) -> None:
    generator = random.Random(attempt)
    rows = noisy().with_columns(size=pl.col("N").rank("dense"), name=pl.int_range(pl.len()) // 3)
    weights = np.random.default_rng(attempt).exponential(size=(60, rows.height))
    settings: list[dict[str, Any]] = [
        *({"kind": kind} for kind in KINDS),
        {"fraction": 0.7},
        {"cluster": "name"},
        {"strata": "size"},
        {"kind": "wild-webb", "cluster": "name"},
        {"weights": weights},
        {"indices": np.random.default_rng(attempt).integers(0, rows.height, (60, rows.height))},
    ]
    chosen = generator.sample(settings, 3)
    cuts = sorted({0, 60, *(generator.randrange(1, 60) for _ in range(3))})
    for resample in chosen:
        whole = sf.fit(rows, "chinchilla", resample=sf.Bootstrap(60, **resample), seed=attempt).draws
        parts = [
            sf.fit(rows, "chinchilla", resample=sf.Bootstrap(range(a, b), **resample), seed=attempt).draws
            for a, b in pairwise(cuts)
        ]
        assert pl.concat(parts).equals(whole), resample


def test_a_group_does_not_depend_on_the_others() -> None:
    rows = noisy().with_columns(size=pl.col("N").rank("dense").cast(pl.Int64))
    settings: dict[str, Any] = {"by": "size", "columns": {"x": "D"}}
    whole = sf.fit_groups(rows, "power-offset", **settings)
    for size in (1, 4, 6):
        alone = sf.fit_groups(rows.filter(pl.col("size") == size), "power-offset", **settings)
        assert alone.equals(whole.filter(pl.col("size") == size))


def test_a_budget_does_not_depend_on_the_others() -> None:
    whole = sf.sweep("epoch-2024-huber", "1e20..1e26:7", draws=500).summary
    for row in (0, 3, 6):
        alone = sf.sweep("epoch-2024-huber", whole["C"][row], draws=500).summary
        assert alone.equals(whole.slice(row, 1))
