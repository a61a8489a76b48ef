"""Options that describe a transformer, shared by the commands that count or search shapes.

In: numbers as typed, such as 32k. Out: whole numbers by the names of the library's arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from scalefast import SettingsError, units

from . import options

POSITIONS = ("rotary", "learned", "relative")
COUNTS = ("total", "non-embedding", "active")


def read_whole(text: str, what: str) -> int:
    """A whole number above zero, such as 128 or 32k."""
    value = units.read_positive(text, what)
    if value != int(value):
        raise SettingsError(f"{what}: {value:g} is not a whole number", code="bad-number", value=value)
    return int(value)


WHOLE = options.Reader("NUMBER", read_whole)


def kind_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What shapes of every size have in common: context, positions, biases, experts, gates, tied embeddings."""
    for add in (
        click.option(
            "--active-experts", type=WHOLE, default="1", show_default=True, help="Experts that a token passes."
        ),
        click.option("--experts", type=WHOLE, default="1", show_default=True, help="Experts of a layer; 1 is dense."),
        click.option("--biases", is_flag=True, help="Linear maps and normalisations have biases."),
        click.option(
            "--positions",
            type=click.Choice(POSITIONS),
            default="rotary",
            show_default=True,
            help="rotary: without parameters; learned: a table; relative: one more projection a layer.",
        ),
        click.option("--tied/--untied", default=False, show_default=True, help="One matrix embeds and unembeds."),
        click.option(
            "--gated/--ungated", default=True, show_default=True, help="Three matrices in a feed-forward, or two."
        ),
        click.option("--kv-heads", type=WHOLE, help="Heads of keys and values. Default: as many as heads."),
        click.option("--context", type=WHOLE, default="2048", show_default=True, help="Tokens of a training sequence."),
        click.option("--vocabulary", type=WHOLE, help="Tokens of the embedding, such as 32k or 128256."),
    ):
        command = add(command)
    return command


def size_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The sizes of one shape."""
    for add in (
        click.option("--head-size", type=WHOLE, help="Default: width / heads."),
        click.option("--feed-forward", type=WHOLE, help="Inner size of a feed-forward. Default: 4 * width."),
        click.option("--heads", type=WHOLE, help="Attention heads."),
        click.option("--width", type=WHOLE, help="Size of the residual stream (d_model)."),
        click.option("--layers", type=WHOLE, help="Blocks."),
    ):
        command = add(command)
    return command
