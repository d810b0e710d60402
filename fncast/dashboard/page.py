"""The live page as a plain ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Protocol

import orjson

from fncast.dashboard.reader import BrokerState
from fncast.dashboard.record import ReceivedRecord
from fncast.dashboard.state import PageState
from fncast.dashboard.static_files import StaticFile, static_files
from fncast.dashboard.stream import EventStream, TooManyClients

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Often enough to look live, rare enough that a page with 50 series costs little.
UPDATE_S = 0.25
# Adds to nobody's delay but this page's.
IDLE_S = 0.05
# Batches taken in before the loop turns to its clients again.
BATCHES_A_TURN = 4
# A client that takes nothing for so long is gone, whatever its connection says.
SEND_TIMEOUT_S = 30.0
# Of an answer's body at once, so that a client which reads slowly has no more than this in the server's buffer.
CHUNK_BYTES = 65_536
# After an error that nobody expected.
RESTART_S = (1.0, 2.0, 5.0, 10.0, 30.0)
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
HEADERS = [
    # Nothing but the page's own files, and no inline script or style. `data:` is the icon.
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class RecordSource(Protocol):
    """Where records come from: `dashboard.reader.TopicReader`."""

    @property
    def state(self) -> BrokerState: ...
    def start(self) -> None: ...
    def close(self) -> None: ...
    def take(self, timeout_s: float = 0.0) -> list[ReceivedRecord]: ...


class Page:
    """`/` the page, `/events` its live stream, `/state` the same once as JSON, `/healthz` and `/readyz`.

    Its lifespan starts and closes the source. `close_streams` ends the pages' streams, which would otherwise last
    as long as the pages are open."""

    def __init__(
        self, source: RecordSource, page_state: PageState, clock: Callable[[], float] = time.time
    ) -> None:
        self._source = source
        self._board = page_state
        self._clock = clock
        self._files = static_files()
        self._stream = EventStream(self._snapshot)
        self._pump: asyncio.Task[None] | None = None
        self._failure = ""  # why the page stands still

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    def close_streams(self) -> None:
        self._stream.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._source.start()
        self._pump = asyncio.create_task(self._keep_running())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.close_streams()
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump
        await asyncio.to_thread(self._source.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _keep_running(self) -> None:
        """Run until cancelled; after an error again, with a pause that grows. /healthz fails meanwhile."""
        failures = 0
        while True:
            began_s = self._clock()
            try:
                await self._run()
            except Exception as error:
                log.exception("The live page stands still. It is tried again.")
                self._failure = f"{type(error).__name__}: {error}"
            failures = failures + 1 if self._clock() - began_s < RESTART_S[-1] else 1
            await asyncio.sleep(RESTART_S[min(failures, len(RESTART_S)) - 1])

    async def _run(self) -> None:
        """Take in records and tell what changed, UPDATE_S after UPDATE_S."""
        due_s = self._clock()
        while True:
            for _ in range(BATCHES_A_TURN):
                records = self._source.take()
                if not records:
                    break
                for record in records:
                    self._board.add(record, self._clock())
                await asyncio.sleep(0)
            now_s = self._clock()
            if now_s >= due_s:
                due_s = now_s + UPDATE_S
                changes = self._board.take_changes(now_s)
                self._stream.publish(orjson.dumps({**changes, **self._now(now_s)}))
                self._failure = ""
            # `records` left over after a full turn: there are more, so only let the others have their turn.
            await asyncio.sleep(0 if records else IDLE_S)

    def _now(self, now_s: float) -> dict[str, Any]:
        state = self._source.state
        broker = {
            "connected": state.connected,
            "since": state.since_s,
            "address": state.address,
            "problem": state.problem,
            "missing": [{"topic": topic, "reason": reason} for topic, reason in state.missing],
            "skipped": state.skipped,
        }
        return {"now": now_s, "broker": broker}

    def _snapshot(self) -> bytes:
        now_s = self._clock()
        return orjson.dumps({**self._board.snapshot(now_s), **self._now(now_s)})

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        body = method == "GET"
        if method not in ("GET", "HEAD"):
            await _answer(send, 405, TEXT, b"only GET\n", [(b"allow", b"GET, HEAD")])
        elif path == "/":
            await self._file(self._files["index.html"], scope, send)
        elif path.startswith("/static/") and path.removeprefix("/static/") in self._files:
            await self._file(self._files[path.removeprefix("/static/")], scope, send)
        elif path == "/events":
            await self._events(receive, send, body)
        elif path == "/state":
            await _answer(send, 200, JSON, self._stream.snapshot(), body=body)
        elif path == "/healthz" and self._failure:
            text = f"the page stands still, its log says why: {self._failure}\n"
            await _answer(send, 500, TEXT, text.encode("utf-8", "replace"), body=body)
        elif path == "/healthz":
            await _answer(send, 200, TEXT, b"ok\n", body=body)
        elif path == "/readyz":
            await self._ready(send, body)
        else:
            await _answer(send, 404, TEXT, b"not found; the page is at /\n", body=body)

    async def _ready(self, send: Send, body: bool) -> None:
        state = self._source.state
        if state.connected:
            await _answer(send, 200, TEXT, b"ready\n", body=body)
        else:
            text = f"waiting for the broker: {state.problem or 'not reached yet'}\n"
            await _answer(send, 503, TEXT, text.encode(), body=body)

    async def _file(self, file: StaticFile, scope: Message, send: Send) -> None:
        headers = [(b"etag", file.etag.encode()), (b"cache-control", b"no-cache")]
        if (b"if-none-match", file.etag.encode()) in scope["headers"]:
            await _answer(send, 304, file.content_type, b"", headers)
        else:
            await _answer(send, 200, file.content_type, file.body, headers, scope["method"] == "GET")

    async def _events(self, receive: Receive, send: Send, body: bool) -> None:
        """Stream until the client leaves, stops reading for SEND_TIMEOUT_S, or the server ends."""
        headers = [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        messages = self._stream.messages()
        try:
            first = await anext(messages)
        except TooManyClients:
            await _answer(send, 503, TEXT, b"too many pages are open\n", [(b"retry-after", b"10")], body)
            return
        start = [(b"content-type", b"text/event-stream"), *headers, *HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": start})
        if not body:
            await messages.aclose()
            await send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.create_task(_gone(receive))
        sender = asyncio.create_task(_send_all(send, first, messages))
        del first  # a stream lasts for hours
        try:
            await asyncio.wait((gone, sender), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, sender):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await sender
            await messages.aclose()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_all(send: Send, first: bytes, messages: AsyncIterator[bytes]) -> None:
    await _send_body(send, first)
    del first  # a client may take its time with what follows
    async for part in messages:
        await _send_body(send, part)
    await send({"type": "http.response.body", "body": b""})


async def _send_body(send: Send, body: bytes) -> None:
    """Send a part of a body. Raises TimeoutError where the client does not take all of it within SEND_TIMEOUT_S."""
    async with asyncio.timeout(SEND_TIMEOUT_S):
        for start in range(0, len(body), CHUNK_BYTES):
            chunk = body[start : start + CHUNK_BYTES]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _answer(
    send: Send,
    status: int,
    content_type: str,
    content: bytes,
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bool = True,
) -> None:
    described = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(content)).encode()),
    ]
    fields = [*described, *(headers or [(b"cache-control", b"no-store")]), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    if body and len(content) > CHUNK_BYTES:
        try:
            await _send_body(send, content)
        except TimeoutError:
            return  # the server closes a connection whose answer is not complete
        content = b""
    await send({"type": "http.response.body", "body": content if body else b""})
