"""Fixtures: listeners, and single requests to the middleware that authenticates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from fncast.http import protocol as bounds
from fncast.http import server as server_module
from tests.fncast.http.listeners import APPLICATIONS, Listen, Running

TOKEN = "a-token"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


class Response:
    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.status: int = events[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in events[0]["headers"]}
        self.body: bytes = events[1]["body"]


Request = Callable[..., Awaitable[Response]]


@pytest.fixture
def send_request() -> Request:
    """send_request(kind, path, ...): the response of Guard or Login around an application that answers `inside`."""

    async def respond(
        kind: Any,
        path: str = "/",
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
        scheme: str = "http",
        token: str = TOKEN,
    ) -> Response:
        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        method = "GET" if form is None else "POST"
        scope = {"type": "http", "path": path, "method": method, "headers": pairs, "scheme": scheme}
        events: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": urlencode(form or {}).encode(), "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            events.append(event)

        await kind(app, token)(scope, receive, send)
        return Response(events)

    return respond


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timeouts that are short enough for a test."""
    monkeypatch.setattr(bounds, "HEADER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(bounds, "PROGRESS_TIMEOUT_S", 0.5)
    monkeypatch.setattr(bounds, "CLOSE_TIMEOUT_S", 0.3)
    monkeypatch.setattr(server_module, "TICKS_A_SECOND", 1)


@pytest.fixture
def listen() -> Iterator[Listen]:
    """listen(application, ...): a running listener. The fixture closes it."""
    opened: list[Running] = []

    def start(*arguments: Any) -> Running:
        opened.append(Running(*arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture(params=APPLICATIONS)
def running(request: pytest.FixtureRequest) -> Iterator[tuple[Running, str]]:
    """A listener of each application, and a path that it answers."""
    build, path = APPLICATIONS[request.param]
    listening = Running(build())
    yield listening, path
    listening.close()
