from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.lib.asgi import read_body, run_lifespan, send_response


def receiving(*messages: dict[str, Any]) -> Callable[[], Awaitable[dict[str, Any]]]:
    left = list(messages)

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    return receive


def sending(sent: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Awaitable[None]]:
    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    return send


async def test_a_body_in_several_messages_is_read_to_its_end() -> None:
    receive = receiving({"body": b"a", "more_body": True}, {"body": b"b"}, {"body": b"of another request"})
    assert await read_body(receive) == b"ab"


async def test_a_response_states_its_length() -> None:
    sent: list[dict[str, Any]] = []
    await send_response(sending(sent), b"three", b"text/plain")
    assert (b"content-length", b"5") in sent[0]["headers"]
    assert sent[1]["body"] == b"three"


async def test_startup_and_shutdown_are_acknowledged() -> None:
    sent: list[dict[str, Any]] = []
    await run_lifespan(receiving({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}), sending(sent))
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
