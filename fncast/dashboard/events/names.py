"""Shortens names from events, so that they can be stored and shown."""

from __future__ import annotations

import hashlib

from fncast.foreign_text import clean

# Characters of a name that the page shows.
MAX_NAME = 120
_DIGEST_DIGITS = 8


def shown_name(text: str) -> str:
    """A printable name of at most MAX_NAME characters. Different names stay different: a cut name ends in a digest."""
    if len(text) <= MAX_NAME and text.isprintable():
        return text
    suffix = f" #{_digest(text)[:_DIGEST_DIGITS]}"
    return clean(text, MAX_NAME - len(suffix)) + suffix


def short_key(text: str) -> str:
    """A key of at most MAX_NAME characters that identifies `text`."""
    return text if len(text) <= MAX_NAME else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
