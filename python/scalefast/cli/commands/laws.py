"""`scalefast laws`: the catalogue, one law in full, and the check of a law file.

In: filters, an id, or a law file. Out: one row per law; the facts about one law; one row a check value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from scalefast import LawError

from .. import errors, options, output

if TYPE_CHECKING:
    import polars as pl

    import scalefast as sf


@click.group(
    invoke_without_command=True,
    epilog=options.examples("scalefast laws", "scalefast laws --filter form=chinchilla --format json"),
)
@click.option(
    "--filter",
    "filters",
    metavar="TEXT",
    multiple=True,
    help="Only laws with this text anywhere, or COLUMN=TEXT in one column: form=kaplan-n. Repeatable: all must hold.",
)
@options.output_options
@click.pass_context
def laws(ctx: click.Context, filters: tuple[str, ...], to: output.Destination) -> None:
    """List, show and check laws.

    Lists the functional forms that come with scalefast and their published sets of parameters. A form (`chinchilla`)
    is to be fitted; a set (`hoffmann-2022`) predicts and plans.
    """
    if ctx.invoked_subcommand is not None:
        return
    import scalefast as sf

    frame = sf.laws()
    for text in filters:
        frame = matching(frame, text)
    if frame.height == 0:
        output.warn("no law matches; `scalefast laws` lists them all")
    output.write_frame(frame, to, table=lambda: for_people(frame))


def for_people(frame: pl.DataFrame) -> pl.DataFrame:
    """The table on a terminal: the formula of a form, and below it who published numbers, of which N, how sure they are.

    A set whose form a filter has taken away shows the formula too. Machine formats have every column.
    """
    import polars as pl

    forms = set(frame.filter(pl.col("id") == pl.col("form"))["id"])
    ids, texts = [], []
    for row in frame.iter_rows(named=True):
        form, below = row["id"] == row["form"], row["form"] in forms
        ids.append(row["id"] if form or not below else f"  {row['id']}")
        texts.append(row["formula"] if form else numbers_of(row) if below else f"{row['formula']}; {numbers_of(row)}")
    return pl.DataFrame({"id": ids, "formula, or whose numbers": texts})


def numbers_of(row: dict[str, Any]) -> str:
    """Authors and year of a set, what its N counts, and how far it can be trusted."""
    authors = str(row["source"]).rpartition(", arXiv")[0]
    known = {None: "constants unpublished", "none": ""}.get(row["uncertainty"], f"with {row['uncertainty']}")
    return "; ".join(filter(None, (f"{authors} {row['year']}", f"N {row['n_definition']}", row["confidence"], known)))


def matching(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    """Rows with `text` in any column, or `column=text` in one; letter case does not matter."""
    import polars as pl

    name, equals, value = text.partition("=")
    chosen = [name] if equals and name in frame.columns else frame.columns
    wanted = (value if chosen == [name] else text).lower()
    holds = [pl.col(column).cast(pl.String).str.to_lowercase().str.contains(wanted, literal=True) for column in chosen]
    return frame.filter(pl.any_horizontal(holds))


@laws.command(
    epilog=options.examples("scalefast laws show hoffmann-2022", "scalefast laws show chinchilla --format json")
)
@click.argument("law", metavar="ID", shell_complete=options.complete_law)
@options.output_options
def show(law: str, to: output.Destination) -> None:
    """Show one law: formula, parameters, units, source, range of the data, errata.

    ID is an id of `scalefast laws`, or a law file.
    """
    import scalefast as sf

    found = sf.law(law)
    if not found.id:
        raise not_an_id(law)
    output.write_fields(described(found), to)


def described(law: sf.Law) -> dict[str, Any]:
    """Everything that is known of a law, without what is empty."""
    published, source = law.published, law.source
    fields: dict[str, Any] = {
        "id": law.id,
        "title": law.title,
        "formula": law.formula,
        "definitions": law.definitions,
        "outputs": {name: meaning_of(entry) for name, entry in law.form.meanings.items()},
        "latex": law.latex,
        "variables": {name: meaning_of(entry) for name, entry in law.variables.items()},
        "parameters": law.parameters if law.values else list(law.parameters),
        "std_error": law.std_error,
        "bounds": {name: f"{low:g}..{high:g}" for name, (low, high) in law.bounds.items()},
        "cost": law.cost,
        "recipe": f"{law.recipe.residual} residual, {law.recipe.loss}" if law.recipe else None,
        "fitted_range": {name: list(ends) for name, ends in law.fitted_range.items()},
        "uncertainty": law.uncertainty,
    }
    if published is not None:
        for name in (
            "n_definition",
            "flop_rule",
            "corpus",
            "tokeniser",
            "method",
            "confidence",
            "rounded",
            "errata",
            "caution",
        ):
            fields[name] = getattr(published, name)
    else:
        fields["sets"] = law.sets
        fields["used_without_values_by"] = [entry.id for entry in law.form.published if not entry.values]
    if source is not None:
        # What a user fitted has no source of its own; its form has.
        of_form = published is not None and published.source is None and published.confidence == "own"
        fields["source_of_the_form" if of_form else "source"] = ", ".join(
            filter(None, (source.authors, str(source.year), source.title, f"arXiv {source.arxiv}", source.place))
        )
    return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}


def meaning_of(variable: sf.Variable) -> str:
    """What a variable counts, by which definition, in which unit where it has one."""
    definition = f" ({variable.definition})" if variable.definition else ""
    if not variable.meaning:
        return variable.unit + definition
    unit = "" if variable.unit in ("1", "any") else f", in {variable.unit}"
    return f"{variable.meaning}{definition}{unit}"


@laws.command(epilog=options.examples("scalefast laws check chinchilla", "scalefast laws check kaplan-n --format json"))
@click.argument("file", metavar="FILE")
@options.output_options
def check(file: str, to: output.Destination) -> None:
    """Check a law file: its fields, its formula, and the check values of its published sets.

    FILE is a law file (.toml), or the id of a law that comes with scalefast. Notes say what the file leaves out and what
    that takes away. Ends with 2 when the file is wrong, with 1 when a check value is not met.
    """
    import polars as pl

    import scalefast as sf

    form = sf.law(file)
    if not form.id:
        raise not_an_id(file)
    prefix = f"{file}#" if file.endswith(".toml") else f"{form.form.id}/"
    tables = [sf.check_law(sf.law(prefix + name)).select(pl.lit(name).alias("set"), pl.all()) for name in form.sets]
    output.note(f"{form.title}: {form.formula}; published sets: {', '.join(form.sets) or 'none'}", to)
    for line in left_out(form):
        output.note(line, to)
    if not tables:
        return
    checks = pl.concat(tables)
    output.write_frame(checks, to)
    failed = checks.height - int(checks["ok"].sum())
    if failed:
        raise errors.CheckFailed(f"{failed} of {checks.height} check values are not met")


def left_out(law: sf.Law) -> Iterator[str]:
    """What a law file may leave out and does, each with what it would be good for."""
    form, of_loss = law.form, list(law.outputs) == ["L"]
    if form.source is None and not (form.published and all(entry.source for entry in form.published)):
        yield "no [source]: readers cannot look the law up"
    if of_loss and form.cost is None and len(law.variables) > 1:
        yield "no cost: sweeps ask for one, --cost '6*N*D'"
    if len(law.outputs) == 1 and form.recipe is None:
        yield "no [fit]: fits take the identity residual and least squares"
    unclear = [name for name, entry in law.variables.items() if not entry.meaning]
    unclear += [name for name, entry in form.parameters.items() if not entry.meaning]
    unclear += [name for name in law.outputs if name not in form.meanings and not of_loss]
    if unclear:
        yield f"no meaning of {', '.join(unclear)}"
    if not form.published:
        yield "no [[published]]: the law has no values, and is to be fitted"
    for entry in form.published:
        if entry.values and not entry.checks:
            yield f"{entry.id}: no checks, so nothing tells a slip of the pen"
        if entry.values and not entry.fitted_range:
            yield f"{entry.id}: no fitted_range, so sweeps cannot tell how far outside the data a budget lies"
        if not entry.method:
            yield f"{entry.id}: no method"


def not_an_id(text: str) -> LawError:
    """The text is a formula, which has nothing to show or check."""
    return LawError(
        f"{errors.quoted(text)} is neither a law's id nor a law file", code="unknown-law", hint="see `scalefast laws`"
    )
