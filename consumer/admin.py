"""The admin listener's ASGI application: /metrics, /healthz, /readyz."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Consumer(Protocol):
    """The part of Service that the listener uses."""

    def health(self) -> dict[str, Any]:
        """A JSON object. `alive`: the loop polls. `ready`: it has joined the group. Other keys are for people."""


class Admin:
    """The ASGI application of the admin listener."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, content_type, body = self.answer(scope["path"])
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))],
            }
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a path. Subclasses add paths."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        if path in ("/healthz", "/readyz"):
            health = self._consumer.health()
            is_well = health["alive"] if path == "/healthz" else health["ready"]
            return 200 if is_well else 503, "application/json", orjson.dumps(health)
        return 404, "text/plain", b"not found: use /metrics, /healthz or /readyz"
