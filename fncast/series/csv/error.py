"""The error of a file that cannot be read as series."""

from __future__ import annotations

from fncast.foreign_text import CUT, clean

# Characters of a wrong cell in a message.
MAX_SHOWN = 60
# Characters of a message: a header may have 10,000 names.
MAX_MESSAGE = 1000


class CsvError(ValueError):
    """A file cannot be read as series. The text names file, line and value, and how to fix it."""

    def __init__(self, text: str) -> None:
        super().__init__(clean(text, MAX_MESSAGE))


def quoted(text: str) -> str:
    """`text` in quotes for a message: shortened, and without control characters."""
    return repr(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - len(CUT)] + CUT)


def quoted_list(names: list[str], most: int = 10) -> str:
    """The first `most` names in quotes, for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(quoted(name) for name in names[:most]) + more
