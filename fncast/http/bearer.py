"""Bearer tokens: in a file, and in an `Authorization` header (RFC 6750)."""

from __future__ import annotations

import hmac
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


def is_bearer(credentials: bytes, token: bytes) -> bool:
    """Whether the header's value is `Bearer <token>`. The scheme may be in any case (RFC 9110, section 11.1)."""
    scheme, _, given = credentials.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(b" "), token)
