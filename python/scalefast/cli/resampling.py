"""The options of `fit` that resample: `--resample`, `--cluster`, `--strata`, `--interval`, `--draws-to`, `--run`, ….

In: what is typed. Out: `resample=` as a value of the library, beside `run=`, `checkpoints=` and `seed=` as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from scalefast import Bootstrap, Jackknife, SettingsError

from .errors import hint_for, quoted
from .options import Reader

KINDS = ("pairs", "bayesian", "fraction", "residual", "wild", "wild-webb")
INTERVALS = ("percentile", "expanded", "basic", "bca", "normal")


def read_resample(text: str, what: str) -> dict[str, Any]:
    """`4000`, `bayesian:4000`, `fraction:0.8:4000`, `1000..2000`, as arguments of `Bootstrap`; or a jackknife."""
    first, *rest = (part.strip() for part in text.split(":"))
    if first == "jackknife":
        return {"jackknife": _budget(text, rest, what)}
    *kind, count = (part.strip() for part in text.split(":"))
    found: dict[str, Any] = {"kind": kind[0] if kind else "pairs"}
    if found["kind"] not in KINDS:
        known = (*KINDS, "jackknife")
        raise SettingsError(
            f"{what}: {quoted(found['kind'])} is not a kind of resampling",
            code="bad-resample",
            hint=hint_for(found["kind"], known, "kinds"),
        )
    try:
        if len(kind) != (2 if found["kind"] == "fraction" else min(len(kind), 1)):
            raise ValueError
        if found["kind"] == "fraction":
            found["fraction"] = float(kind[1])
            found["kind"] = None
        first, dots, last = count.partition("..")
        found["replicates"] = range(int(first), int(last)) if dots else int(count)
    except ValueError:
        raise SettingsError(
            f"{what}: {quoted(text)} is not of the form COUNT or KIND:COUNT",
            code="bad-resample",
            hint="for example 4000, wild:4000, fraction:0.8:4000, 1000..2000 or jackknife",
        ) from None
    return found


def _budget(text: str, rest: list[str], what: str) -> float | None:
    """The budget of `jackknife:1e24`, at which it says what becomes of the best N; None of `jackknife`."""
    try:
        return float(*rest) if rest else None
    except (TypeError, ValueError):
        raise SettingsError(
            f"{what}: {quoted(text)} is neither `jackknife` nor `jackknife:` with FLOPs",
            code="bad-resample",
            hint="for example jackknife:1e24",
        ) from None


RESAMPLE = Reader("[KIND:]COUNT", read_resample)


def resample_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command receives `resample`, `run`, `checkpoints`, `seed` and `draws_to`, None where not given."""

    @functools.wraps(command)
    def with_resample(
        *args: Any,
        resample: dict[str, Any] | None,
        cluster: str | None,
        strata: str | None,
        interval: str | None,
        **kwargs: Any,
    ) -> Any:
        return command(*args, resample=_build(resample, cluster, strata, interval), **kwargs)

    decorated: Callable[..., Any] = with_resample
    for add in (
        click.option(
            "--draws-to",
            metavar="FILE",
            type=click.Path(dir_okay=False),
            help="Write the draws to this .parquet file as they are made, instead of keeping them in memory.",
        ),
        click.option("--seed", type=click.IntRange(min=0), help="Of the random numbers; default 0."),
        click.option(
            "--interval",
            type=click.Choice(INTERVALS),
            help="How it is read off the draws; default bca where rows are few, expanded where clusters are.",
        ),
        click.option("--strata", metavar="COLUMN", help="Draw within the values of this column, such as the budget."),
        click.option("--cluster", metavar="COLUMN", help="Draw rows of one value together. Default: --run, else rows."),
        click.option(
            "--resample",
            type=RESAMPLE,
            help="Standard errors and intervals from so many refits: 4000, or with a kind, bayesian:4000, wild:4000, "
            "wild-webb:4000, residual:4000, fraction:0.8:4000; 1000..2000 of them alone; or jackknife, jackknife:1e24 "
            "with the best N at that budget.",
        ),
        click.option(
            "--checkpoints",
            type=click.Choice(["final", "all"]),
            help="Of runs with several rows, use the last or all. Intermediate checkpoints are biased.",
        ),
        click.option("--run", metavar="COLUMN", help="Which rows belong to one run."),
    ):
        decorated = add(decorated)
    return decorated


def _build(
    resample: dict[str, Any] | None, cluster: str | None, strata: str | None, interval: str | None
) -> Bootstrap | Jackknife | None:
    extra: dict[str, Any] = {"cluster": cluster, "strata": strata, "interval": interval}
    given = {name: value for name, value in extra.items() if value is not None}
    if resample is None:
        if given:
            raise SettingsError(
                f"--{next(iter(given))} says how to resample, and nothing is resampled",
                code="bad-resample",
                hint="add --resample 4000",
            )
        return None
    if "jackknife" in resample:
        if set(given) - {"cluster"}:
            raise SettingsError("a jackknife takes neither --strata nor --interval", code="bad-resample")
        return Jackknife(by=cluster, budget=resample["jackknife"])
    return Bootstrap(**resample, **given)
