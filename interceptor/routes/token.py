"""Reads a bearer token from a file. Routes, the Fn server and fncast's own listeners use it."""

from __future__ import annotations

from pathlib import Path


def read_token(file: Path) -> str:
    """Return the token in the file. Raises OSError or ValueError; neither message shows the content."""
    try:
        token = file.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not a text file in UTF-8") from None
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise ValueError(f"{file} holds no token: write one line of ASCII letters, digits and signs")
    return token
