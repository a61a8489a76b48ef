"""One table of a TOML file whose fields are taken one by one, so that what is left over is unknown.

Stage: reading of law files. In: a table as tomllib gives it. Out: checked values; a missing, unknown or ill-typed field
is a LawError that names the field and the nearest names. Standard library only.
"""

from __future__ import annotations

import math
from typing import Any

from scalefast._base.errors import LawError, ScalefastError
from scalefast._base.numbers import read_number
from scalefast._base.suggest import did_you_mean

__all__ = ["Table"]

_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "a table"}


class Table:
    """A table, the name of its file, and its path inside the file."""

    def __init__(self, values: dict[str, Any], where: str, path: str) -> None:
        self.values, self.where, self.path = values, where, path
        self.known: list[str] = []

    def error(self, name: str, message: str, code: str = "bad-field") -> LawError:
        return LawError(f"{self.where}: field `{self._full(name)}`: {message}", code=code, column=self._full(name))

    def take(self, name: str, kind: type, *default: Any) -> Any:
        self.known.append(name)
        if name not in self.values:
            if default:
                return default[0]
            near = did_you_mean(name, [key for key in self.values if key not in self.known], "other fields")
            raise LawError(
                f"{self.where}: field `{self._full(name)}` is missing",
                code="missing-field",
                column=self._full(name),
                hint=near if near.startswith("did you mean") else None,
            )
        value = self.values[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(name, f"needs {_KINDS[kind]}, not {value!r:.40}")
        return value

    def number(self, name: str) -> float:
        self.known.append(name)
        if name not in self.values:
            self.take(name, float)
        return self._number(name, self.values[name])

    def _number(self, name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.error(name, f"needs a number, not {value!r:.40}")
        if isinstance(value, str):
            try:
                return read_number(value)
            except ScalefastError as error:
                raise self.error(name, error.message) from error
        if math.isnan(value):
            raise self.error(name, "is not a number")
        return float(value)

    def interval(self, name: str) -> tuple[float, float] | None:
        value = self.take(name, list, None)
        if value is None:
            return None
        if len(value) != 2:
            raise self.error(name, "needs two numbers")
        low, high = self._number(name, value[0]), self._number(name, value[1])
        if not low < high:
            raise self.error(name, "needs its lower end first")
        return (low, high)

    def matrix(self, name: str) -> tuple[tuple[float, ...], ...] | None:
        value = self.take(name, list, None)
        if value is None:
            return None
        if any(not isinstance(row, list) or len(row) != len(value) for row in value):
            raise self.error(name, "needs a square matrix")
        return tuple(tuple(self._number(name, entry) for entry in row) for row in value)

    def strings(self) -> dict[str, str]:
        return {name: self.take(name, str) for name in self.values}

    def numbers(self) -> dict[str, float]:
        return {name: self.number(name) for name in self.values}

    def intervals(self) -> dict[str, tuple[float, float]]:
        found = {name: self.interval(name) for name in self.values}
        return {name: ends for name, ends in found.items() if ends is not None}

    def table(self, name: str, *, required: bool) -> Table | None:
        value = self.take(name, dict) if required else self.take(name, dict, None)
        return None if value is None else Table(value, self.where, self._full(name))

    def tables(self, name: str) -> list[tuple[str, Table]]:
        outer = Table(self.take(name, dict), self.where, self._full(name))
        return [(key, Table(outer.take(key, dict), self.where, outer._full(key))) for key in outer.values]

    def array(self, name: str) -> list[Table]:
        value = self.take(name, list, [])
        for entry in value:
            if not isinstance(entry, dict):
                raise self.error(name, "needs tables")
        return [Table(entry, self.where, f"{self._full(name)}[{i}]") for i, entry in enumerate(value)]

    def finish(self) -> None:
        """Refuse every field that nobody took."""
        for name in self.values:
            if name not in self.known:
                raise LawError(
                    f"{self.where}: unknown field `{self._full(name)}`",
                    code="unknown-field",
                    column=self._full(name),
                    hint=did_you_mean(name, self.known, "fields"),
                )

    def _full(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
