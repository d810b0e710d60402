"""Removes a route's secrets from text that its function returned.

A function may echo what it was sent, and its text goes to dead letters, logs and the live page.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from urllib.parse import unquote, unquote_plus, urlsplit

from interceptor.routes.route import Route

MARK = "…"
# Shorter pieces of a URL's user info and query are not treated as secrets: removing them would make texts unreadable.
MIN_SECRET_CHARACTERS = 4


def redacted(text: str, route: Route) -> str:
    """Return `text` without the route's token and its URL's user info and query.

    Call this before the text is cut: the pattern does not match half a secret.
    """
    pattern = _pattern(route)
    return pattern.sub(MARK, text) if pattern else text


@lru_cache
def _pattern(route: Route) -> re.Pattern[str] | None:
    secrets = {route.token}
    try:
        parts = urlsplit(route.target)
    except ValueError:
        parts = urlsplit("")
    user_info = parts.netloc.rpartition("@")[0]
    user, _, password = user_info.partition(":")
    basic = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()  # the HTTP header's form
    secrets |= {user_info, unquote(user_info), parts.query, unquote_plus(parts.query)}
    pieces = [basic, user, password, *(pair.partition("=")[2] for pair in parts.query.split("&"))]
    for piece in pieces if user_info or parts.query else ():
        forms = (piece, unquote(piece), unquote_plus(piece))
        secrets |= {form for form in forms if len(form) >= MIN_SECRET_CHARACTERS}
    longest_first = sorted(secrets - {""}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
