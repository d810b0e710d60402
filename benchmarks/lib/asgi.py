"""The parts of ASGI that the benchmarks' small servers share: https://asgi.readthedocs.io/en/latest/specs/."""

from __future__ import annotations

from typing import Any


async def run_lifespan(receive: Any, send: Any) -> None:
    """Answer the lifespan protocol: there is nothing to start or to stop."""
    for event in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{event}.complete"})


async def read_body(receive: Any) -> bytes:
    """Return the body of a request."""
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    return body


async def send_response(send: Any, body: bytes, content_type: bytes) -> None:
    """Answer 200 with a body."""
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
