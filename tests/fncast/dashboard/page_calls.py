"""Requests to the live page without a server, the records that it reads, and the series that it shows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState


class Records:
    """A record source that a test fills."""

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


class Call:
    """One request. `next` returns the next ASGI message of the response."""

    def __init__(
        self, page: Page, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> None:
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        self._disconnected = asyncio.Event()
        self.sent: asyncio.Queue[Any] = asyncio.Queue(1)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": method,
            "path": path,
            "root_path": "",
            "query_string": b"",
            "headers": raw,
        }
        self.task = asyncio.create_task(page(scope, self._receive, self.sent.put))

    async def _receive(self) -> dict[str, Any]:
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    def disconnect(self) -> None:
        self._disconnected.set()

    async def next(self) -> Any:
        return await asyncio.wait_for(self.sent.get(), 10)


async def get(page: Page, path: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
    call = Call(page, path, **more)
    start = await call.next()
    body = (await call.next())["body"]
    await call.task
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body


async def next_event(call: Call, event: str) -> Any:
    """The data of the next Server-Sent Event of this kind."""
    while True:
        text = (await call.next())["body"].decode()
        for part in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line)
            if fields.get("event") == event:
                return json.loads(fields["data"])


async def expect_ok(call: Call) -> None:
    assert (await call.next())["status"] == 200


def shown_names(page_state: PageState) -> set[str]:
    """The names of the series that the page shows."""
    return {item["name"] for item in page_state.snapshot(0.0)["series"]}
