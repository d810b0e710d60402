"""What a slow client can hold is bounded."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from fncast.dashboard.bounded_send import CHUNK_BYTES, BoundedSend
from fncast.dashboard.page import Page
from tests.fncast.dashboard.page_calls import Call, Records, expect_ok


async def test_a_large_state_is_sent_in_chunks(page: Page, source: Records, make: Any) -> None:
    source.batches.append(
        [make.window([n + 0.123456789 for n in range(400)], series=f"s{k}") for k in range(40)]
    )
    chunks: list[bytes] = []
    while len(chunks) < 2:  # until the page has read the records
        state = Call(page, "/state")
        start = await state.next()
        chunks = []
        while (part := await state.next()).get("more_body"):
            chunks.append(part["body"])
        chunks.append(part["body"])
    assert max(map(len, chunks)) <= CHUNK_BYTES
    body = b"".join(chunks)
    assert (b"content-length", b"%d" % len(body)) in start["headers"]
    assert len(json.loads(body)["series"]) == 40


async def test_a_client_that_stops_reading_is_disconnected(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fncast.dashboard.bounded_send.SEND_TIMEOUT_S", 0.05)
    call = Call(page, "/events")
    await expect_ok(call)
    await asyncio.wait_for(call.task, 10)  # the test reads no body


async def test_a_slow_client_that_takes_every_chunk_gets_the_whole_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fncast.dashboard.bounded_send.SEND_TIMEOUT_S", 0.2)
    sent: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * (4 * CHUNK_BYTES)})

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        await asyncio.sleep(0.08)
        sent.append(message.get("body", b""))

    await BoundedSend(app, {})({"type": "http"}, receive, send)
    assert sum(map(len, sent)) == 4 * CHUNK_BYTES
