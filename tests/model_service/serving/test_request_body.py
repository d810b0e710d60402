"""Bodies in chunks: limits of their size, of all of them together, and of the pause between chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from model_service.protocols import graphpipe
from model_service.serving import request_body
from model_service.serving.request_body import RequestBodies
from model_service.serving.request_error import RequestError
from tests.model_service.asgi_service import (
    WINDOWS,
    AsgiService,
    CollectedResponse,
)


def receive_of(*messages: Any) -> Callable[[], Awaitable[Any]]:
    """The `receive` of an ASGI server that sends these messages."""
    left = iter(messages)

    async def receive() -> Any:
        return next(left)

    return receive


async def test_bodies_are_limited(service: AsgiService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_BODY_BYTES", 100)
    rejected = await service.call(
        "POST", "/", b"x" * 60, b"x" * 60, b"read to its end, so that the client gets the response"
    )
    assert rejected.status == 413
    assert "more than 100 bytes" in rejected.errors()[0].message
    monkeypatch.setattr(request_body, "MAX_HELD_BYTES", 50)
    assert (await service.call("POST", "/", b"x" * 30, b"x" * 30)).status == 503
    body = graphpipe.encode_request(graphpipe.InferRequest((WINDOWS[:0],)))
    monkeypatch.setattr(request_body, "MAX_HELD_BYTES", len(body))
    monkeypatch.setattr(request_body, "MAX_BODY_BYTES", len(body))
    assert (
        await service.call("POST", "/", body[:10], body[10:])
    ).status == 400  # what was rejected is given back


async def test_a_body_that_never_ends_is_answered_by_408(
    service: AsgiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "BODY_TIMEOUT_S", 0.01)
    messages: list[Any] = []
    first = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Any:
        if first:
            return first.pop()
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        messages.append(message)

    await service.app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert CollectedResponse(messages).status == 408


def test_small_bodies_count_together_until_they_are_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_HELD_BYTES", 100)
    bodies = RequestBodies()
    bodies.hold(60)
    with pytest.raises(RequestError, match="too many large requests at once") as raised:
        bodies.hold(60)
    assert raised.value.status == 503
    bodies.release(60)
    bodies.hold(100)


async def test_a_client_that_disconnects_gives_its_bytes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_HELD_BYTES", 100)
    bodies = RequestBodies()
    chunk = {"type": "http.request", "body": b"x" * 90, "more_body": True}
    for messages in ([chunk, {"type": "http.disconnect"}], [{"type": "http.disconnect"}]):
        with pytest.raises(ConnectionError):
            await bodies.read(receive_of(*messages))
    bodies.hold(100)


async def test_only_a_body_in_chunks_counts() -> None:
    last = {"type": "http.request", "body": b"yz", "more_body": False}
    assert await RequestBodies().read(receive_of(last)) == (b"yz", 0)
    assert await RequestBodies().read(receive_of({**last, "more_body": True}, last)) == (b"yzyz", 4)
