"""Tokens in an `Authorization` field (RFC 6750)."""

from __future__ import annotations

import hmac


def is_bearer(given: bytes, token: bytes) -> bool:
    """Whether `given` is the scheme Bearer, in any case (RFC 9110, 11.1), and `token`."""
    scheme, _, credentials = given.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(credentials.strip(b" "), token)
