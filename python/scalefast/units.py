"""Numbers as people write them (`70B`, `1e20..1e26:61`) and as tables show them: the public names.

Stage: before and after everything else. In and out: see each function. Standard library only.
"""

from scalefast._base.numbers import (
    format_count,
    format_flops,
    format_loss,
    read_budget,
    read_dollars,
    read_energy,
    read_grid,
    read_number,
    read_positive,
)

__all__ = [
    "format_count",
    "format_flops",
    "format_loss",
    "read_budget",
    "read_dollars",
    "read_energy",
    "read_grid",
    "read_number",
    "read_positive",
]
