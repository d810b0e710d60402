"""Shows a wrong JSON value in the message of an error."""

from __future__ import annotations

MAX_SHOWN = 60  # characters


def short_value(value: object) -> str:
    """A value as Python writes it, true and false as in JSON, cut after MAX_SHOWN characters."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
