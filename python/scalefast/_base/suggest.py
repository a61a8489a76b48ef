"""Near misses: the names closest to one that does not exist.

Stage: error messages. In: a name and the names that exist. Out: a hint. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

__all__ = ["did_you_mean", "likeness", "listing", "nearest"]

#: Names shown before a list is cut short.
_SHOWN = 12


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """At most `count` of the `known` names, the most similar first; letter case does not matter."""
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.lower(), candidate)
    return [folded[match] for match in get_close_matches(name.lower(), folded, n=count, cutoff=0.5)]


def likeness(name: str, known: Iterable[str]) -> float:
    """How similar the nearest of the `known` names is: 1 for the same name, 0 for nothing in common."""
    return max((SequenceMatcher(None, name.lower(), option.lower()).ratio() for option in known), default=0.0)


def did_you_mean(name: str, known: Iterable[str], what: str = "known names") -> str:
    """A hint: the nearest names where some are near, else what exists."""
    options = list(known)
    near = nearest(name, options)
    if near:
        return "did you mean " + " or ".join(f"`{option}`" for option in near) + "?"
    if not options:
        return f"there are no {what}"
    by_likeness = sorted(options, key=lambda option: -SequenceMatcher(None, name.lower(), option.lower()).ratio())
    return f"{what}: {listing(by_likeness)}"


def listing(names: Iterable[str]) -> str:
    """Names in backquotes, cut short with a count where there are many."""
    options = list(names)
    shown = ", ".join(f"`{option}`" for option in options[:_SHOWN])
    return shown if len(options) <= _SHOWN else f"{shown} and {len(options) - _SHOWN} more"
