"""Authenticates programs by a bearer token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fncast.http.bearer import is_bearer
from fncast.http.error_body import error_body

# Probes of an orchestrator call these and should not need a secret.
PUBLIC = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
SECURITY_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; form-action 'self'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Guard:
    """ASGI middleware that answers 401 to requests without the token. Health checks pass without it.

    The server owns one for each listener with a token. It keeps no state between requests.
    """

    def __init__(self, app: Any, token: str) -> None:
        self._app = app
        self._expected = token.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] in PUBLIC or self.is_authenticated(scope):
            await self._app(scope, receive, send)
        else:
            await self.reject(scope, receive, send)

    def close_streams(self) -> None:
        """End the application's open streams, if it has any."""
        if close := getattr(self._app, "close_streams", None):
            close()

    def is_authenticated(self, scope: Any) -> bool:
        """Whether the request has exactly one `Authorization` header and it holds the token."""
        credentials = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(credentials) == 1 and is_bearer(credentials[0], self._expected)

    async def reject(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request that is not authenticated."""
        content_type, body = error_body(scope["path"], "a bearer token is needed")
        headers = [(b"content-type", content_type), (b"www-authenticate", b"Bearer")]
        await send_response(send, 401, headers, body)


async def send_response(
    send: Any, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes = b""
) -> None:
    """Send a whole response, with SECURITY_HEADERS and its content length."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, *SECURITY_HEADERS, length]}
    )
    await send({"type": "http.response.body", "body": body})
