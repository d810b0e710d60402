"""Names from events, made short enough to keep and to show."""

from __future__ import annotations

import hashlib

from fncast.foreign_text import clean

# As many characters as a page shows of a name.
MAX_NAME = 120
_DIGEST_DIGITS = 8


def shown_name(text: str) -> str:
    """A printable name of at most MAX_NAME characters. Names that differ only in what is cut stay different."""
    if len(text) <= MAX_NAME and text.isprintable():
        return text
    suffix = f" #{_digest(text)[:_DIGEST_DIGITS]}"
    return clean(text, MAX_NAME - len(suffix)) + suffix


def short_key(text: str) -> str:
    """A text that identifies `text` in a table and takes at most MAX_NAME characters of memory."""
    return text if len(text) <= MAX_NAME else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
