"""The error of a file that cannot be read as series."""

from __future__ import annotations

# How much of a wrong cell a message shows.
MAX_SHOWN = 60


class CsvError(ValueError):
    """A file that cannot be read as series: the text names file, line and value, and how to fix it."""


def shown(text: str) -> str:
    """`text` in quotes for a message: cut, and without control characters."""
    return repr(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…")


def listed(names: list[str], most: int = 10) -> str:
    """Names in quotes for a message; of many only the first."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown(name) for name in names[:most]) + more
