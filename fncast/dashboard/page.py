"""The live page as a Starlette application."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from fncast.dashboard.bounded_send import BoundedSend
from fncast.dashboard.state import PageState
from fncast.dashboard.stream import EventStream, TooManyClients
from fncast.dashboard.updater import PageUpdater, RecordSource

HEADERS = {
    # Allow only the page's own files, and no inline script or style. `data:` is for the icon.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
EVENT_HEADERS = {"content-type": "text/event-stream", "x-accel-buffering": "no"}

NO_UPDATES = "the page does not update; see the log: {}\n"


class Page:
    """Serves `/` (the page), `/static/…`, `/events` (the live stream), `/state` (JSON), `/healthz` and `/readyz`.

    The ASGI lifespan starts and closes the record source. Call `close_streams` before the server stops: a stream lasts
    as long as its page is open, and the server waits for open responses.
    """

    def __init__(
        self, source: RecordSource, page_state: PageState, clock: Callable[[], float] = time.time
    ) -> None:
        self._source = source
        self._updater = PageUpdater(source, page_state, clock)
        self._stream = EventStream(self._updater.snapshot)
        self._files = _PageFiles(packages=[("fncast.dashboard", "static")])
        self._app = Starlette(
            routes=[
                Route("/", self._index),
                Route("/events", self._events),
                Route("/state", self._state),
                Route("/healthz", self._health),
                Route("/readyz", self._readiness),
                Mount("/static", self._files),
            ],
            middleware=[Middleware(BoundedSend, headers=HEADERS)],
            exception_handlers={404: _not_found, 405: _method_not_allowed},
            lifespan=self._lifespan,
        )
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def close_streams(self) -> None:
        """End the live stream of every open page."""
        self._stream.close()

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        # A server that must stop at once cancels the lifespan. Starlette would report that as a failure.
        with contextlib.suppress(asyncio.CancelledError):
            async with self._updater.running(self._stream.publish):
                yield
                self.close_streams()

    async def _index(self, request: Request) -> Response:
        return await self._files.get_response("index.html", request.scope)

    async def _state(self, _: Request) -> Response:
        return Response(self._stream.snapshot(), media_type="application/json")

    async def _health(self, _: Request) -> Response:
        if failure := self._updater.failure:
            return PlainTextResponse(NO_UPDATES.format(failure), 500)
        return PlainTextResponse("ok\n")

    async def _readiness(self, _: Request) -> Response:
        if failure := self._updater.failure:
            return PlainTextResponse(NO_UPDATES.format(failure), 503)
        broker = self._source.state
        if broker.connected:
            return PlainTextResponse("ready\n")
        return PlainTextResponse(f"waiting for the broker: {broker.problem or 'not reached yet'}\n", 503)

    async def _events(self, request: Request) -> Response:
        """Stream until the client leaves, the client stops reading, or the server stops."""
        if request.method == "HEAD":
            return Response(headers=EVENT_HEADERS)
        messages = self._stream.messages()
        try:
            first = await anext(messages)
        except TooManyClients:
            return PlainTextResponse("too many pages are open\n", 503, {"retry-after": "10"})
        return _EventResponse(first, messages)


class _PageFiles(StaticFiles):
    """Files that a browser keeps, but checks for a new version each time: an upgrade shows at once."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["cache-control"] = "no-cache"
        return response


class _EventResponse(StreamingResponse):
    """Streams a client's messages. Frees the client's place when the response ends for any reason."""

    def __init__(self, first: bytes, messages: AsyncGenerator[bytes, None]) -> None:
        super().__init__(_chain(first, messages), headers=EVENT_HEADERS)
        self._messages = messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._messages.aclose()


async def _chain(first: bytes, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    del first  # A stream lasts for hours. Do not keep the first snapshot in memory for as long.
    async for message in messages:
        yield message


async def _not_found(_: Request, __: Exception) -> Response:
    return PlainTextResponse("not found; the page is at /\n", 404)


async def _method_not_allowed(_: Request, __: Exception) -> Response:
    return PlainTextResponse("only GET\n", 405, {"allow": "GET, HEAD"})
