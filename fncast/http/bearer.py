"""Bearer tokens in an `Authorization` header (RFC 6750)."""

from __future__ import annotations

import hmac


def is_bearer(credentials: bytes, token: bytes) -> bool:
    """Whether the header's value is `Bearer <token>`. The scheme may be in any case (RFC 9110, section 11.1)."""
    scheme, _, given = credentials.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(b" "), token)
