"""Compares what two versions of scalefast put out, byte for byte: stdout, JSON, frames, Parquet files, manifests.

    python tools/compare_outputs.py OLD NEW                            two revisions of this repository, built for it
    python tools/compare_outputs.py --old-path DIR --new-path DIR      two folders that hold a built `scalefast`
    python tools/compare_outputs.py OLD --new-path DIR                 one of each

Both versions run the same commands in the same order on data that they simulate themselves, each in a folder of its own.
Notes on stderr are not compared: they are prose. The number of the version may differ wherever a file states it. Exits with
0 when everything is equal, with 1 after naming every difference.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[1]
SCRIPT = "from scalefast.cli.app import main; main()"
VERSION = "import scalefast as sf; print(sf.__file__); print(sf.__version__)"
LAWS = "--law law.parquet --law hoffmann-2022"

#: What is run, in order: later commands read what earlier ones wrote. Each one runs twice, as CSV and as JSON.
COMMANDS = {
    "simulate": "simulate hoffmann-2022 --isoflop 1e19..1e21:5 --sizes 9 --noise log-normal:0.005 --seed 3",
    "fit": "fit runs.csv --law chinchilla --resample 200 --seed 1 -o law.parquet --residuals residuals.parquet",
    "fit-draws": "fit runs.csv --law chinchilla --loss huber:1e-3 --resample wild:150 --draws-to draws.parquet -o law.toml",
    "fit-jackknife": "fit runs.csv --law chinchilla --resample jackknife --influence influence.csv",
    "fit-groups": "fit runs.csv --law power-offset --by C --col x=N --loss squared",
    "sweep": f"sweep --budget 1e20..1e24:5 {LAWS} --draws-out allocations.parquet",
    "plan": f"plan --accelerators 100xA100 --days 30 --mfu uniform(0.35,0.45) {LAWS} --seed 2",
    "solve": f"solve L=2.2 N=7B {LAWS}",
    "predict": "predict law.parquet --at N=1e9..1e11:5 --at D=1e11 --interval confidence",
    "overtraining": "overtraining --budget 1e24 --law law.parquet",
    "costs": "costs --layers 80 --width 8192 --heads 64 --vocabulary 32k --budget 1e24",
    "laws-show": "laws show epoch-2024-huber",
}
#: Commands that compute nothing write no manifest.
WITHOUT_MANIFEST = ("laws-show",)

#: Frames of the library that no command prints whole.
FRAMES = """
import polars as pl, scalefast as sf
runs = pl.read_csv("runs.csv")
fits = [
    sf.fit(runs, "chinchilla", loss=sf.Squared()),
    sf.fit(runs, "chinchilla", loss=sf.Huber(1e-3), resample=sf.Bootstrap(100, interval="bca"), seed=4),
    sf.fit(runs, "chinchilla", resample=sf.Jackknife()),
]
for fit in fits:
    for frame in (fit.parameters, fit.starts, fit.residuals, fit.diagnostics):
        print(frame.to_dict(as_series=False))
print(fits[0].profile("alpha").points.to_dict(as_series=False))
print(fits[1].draws.to_dict(as_series=False))
print(fits[2].influence.to_dict(as_series=False))
sweep = sf.sweep(fits[1].law, "1e20..1e24:5", keep_draws=True)
for frame in (sweep.summary, sweep.draws):
    print(frame.to_dict(as_series=False))
plan = sf.plan(accelerators="100xA100", days=30, mfu="uniform(0.35, 0.45)")
for frame in (plan.decision, plan.constraints, plan.assumptions, plan.alternatives, plan.sources, plan.draws):
    print(frame.to_dict(as_series=False))
"""


@dataclass(frozen=True)
class Side:
    """One version: the folder on PYTHONPATH that holds it, its number, and the folder that it runs in."""

    path: Path
    version: str
    folder: Path


def python(path: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """This interpreter with the package in `path` ahead of all others."""
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONSAFEPATH": "1", "COLUMNS": "120", "NO_COLOR": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, check=False)


def built(revision: str, folder: Path, target: Path) -> Path:
    """The folder that a revision was installed into; compiled crates go to `target`, for both revisions."""
    source, site = folder / "source", folder / "site"
    source.mkdir()
    packed = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(source)], input=packed, check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    subprocess.run([*install, "--target", str(site), str(source)], env=environment, check=True)
    return site


def side(path: Path, folder: Path) -> Side:
    """The version in a folder, which must be the one that Python then imports."""
    work = folder / "work"
    work.mkdir()
    done = python(path, work, "-c", VERSION)
    if done.returncode != 0:
        raise SystemExit(f"{path} holds no scalefast that can be imported:\n{done.stderr.decode()}")
    found, version = done.stdout.decode().split()
    if not Path(found).is_relative_to(path):
        raise SystemExit(f"{path} holds no package named scalefast: Python imports {found}")
    return Side(path, version, work)


def run_all(version: Side) -> dict[str, bytes]:
    """Exit code and stdout of every command; the files that the commands write lie in the side's folder."""
    found = {}
    for name, text in COMMANDS.items():
        manifest = [] if name in WITHOUT_MANIFEST else ["--manifest", f"{name}.manifest.json"]
        for form in ("csv", "json"):
            # The second run writes its files over those of the first.
            options = [*manifest, "--format", form, "--force"]
            run = python(version.path, version.folder, "-c", SCRIPT, *text.split(), *options)
            if run.returncode not in (0, 1):
                raise SystemExit(f"`{text}` of {version.path} ended with {run.returncode}:\n{run.stderr.decode()}")
            found[f"{name}: {form}"] = b"exit code %d\n" % run.returncode + run.stdout
            if name == "simulate" and form == "csv":
                (version.folder / "runs.csv").write_bytes(run.stdout)
    run = python(version.path, version.folder, "-c", FRAMES)
    if run.returncode != 0:
        raise SystemExit(f"the frames of {version.path} cannot be read:\n{run.stderr.decode()}")
    found["frames of the library"] = run.stdout
    return found


