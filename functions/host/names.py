"""The names of apps, functions and triggers, as Fn server 0.3.753 checks them."""

from __future__ import annotations

MAX_NAME_CHARACTERS = 255
MARKS = "_-"


def is_name(text: str) -> bool:
    """Whether Fn accepts the text as a name: letters, digits, `_` and `-`, at most MAX_NAME_CHARACTERS."""
    return 0 < len(text) <= MAX_NAME_CHARACTERS and all(
        letter.isalpha() or letter.isnumeric() or letter in MARKS for letter in text
    )


def app_name(text: str) -> str:
    """The name of an app, for a flag. Raises ValueError."""
    if not is_name(text):
        raise ValueError(
            f"must be letters, digits, `_` and `-`, at most {MAX_NAME_CHARACTERS}, not {text[:80]!r}"
        )
    return text
