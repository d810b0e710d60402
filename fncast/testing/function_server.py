"""Serves Python functions over HTTP, as the functions of routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 64 * 1024 * 1024
BATCH = "application/cloudevents-batch+json"
CLOSE_S = 0.1

Event = Mapping[str, Any]
PythonFunction = Callable[[dict[str, Any]], Event | Sequence[Event] | None]
"""Called with a CloudEvent as a dict. Returns its output, several outputs, or None for no output."""


def echo(event: dict[str, Any]) -> Event:
    """A function that returns the data of its event."""
    return {"data": event.get("data")}


class FunctionServer:
    """Serves each function at its name. Used in one event loop.

    errors: by function, the last exception that it raised.
    """

    def __init__(self, functions: Mapping[str, PythonFunction]) -> None:
        self._functions = functions
        self._runner: web.AppRunner | None = None
        self.errors: dict[str, Exception] = {}

    async def start(self) -> dict[str, str]:
        """Start on a free port. Returns the URL of each function."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.add_routes([web.post("/{name}", self._call)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return {name: f"http://{HOST}:{port}/{name}" for name in self._functions}

    async def close(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        events = json.loads(await request.read())
        try:
            outputs = await asyncio.to_thread(_answer, self._functions[name], events)
        except Exception as error:
            self.errors[name] = error
            return web.Response(status=500, text=f"{type(error).__name__}: {error}")
        return web.Response(body=json.dumps(outputs).encode(), content_type=BATCH)


def _answer(function: PythonFunction, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    outputs = []
    for event in events:
        returned = function(event)
        if returned is None:
            returned = {"type": "io.fncast.none.v1"}
        several = [returned] if isinstance(returned, Mapping) else returned
        outputs += [_completed(output, event) for output in several]
    return outputs


def _completed(output: Event, event: Event) -> dict[str, Any]:
    """The output with the attributes that the consumer needs."""
    defaults = {
        "specversion": "1.0",
        "id": event["id"],
        "source": "/test/function",
        "type": "io.fncast.forecast.v1",
        "causationid": event["id"],
        "causationsource": event["source"],
    }
    return {**defaults, **output}
