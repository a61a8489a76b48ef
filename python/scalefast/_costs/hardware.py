"""Accelerators: peak, memory, power and price of one, from a dated table that the user may extend.

Stage: before plans. In: `hardware/accelerators.toml`, a file of the same format, a name such as `H100-SXM`. Out:
`Accelerator`, or a frame of them all. A name that stands for several accelerators is an error that lists them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalefast._base.errors import LawError, SettingsError
from scalefast._base.suggest import did_you_mean, listing
from scalefast._base.toml import Table
from scalefast._base.wording import Advice, Argument

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Accelerator", "accelerators", "find_accelerator"]

SCHEMA = 1


@dataclass(frozen=True)
class Accelerator:
    """One accelerator.

    Attributes
    ----------
    id, aliases: what it goes by. family: a shorter name that it shares with others.
    peak: dense FLOP/s in `format`, which is BF16 unless it says otherwise.
    memory_gb, power_w, price: gigabytes; rated watts; lowest and highest dollars per hour at `price_date`. None: not known.
    date: of the table. source, note: in words.
    """

    id: str
    peak: float
    date: str
    source: str
    aliases: tuple[str, ...] = ()
    family: str | None = None
    format: str = "BF16"
    memory_gb: float | None = None
    power_w: float | None = None
    price: tuple[float, float] | None = None
    price_date: str | None = None
    note: str | None = None


def accelerators(accelerators_file: str | Path | None = None) -> pl.DataFrame:
    """The table: one row per accelerator, with what is not known null.

    `accelerators_file` is a TOML file of the shipped one's format; its entries replace those of the same id and add others.
    Raises SettingsError (`bad-accelerators-file`) with the field at fault.

    >>> import scalefast as sf
    >>> sf.accelerators().filter(id="H100-SXM")["peak_flops"].item()
    989400000000000.0
    """
    import polars as pl

    texts = ("id", "aliases", "format", "price_date", "source", "note", "date")
    rows = [
        {
            "id": entry.id,
            "aliases": " ".join(entry.aliases),
            "format": entry.format,
            "peak_flops": entry.peak,
            "memory_gb": entry.memory_gb,
            "power_w": entry.power_w,
            "price_low": entry.price[0] if entry.price else None,
            "price_high": entry.price[1] if entry.price else None,
            "price_date": entry.price_date,
            "source": entry.source,
            "note": entry.note,
            "date": entry.date,
        }
        for entry in _table(accelerators_file)
    ]
    return pl.DataFrame(rows, schema={name: pl.String if name in texts else pl.Float64 for name in rows[0]})


def find_accelerator(name: str, accelerators_file: str | Path | None = None) -> Accelerator:
    """The accelerator of a name, an alias, or a family of one; letter case does not matter.

    Raises SettingsError: `unknown-accelerator` with the nearest names, `ambiguous-accelerator` with the choices.
    """
    table = _table(accelerators_file)
    wanted = name.strip().lower()
    for entry in table:
        if wanted in (entry.id.lower(), *(alias.lower() for alias in entry.aliases)):
            return entry
    family = [entry for entry in table if entry.family is not None and entry.family.lower() == wanted]
    if len(family) == 1:
        return family[0]
    if family:
        choices = ", ".join(f"`{entry.id}` ({entry.peak / 1e12:g} TFLOP/s)" for entry in family)
        raise SettingsError(
            f"accelerators: `{name}` may be {choices}",
            code="ambiguous-accelerator",
            argument="accelerators",
            hint=f"write one of {listing([entry.id for entry in family])}",
        )
    known = [text for entry in table for text in (entry.id, *entry.aliases, entry.family) if text]
    raise SettingsError(
        f"accelerators: unknown accelerator `{name:.60}`",
        code="unknown-accelerator",
        argument="accelerators",
        hint=Advice(
            f"{did_you_mean(name, known, 'accelerators')}; `scalefast accelerators` lists all; ",
            Argument("accelerators_file"),
            " adds yours",
        ),
    )


def _table(own: str | Path | None) -> list[Accelerator]:
    found = {entry.id: entry for entry in _shipped()}
    if own is not None and not isinstance(own, str | Path):
        raise SettingsError(
            f"accelerators_file must be a path; got {own!r:.60}",
            code="bad-accelerators-file",
            argument="accelerators_file",
        )
    if own is not None:
        found |= {entry.id: entry for entry in _read(Path(own))}
    return list(found.values())


@cache
def _shipped() -> tuple[Accelerator, ...]:
    return _read(Path(__file__).parents[1] / "hardware" / "accelerators.toml")


def _read(path: Path) -> tuple[Accelerator, ...]:
    """The entries of a file."""
    try:
        text = path.read_text(encoding="utf-8")
        return _parse(Table(tomllib.loads(text), path.name, ""))
    except OSError as error:
        message = f"`{path.name}` cannot be read: {error.strerror or type(error).__name__}"
        raise SettingsError(message, code="bad-accelerators-file", argument="accelerators_file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path.name} is not TOML: {error}", code="bad-accelerators-file", argument="accelerators_file"
        ) from error
    except LawError as error:
        raise SettingsError(
            error.message,
            code="bad-accelerators-file",
            argument="accelerators_file",
            column=error.column,
            hint=error.hint,
        ) from error


def _parse(table: Table) -> tuple[Accelerator, ...]:
    version = table.take("schema", int)
    if version != SCHEMA:
        raise table.error("schema", f"is {version}; this scalefast reads {SCHEMA}")
    date = table.take("date", str)
    entries = tuple(_entry(entry, date) for entry in table.array("accelerator"))
    table.finish()
    return entries


def _entry(table: Table, date: str) -> Accelerator:
    def positive(name: str) -> float | None:
        if name not in table.values:
            table.known.append(name)
            return None
        value = table.number(name)
        if not 0 < value < float("inf"):
            raise table.error(name, f"must be a number above zero; got {value:g}")
        return value

    peak = positive("peak")
    if peak is None:
        table.number("peak")
    fields: dict[str, Any] = {
        "id": table.take("id", str),
        "peak": peak,
        "date": date,
        "source": table.take("source", str, "own table"),
        "aliases": tuple(str(alias) for alias in table.take("aliases", list, [])),
        "memory_gb": positive("memory_gb"),
        "power_w": positive("power_w"),
        "price": _price(table),
    }
    for name, default in (("family", None), ("format", "BF16"), ("price_date", None), ("note", None)):
        fields[name] = table.take(name, str, default)
    table.finish()
    return Accelerator(**fields)


def _price(table: Table) -> tuple[float, float] | None:
    value = table.take("price", list, None)
    if value is None:
        return None
    numbers = [entry for entry in value if isinstance(entry, int | float) and not isinstance(entry, bool)]
    if len(value) != 2 or len(numbers) != 2 or not 0 < numbers[0] <= numbers[1] < float("inf"):
        raise table.error("price", "needs the lowest and the highest dollars per hour, such as [2.0, 5.0]")
    return float(numbers[0]), float(numbers[1])
