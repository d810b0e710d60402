"""Messages for a person, on stderr: stdout is for data."""

from __future__ import annotations

import sys
from collections.abc import Sequence

SHOWN_SERIES = 3  # names of series in a message


def say(text: str) -> None:
    """Print a message on stderr."""
    print(text, file=sys.stderr, flush=True)


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN_SERIES} more" if len(names) > SHOWN_SERIES else ""
    return ", ".join(names[:SHOWN_SERIES]) + more
