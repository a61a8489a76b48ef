"""How fits and questions end, each name once on the side of Python.

In: nothing. Out: the texts that stand in columns called `status`; the core gives them, and here they are compared with.
Standard library only.
"""

from __future__ import annotations

__all__ = [
    "AT_BOUND",
    "CONSTANT_RESPONSE",
    "CONVERGED",
    "INFEASIBLE",
    "INTERIOR",
    "INTERRUPTED",
    "NOT_REACHED",
    "NO_FINITE_OPTIMUM",
    "UNBOUNDED",
    "UNCONFIRMED",
    "USABLE",
]

#: Of a fit, a start or a replicate: at an optimum, inside of its bounds or at one of them.
CONVERGED, AT_BOUND = "converged", "at-bound"
#: Of a fit or a group: at an optimum that too few independent starts found; the objective falls towards parameters at
#: infinity, or cannot tell them from there.
UNCONFIRMED, UNBOUNDED = "unconfirmed", "unbounded"
#: Of a fit or a group: the response never changes.
CONSTANT_RESPONSE = "constant-response"
#: Those whose parameters count.
USABLE = (CONVERGED, AT_BOUND)
#: Of a start or a group: not come to before the call was ended.
INTERRUPTED = "interrupted"
#: Of the best split of a budget: inside of its bounds (at one of them it is `AT_BOUND`); nothing within the bounds costs the
#: budget; the loss falls for ever; not come to before the sweep was ended.
INTERIOR, INFEASIBLE, NO_FINITE_OPTIMUM, NOT_REACHED = "interior", "infeasible", "no-finite-optimum", "not-reached"
