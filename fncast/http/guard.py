"""Lets in who holds the token: programs by `Authorization: Bearer`, browsers by a login and its cookie."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs

from fncast.http.bearer import is_bearer

# Health checks say whether a process is well, and come from where no secret should be.
PUBLIC = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
LOGIN = "/login"
COOKIE = "fncast"
COOKIE_S = 30 * 24 * 3600
MAX_FORM_BYTES = 4096  # a token and its field's name
SECURITY_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; form-action 'self'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
FORM = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>fncast</title>
<h1>fncast</h1>{problem}
<form method="post" action="/login"><label>Token <input type="password" name="token" autofocus required></label>
<button>Log in</button></form></html>
"""


class Guard:
    """An ASGI application around another. Answers 401 to requests without the token, but for health checks."""

    def __init__(self, app: Any, token: str) -> None:
        self._app = app
        self._expected = token.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] in PUBLIC or self.is_let_in(scope):
            await self._app(scope, receive, send)
        else:
            await self.refuse(scope, receive, send)

    def close_streams(self) -> None:
        """End the application's streams, where it has such."""
        if close := getattr(self._app, "close_streams", None):
            close()

    def is_let_in(self, scope: Any) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and is_bearer(given[0], self._expected)

    async def refuse(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/plain"), (b"www-authenticate", b"Bearer")]
        await _answer(send, 401, headers, b"a bearer token is needed\n")


class Login(Guard):
    """A Guard that also takes the token once in a form at /login, and then a cookie that scripts cannot read."""

    def __init__(self, app: Any, token: str) -> None:
        super().__init__(app, token)
        self._token = token
        # Follows from the token, so that a restart logs nobody out, and does not tell it.
        self._session = hmac.new(token.encode(), b"fncast login", hashlib.sha256).hexdigest()

    def is_let_in(self, scope: Any) -> bool:
        session = self._session.encode()
        return super().is_let_in(scope) or any(hmac.compare_digest(c, session) for c in _cookies(scope))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == LOGIN and self.is_let_in(scope):
            # Who comes back to the form has nothing to do there.
            await _answer(send, 303, [(b"location", b"/")], b"")
        else:
            await super().__call__(scope, receive, send)

    async def refuse(self, scope: Any, receive: Any, send: Any) -> None:
        html = (b"content-type", b"text/html; charset=utf-8")
        if scope["path"] != LOGIN:
            is_page = scope["method"] == "GET" and scope["path"] == "/"
            if is_page:
                await _answer(send, 303, [(b"location", LOGIN.encode())], b"")
            else:
                await super().refuse(scope, receive, send)
        elif scope["method"] != "POST":
            await _answer(send, 200, [html], FORM.format(problem="").encode())
        elif await self._is_right(receive):
            await _answer(send, 303, [(b"location", b"/"), (b"set-cookie", self._cookie(scope))], b"")
        else:
            await _answer(send, 401, [html], FORM.format(problem="<p>That is not the token.</p>").encode())

    async def _is_right(self, receive: Any) -> bool:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if event["type"] != "http.request" or len(body) > MAX_FORM_BYTES:
                return False
            if not event.get("more_body"):
                break
        try:
            given = parse_qs(body.decode("utf-8", "replace"), max_num_fields=4).get("token", [""])[0]
        except ValueError:  # more fields than the form has
            return False
        return hmac.compare_digest(given.strip().encode(), self._token.encode())

    def _cookie(self, scope: Any) -> bytes:
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{COOKIE}={self._session}; Path=/; Max-Age={COOKIE_S}; HttpOnly; SameSite=Strict{secure}".encode()


def _cookies(scope: Any) -> list[bytes]:
    """The values of our cookie. By hand: the library's parser stops at the first pair of another application's that it
    finds odd, and browsers send those of all ports of a host."""
    pairs = b";".join(value for name, value in scope["headers"] if name == b"cookie").split(b";")
    named = (pair.strip().partition(b"=") for pair in pairs)
    return [value for name, _, value in named if name == COOKIE.encode()]


async def _answer(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, *SECURITY_HEADERS, length]}
    )
    await send({"type": "http.response.body", "body": body})
