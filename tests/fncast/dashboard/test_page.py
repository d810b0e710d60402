"""The ASGI application: what it answers, what it streams, and what it does with slow readers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fncast.dashboard import stream as streams
from fncast.dashboard.page import CHUNK_BYTES, Page
from fncast.dashboard.reader import BrokerState
from fncast.dashboard.record import ReceivedRecord
from fncast.dashboard.state import PageState, PageTopics
from fncast.dashboard.stream import MAX_BEHIND, EventStream


class Records:
    """A source that the test feeds."""

    def __init__(self) -> None:
        self.state = BrokerState(True, 1.0)
        self.batches: list[list[ReceivedRecord]] = []
        self.running = False

    def start(self) -> None:
        self.running = True

    def close(self) -> None:
        self.running = False

    def take(self, timeout_s: float = 0.0) -> list[ReceivedRecord]:
        return self.batches.pop(0) if self.batches else []


@pytest.fixture
def source() -> Records:
    return Records()


@pytest.fixture
async def page(source: Records) -> AsyncIterator[Page]:
    """A page whose lifespan has begun."""
    app = Page(source, PageState(PageTopics(), 0.0))
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    yield app
    await to_app.put({"type": "lifespan.shutdown"})
    assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
    await task
    assert not source.running


class Call:
    """One request; `next` is the next part of the answer's body."""

    def __init__(
        self, page: Page, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> None:
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self._gone = asyncio.Event()
        self._sent: asyncio.Queue[Any] = asyncio.Queue(1)
        scope = {"type": "http", "method": method, "path": path, "headers": raw}
        self.task = asyncio.create_task(page(scope, self._receive, self._sent.put))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def leave(self) -> None:
        self._gone.set()

    async def next(self) -> Any:
        return await asyncio.wait_for(self._sent.get(), 10)


async def answer(page: Page, path: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
    call = Call(page, path, **more)
    start = await call.next()
    body = (await call.next())["body"]
    await call.task
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body


async def told(call: Call, event: str) -> Any:
    """The data of the next Server-Sent Event of this kind."""
    while True:
        text = (await call.next())["body"].decode()
        for part in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line)
            if fields.get("event") == event:
                return json.loads(fields["data"])


async def test_the_page_and_its_files_come_with_a_strict_policy(page: Page) -> None:
    status, headers, body = await answer(page, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    for path in ("page.js", "page.css", "vendor/uplot/uPlot.iife.min.js", "vendor/uplot/LICENSE"):
        status, headers, content = await answer(page, f"/static/{path}")
        assert status == 200
        assert content
        assert "default-src 'none'" in headers["content-security-policy"]
    assert b"http://" not in body.replace(b"http://www.w3.org/2000/svg", b"").replace(b"xmlns='http:", b"")
    assert b"https://" not in body


async def test_a_file_that_is_known_is_not_sent_again(page: Page) -> None:
    _, headers, _ = await answer(page, "/static/page.js")
    status, _, body = await answer(page, "/static/page.js", headers={"if-none-match": headers["etag"]})
    assert (status, body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/static/../page.py", "/static/", "/static/nothing", "/x", "//", "/static/%2e%2e"]
)
async def test_nothing_else_is_served(page: Page, path: str) -> None:
    assert (await answer(page, path))[0] == 404


async def test_only_reading(page: Page) -> None:
    assert (await answer(page, "/", method="POST"))[0] == 405
    status, headers, body = await answer(page, "/", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


async def test_ready_is_said_of_the_broker_and_health_of_the_page(page: Page, source: Records) -> None:
    assert (await answer(page, "/readyz"))[0] == 200
    source.state = BrokerState(False, 1.0, "connection refused")
    status, _, body = await answer(page, "/readyz")
    assert (status, body) == (503, b"waiting for the broker: connection refused\n")
    assert (await answer(page, "/healthz"))[0] == 200


async def test_streams_a_snapshot_and_then_changes(page: Page, source: Records, make: Any) -> None:
    call = Call(page, "/events")
    start = await call.next()
    assert (b"content-type", b"text/event-stream") in start["headers"]
    assert (await told(call, "snapshot"))["series"] == []
    source.batches.append([make.window([1, 2, 3])])
    while "series" not in (changes := await told(call, "changes")):
        pass
    assert changes["series"][0]["actual"] == [1, 2, 3]
    status, _, body = await answer(page, "/state")
    assert (status, json.loads(body)["series"][0]["name"]) == (200, "cpu")
    call.leave()
    while not call.task.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(call._sent.get(), 0.05)
    await call.task


async def test_streams_end_when_the_server_stops(page: Page) -> None:
    call = Call(page, "/events")
    await told_start(call)
    page.close_streams()
    while (await call.next()).get("more_body"):
        pass
    await asyncio.wait_for(call.task, 10)


async def told_start(call: Call) -> None:
    assert (await call.next())["status"] == 200


async def test_a_slow_page_costs_bounded_memory_and_then_gets_the_whole() -> None:
    written: list[bytes] = []

    def snapshot() -> bytes:
        written.append(b"whole %d" % len(written))
        return written[-1]

    stream = EventStream(snapshot)
    slow = [stream.messages() for _ in range(8)]
    for messages in slow:
        await anext(messages)
    assert written == [b"whole 0"]  # one for all that came between two changes
    for number in range(10 * MAX_BEHIND):
        stream.publish(b"%d" % number)
        assert all(client.qsize() <= MAX_BEHIND for client in stream._clients)
    queued = [part for client in stream._clients for part in client._queue]  # type: ignore[attr-defined]
    assert len({id(part) for part in queued}) <= MAX_BEHIND  # one copy serves all
    assert len(written) == 1  # none is written before a page takes it
    parts = [await anext(messages) for messages in slow]
    assert set(parts) == {b"event: snapshot\ndata: whole 1\n\n"}
    stream.publish(b"next")
    assert await anext(slow[0]) == b"event: changes\ndata: next\n\n"
    for messages in slow:
        await messages.aclose()
    assert stream._clients == stream._behind == set()


async def test_a_large_state_is_sent_in_chunks(page: Page, source: Records, make: Any) -> None:
    source.batches.append(
        [make.window([n + 0.123456789 for n in range(400)], series=f"s{k}") for k in range(40)]
    )
    chunks: list[bytes] = []
    while len(chunks) < 2:  # until the page has taken the records in
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


async def test_an_unexpected_error_is_told_and_the_page_goes_on(
    page: Page, source: Records, make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fncast.dashboard.page.RESTART_S", (0.05,))
    failing = True

    def take(timeout_s: float = 0.0) -> list[ReceivedRecord]:
        if failing:
            raise RuntimeError("a fault of ours")
        return Records.take(source)

    monkeypatch.setattr(source, "take", take)
    while (await answer(page, "/healthz"))[0] == 200:
        pass
    assert b"a fault of ours" in (await answer(page, "/healthz"))[2]
    assert "stands still" in caplog.text
    failing = False
    while (await answer(page, "/healthz"))[0] != 200:
        pass


async def test_too_many_pages_are_turned_away(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_CLIENTS", 1)
    first = Call(page, "/events")
    await told_start(first)
    status, headers, _ = await answer(page, "/events")
    assert (status, headers["retry-after"]) == (503, "10")
    first.leave()
    while not first.task.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(first._sent.get(), 0.05)


async def test_a_page_that_takes_nothing_is_let_go(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fncast.dashboard.page.SEND_TIMEOUT_S", 0.05)
    call = Call(page, "/events")
    await told_start(call)
    await asyncio.wait_for(call.task, 10)  # nobody takes from its queue of one part