def texts_differ(old: bytes, new: bytes, versions: tuple[str, str]) -> str | None:
    """Where two texts first differ; None where they do not, or only in the number of the version."""
    if old == new:
        return None
    lines = (old.decode().replace(versions[0], versions[1]).splitlines(), new.decode().splitlines())
    for number, (one, other) in enumerate(zip(*lines, strict=False), start=1):
        if one != other:
            same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
            begin = max(0, same - 40)
            return f"line {number}: {one[begin : begin + 120]!r} became {other[begin : begin + 120]!r}"
    return f"{len(lines[0])} lines became {len(lines[1])}" if len(lines[0]) != len(lines[1]) else None


def parquets_differ(old: Path, new: Path, versions: tuple[str, str]) -> str | None:
    """What differs between two Parquet files: schema, data, metadata, or nothing but the bytes."""
    if old.read_bytes() == new.read_bytes():
        return None
    frames = pl.read_parquet(old), pl.read_parquet(new)
    if frames[0].schema != frames[1].schema:
        return f"schema: {dict(frames[0].schema)} became {dict(frames[1].schema)}"
    if not frames[0].equals(frames[1]):
        return f"data: {[name for name in frames[0].columns if not frames[0][name].equals(frames[1][name])]} differ"
    notes = [{k: v for k, v in pl.read_parquet_metadata(path).items() if k != "ARROW:schema"} for path in (old, new)]
    if list(notes[0]) != list(notes[1]):
        return f"metadata: the keys {list(notes[0])} became {list(notes[1])}"
    for key, value in notes[0].items():
        told = texts_differ(value.encode(), notes[1][key].encode(), versions)
        if told:
            return f"metadata `{key}`: {told}"
    # Another number of the version moves the bytes behind it.
    return "bytes, though data and metadata agree" if versions[0] == versions[1] else None


def differences(old: Side, new: Side) -> tuple[int, list[str]]:
    """How many outputs were compared, and a line for every one that differs."""
    versions = old.version, new.version
    printed = run_all(old), run_all(new)
    faults = [(name, texts_differ(text, printed[1][name], versions)) for name, text in printed[0].items()]
    written = [{str(p.relative_to(s.folder)) for p in s.folder.rglob("*") if p.is_file()} for s in (old, new)]
    faults += [(name, "is written by one version only") for name in sorted(written[0] ^ written[1])]
    for name in sorted(written[0] & written[1]):
        one, other = old.folder / name, new.folder / name
        if name.endswith(".parquet"):
            faults.append((name, parquets_differ(one, other, versions)))
        else:
            faults.append((name, texts_differ(one.read_bytes(), other.read_bytes(), versions)))
    return len(faults), [f"{name}: {told}" for name, told in faults if told]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revisions", nargs="*", metavar="REVISION", help="old, then new; one for each path left out")
    parser.add_argument("--old-path", type=Path, metavar="DIR")
    parser.add_argument("--new-path", type=Path, metavar="DIR")
    asked = parser.parse_args()
    paths = [asked.old_path, asked.new_path]
    if len(asked.revisions) != paths.count(None):
        parser.error(f"name {paths.count(None)} revisions: those that no path stands for")
    revisions = iter(asked.revisions)
    with tempfile.TemporaryDirectory(prefix="compare-outputs-") as name:
        sides = []
        for which, path in zip(("old", "new"), paths, strict=True):
            folder = Path(name) / which
            folder.mkdir()
            sides.append(
                side(path.resolve() if path else built(next(revisions), folder, Path(name) / "target"), folder)
            )
        count, faults = differences(*sides)
    for fault in faults:
        print(fault)
    print(f"{count - len(faults)} of {count} outputs are equal: scalefast {sides[0].version} and {sides[1].version}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
