"""Writes counts with nouns that agree with them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A count and its noun: `1 reading`, `1,200 readings`. noun: in the singular; its plural ends in `s`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
