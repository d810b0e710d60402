"""A bearer token in a file: of routes, of the Fn server, of fncast's own listeners."""

from __future__ import annotations

from pathlib import Path


def read_token(file: Path) -> str:
    """What the file holds. Raises OSError, or ValueError; neither shows what the file holds."""
    try:
        token = file.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{file} is no text") from None
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise ValueError(f"{file} holds no token: one line of ASCII letters, digits and signs is needed")
    return token
