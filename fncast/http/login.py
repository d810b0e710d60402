"""Authenticates browsers: a login form takes the token once, and a cookie replaces it from then on."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs

from fncast.http.guard import Guard, send_response

LOGIN = "/login"
COOKIE = "fncast"
COOKIE_S = 30 * 24 * 3600
MAX_FORM_BYTES = 4096  # the token and the name of its field
MAX_FORM_FIELDS = 4
FORM = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>fncast</title>
<h1>fncast</h1>{problem}
<form method="post" action="/login"><label>Token <input type="password" name="token" autofocus required></label>
<button>Log in</button></form></html>
"""


class Login(Guard):
    """A Guard for a page. It also accepts the session cookie that its form at /login sets.

    The cookie cannot be read by scripts. Its value is derived from the token and does not reveal it, so the server
    stores no sessions and a restart logs nobody out.
    """

    def __init__(self, app: Any, token: str) -> None:
        super().__init__(app, token)
        self._token = token
        self._session = hmac.new(token.encode(), b"fncast login", hashlib.sha256).hexdigest()

    def is_authenticated(self, scope: Any) -> bool:
        """Whether the request has the token or the session cookie."""
        session = self._session.encode()
        return super().is_authenticated(scope) or any(
            hmac.compare_digest(value, session) for value in _cookies(scope)
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == LOGIN and self.is_authenticated(scope):
            # A browser that is logged in has no use for the form.
            await send_response(send, 303, [(b"location", b"/")])
        else:
            await super().__call__(scope, receive, send)

    async def reject(self, scope: Any, receive: Any, send: Any) -> None:
        """Redirect the page to the form, serve the form or check it, and answer 401 elsewhere."""
        html = (b"content-type", b"text/html; charset=utf-8")
        if scope["path"] != LOGIN:
            if scope["method"] == "GET" and scope["path"] == "/":
                await send_response(send, 303, [(b"location", LOGIN.encode())])
            else:
                await super().reject(scope, receive, send)
        elif scope["method"] != "POST":
            await send_response(send, 200, [html], FORM.format(problem="").encode())
        elif await self._has_token(receive):
            await send_response(send, 303, [(b"location", b"/"), (b"set-cookie", self._cookie(scope))])
        else:
            form = FORM.format(problem="<p>Wrong token.</p>")
            await send_response(send, 401, [html], form.encode())

    async def _has_token(self, receive: Any) -> bool:
        """Whether the form in the request's body holds the token."""
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if event["type"] != "http.request" or len(body) > MAX_FORM_BYTES:
                return False
            if not event.get("more_body"):
                break
        try:
            form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MAX_FORM_FIELDS)
        except ValueError:  # too many fields
            return False
        given = form.get("token", [""])[0]
        return hmac.compare_digest(given.strip().encode(), self._token.encode())

    def _cookie(self, scope: Any) -> bytes:
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{COOKIE}={self._session}; Path=/; Max-Age={COOKIE_S}; HttpOnly; SameSite=Strict{secure}".encode()


def _cookies(scope: Any) -> list[bytes]:
    """The values of our cookie.

    http.cookies is not used: it stops at the first malformed pair. Browsers send the cookies of every port of a host,
    so other applications' malformed pairs arrive here.
    """
    pairs = b";".join(value for name, value in scope["headers"] if name == b"cookie").split(b";")
    named = (pair.strip().partition(b"=") for pair in pairs)
    return [value for name, _, value in named if name == COOKIE.encode()]
