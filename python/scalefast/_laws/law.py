"""A law: a form and, where it is published or fitted, the values of its parameters.

Stage: after the catalogue, before fits and sweeps. In: a form with values. Out: `Law`, an immutable value that predicts.
Variables are columns (N parameters, D tokens, C FLOPs, …), outputs are columns too (L nats per token, or N and D of a
frontier).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalefast._base.errors import LawError
from scalefast._base.suggest import did_you_mean, listing
from scalefast._forms.form import LawFile, Published, Recipe, Source, Variable

if TYPE_CHECKING:
    import polars as pl

    from scalefast._core import System
    from scalefast._laws.intervals import Interval

__all__ = ["Law", "complete_values"]


@dataclass(frozen=True)
class Law:
    """A law: its form and, where it is published or fitted, the values of its parameters.

    Values compare by form and numbers. Use `sf.law(...)` to get one.

    Attributes
    ----------
    form
        The formula, its variables and its parameters, as a law file says them.
    published
        The published set that the values come from, or None.
    values
        Value of each parameter, or None for a form alone.
    id
        Name in the catalogue, or of the file; empty for a typed formula.
    folder
        Folder of the law file, where its draws lie.
    observed_range
        Range of each variable in the runs that the law was fitted to, or None.
    own_draws
        Draws of the parameters from a fit, or None.
    """

    form: LawFile
    published: Published | None = None
    values: Mapping[str, float] | None = None
    id: str = ""
    folder: Path | None = field(default=None, compare=False)
    observed_range: Mapping[str, tuple[float, float]] | None = field(default=None, compare=False)
    own_draws: pl.DataFrame | pl.LazyFrame | None = field(default=None, compare=False, repr=False)

    @property
    def title(self) -> str:
        """What the form describes, in words."""
        return self.form.title

    @property
    def formula(self) -> str:
        """The formula as written, behind the definitions that were typed; `name = formula; …` for several outputs."""
        outputs = self.form.outputs
        if list(outputs) != ["L"]:
            return "; ".join(f"{name} = {text}" for name, text in outputs.items())
        return "; ".join([*(f"{name} = {text}" for name, text in self.form.typed.items()), outputs["L"]])

    @property
    def definitions(self) -> dict[str, str]:
        """Named intermediate formulas, in order."""
        return dict(self.form.definitions)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what the law gives: `("L",)`, or several."""
        return tuple(self.form.outputs)

    @property
    def variables(self) -> dict[str, Variable]:
        """The symbols that come from data, with unit and definition."""
        return dict(self.form.variables)

    @property
    def measured(self) -> list[str]:
        """The variables that columns are bound to: all but those that mark the levels of `per=`."""
        return [name for name, entry in self.form.variables.items() if not entry.column]

    @property
    def parameters(self) -> dict[str, float | None]:
        """The parameters with their values; None where the law has not been fitted."""
        values = self.values or {}
        return {name: values.get(name) for name in self.form.parameters}

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Bounds of the parameters that have any."""
        return {name: entry.bounds for name, entry in self.form.parameters.items() if entry.bounds is not None}

    @property
    def std_error(self) -> dict[str, float]:
        """Published standard errors."""
        return dict(self.published.std_error) if self.published else {}

    @property
    def recipe(self) -> Recipe | None:
        """Residual and loss that the form is fitted with unless told otherwise."""
        return self.form.recipe

    @property
    def source(self) -> Source | None:
        """Where the numbers, else the form, were published."""
        return (self.published.source if self.published else None) or self.form.source

    @property
    def cost(self) -> str | None:
        """Formula of the training FLOPs, or None where the law declares none."""
        return self.form.cost

    @property
    def fitted_range(self) -> dict[str, tuple[float, float]]:
        """Range of each variable, and of C, in the data that the values come from."""
        return dict(self.published.fitted_range if self.published else self.observed_range or {})

    @property
    def uncertainty(self) -> str:
        """`draws`, `covariance`, `std_error` or `none`: the best description of uncertainty that comes with the values."""
        if self.own_draws is not None:
            return "draws"
        if self.published is None:
            return "none"
        if self.published.draws is not None:
            return "draws"
        if self.published.covariance is not None:
            return "covariance"
        return "std_error" if self.published.std_error else "none"

    @property
    def sets(self) -> list[str]:
        """Ids of the published sets of the form, those without values left out."""
        return [published.id for published in self.form.published if published.values]

    @cached_property
    def draws(self) -> pl.DataFrame | None:
        """Draws of the parameters, stored or of a resampled fit: one row each, a column for every parameter; or None."""
        if self.own_draws is not None:
            from scalefast._data.drawsfile import read_stored

            return read_stored(self.own_draws)
        if self.published is None or self.published.draws is None or self.folder is None:
            return None
        from scalefast._data.frames import read_draws

        return read_draws(self.folder / self.published.draws, list(self.form.parameters))

    @cached_property
    def latex(self) -> str:
        """The formula as LaTeX: a line for each output, then one for each definition, joined by `\\\\`."""
        from scalefast._core import System

        lines = {**self.form.outputs, **self.form.definitions}
        # Each line is parsed alone, so that definitions stand in it by name.
        sides = [System.parse([("left", name), ("right", text)], []) for name, text in lines.items()]
        return r" \\ ".join(f"{side.latex('left')} = {side.latex('right')}" for side in sides)

    def predict(
        self,
        points: Any,
        *,
        columns: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
        threads: int | None = None,
        interval: Interval | None = None,
        level: float = 0.90,
    ) -> pl.DataFrame:
        """The points with the law's outputs added as columns (`L` in nats per token).

        `points` is any frame or a dict of arrays or numbers; columns named as parameters override the law's values row
        by row. Null or NaN inputs give null or NaN outputs. Raises DataError for columns that cannot be bound, LawError
        (`no-values`) for parameters that have no value.

        `interval="confidence"` adds L_lower and L_upper, percentiles over the law's draws at `level`; SettingsError
        (`no-draws`) where it has none, and `no-scatter` for the intervals of runs, which `Fit.predict` knows.

        >>> import scalefast as sf
        >>> round(sf.law("hoffmann-2022").predict({"N": 70e9, "D": 1.4e12})["L"][0], 5)
        1.92085
        """
        from scalefast._laws.evaluate import predict

        found = predict(self.form, self.system, self.values, points, columns=columns, units=units, threads=threads)
        if interval is None:
            return found
        from scalefast._laws.intervals import add_interval, of_draws

        known = of_draws(self.form, self.system, self.values, self.draws, self.id, level)
        return add_interval(known, found, interval, columns, units, value="L")

    def expr(self, columns: Mapping[str, str | pl.Expr] | None = None, output: str | None = None) -> pl.Expr:
        """The formula as a Polars expression, for lazy frames.

        `columns` maps variables (and parameters, where columns hold them) to column names or expressions; what it leaves
        out is taken from columns of the same name and from the law's values. `output` is needed where there are several.

        >>> import scalefast as sf, polars as pl
        >>> points = pl.LazyFrame({"n_params": [70e9], "D": [1.4e12]})
        >>> points.select(sf.law("hoffmann-2022").expr({"N": "n_params"}).round(5)).collect().item()
        1.92085
        """
        from scalefast._laws.expression import law_expression

        return law_expression(self.form, self.system, self.values, columns or {}, output)

    def at_level(self, **levels: Any) -> Law:
        """The plain law of one level, for a law fitted with `per=`: its shared parameters and those of the level.

        Predicts, sweeps and plans like any law; draws come along, the fitted range is that of all levels. Raises LawError:
        `no-levels`, `unknown-column`, `level-unsaid`, `unknown-level`.

        >>> import scalefast as sf
        >>> x = [1.0, 2.0, 3.0, 4.0] * 2
        >>> loss = [1.5 + v for v in x[:4]] + [2.5 + v for v in x[4:]]
        >>> runs = {"x": x, "L": loss, "corpus": ["c4"] * 4 + ["rpj"] * 4}
        >>> fit = sf.fit(runs, "E + b*x", columns={"x": "x"}, per={"E": "corpus"})
        >>> {name: round(value, 9) for name, value in fit.law.at_level(corpus="rpj").parameters.items()}
        {'E': 2.5, 'b': 1.0}
        """
        return at_level(self, levels)

    def with_form(self, form: LawFile) -> Law:
        """Another form under the same id, without values."""
        return Law(form, None, None, self.id)

    def with_values(
        self,
        values: Mapping[str, float],
        observed_range: Mapping[str, tuple[float, float]] | None = None,
        draws: pl.DataFrame | pl.LazyFrame | None = None,
    ) -> Law:
        """The same form with other values of all its parameters, the range of the data that they come from, and draws."""
        complete = complete_values(self.form, values)
        return Law(self.form, None, complete, observed_range=observed_range, own_draws=draws)

    @cached_property
    def system(self) -> System:
        """The formulas, parsed, as the core takes them."""
        from scalefast._core import System

        return System.parse(list(self.form.outputs.items()), list(self.form.definitions.items()))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "system"}

    def __hash__(self) -> int:
        return hash((self.formula, self.id, tuple(sorted((self.values or {}).items()))))

    def __repr__(self) -> str:
        name = self.id or self.formula
        values = ", ".join(f"{key}={value:.6g}" for key, value in (self.values or {}).items())
        free = f"parameters {', '.join(self.form.parameters)}"
        return f"Law({name!r}, variables {', '.join(self.form.variables)}, {values or free})"


def complete_values(form: LawFile, values: Mapping[str, float]) -> dict[str, float]:
    """`values` in the order of the form. Raises LawError for unknown and for missing names."""
    for name in values:
        if name not in form.parameters:
            hint = did_you_mean(name, form.parameters, "parameters")
            raise LawError(f"the law has no parameter `{name}`", code="unknown-parameter", column=name, hint=hint)
    missing = [name for name in form.parameters if name not in values]
    if missing:
        raise LawError(f"no value for {listing(missing)}", code="no-values", column=missing[0])
    return {name: float(values[name]) for name in form.parameters}


def at_level(law: Law, chosen: Mapping[str, Any]) -> Law:
    """See `Law.at_level`."""
    import polars as pl

    from scalefast._data.levels import level_columns

    form, columns = law.form, level_columns(law.form)
    if not columns:
        raise LawError("the law has no parameters that differ by level", code="no-levels", hint="sf.fit(..., per=...)")
    for column in chosen:
        if column not in columns:
            hint = did_you_mean(column, columns, "columns")
            raise LawError(f"no parameter differs by `{column}`", code="unknown-column", column=column, hint=hint)
    for column, levels in columns.items():
        if column not in chosen:
            hint = f"law.at_level({column}=...) takes one of {listing(levels)}"
            raise LawError(f"which level of `{column}`?", code="level-unsaid", column=column, hint=hint)
        if _text(chosen[column]) not in levels:
            hint = did_you_mean(_text(chosen[column]), levels, "levels")
            raise LawError(
                f"`{column}` has no level {chosen[column]!r:.60}", code="unknown-level", column=column, hint=hint
            )
    here = {f"{column}={_text(level)}" for column, level in chosen.items()}
    kept = {name: entry for name, entry in form.parameters.items() if not entry.level or entry.level in here}
    bases = {entry.of for entry in form.parameters.values() if entry.of}
    plain = replace(
        form,
        definitions={name: text for name, text in form.definitions.items() if name not in bases},
        variables={name: entry for name, entry in form.variables.items() if not entry.column},
        parameters={entry.of or name: replace(entry, of="", level="") for name, entry in kept.items()},
        published=(),
    )
    names = {name: entry.of or name for name, entry in kept.items()}
    title = f"{law.id or form.id or 'law'}[{', '.join(_text(chosen[column]) for column in columns)}]"
    ranges = {name: ends for name, ends in law.fitted_range.items() if name in plain.variables or name == "C"}
    values = None if law.values is None else {to: law.values[name] for name, to in names.items()}
    return replace(
        law.with_form(plain),
        published=None if law.published is None else _published_at(law.published, form, title, names, ranges),
        values=values,
        id=title,
        observed_range=ranges,
        own_draws=None if law.draws is None else law.draws.select(pl.col(name).alias(to) for name, to in names.items()),
    )


def _published_at(
    whole: Published, form: LawFile, title: str, names: Mapping[str, str], ranges: Mapping[str, tuple[float, float]]
) -> Published:
    """The part of a set that is about one level: values, errors and covariance of its parameters."""
    order = list(form.parameters)
    places = [order.index(name) for name in names]
    covariance = whole.covariance
    return replace(
        whole,
        id=title,
        values={to: whole.values[name] for name, to in names.items()},
        std_error={to: whole.std_error[name] for name, to in names.items() if name in whole.std_error},
        covariance=None if covariance is None else tuple(tuple(covariance[i][j] for j in places) for i in places),
        draws=None,
        fitted_range=ranges,
        checks=(),
    )


def _text(level: Any) -> str:
    """A level as Polars writes it."""
    return str(level).lower() if isinstance(level, bool) else str(level)
