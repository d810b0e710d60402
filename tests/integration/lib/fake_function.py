"""A fake Fn server for the delivery tests: it has the API of Fn and one function, whose behaviour a test sets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from kafka_container import free_port


def forecast(event: dict[str, Any]) -> dict[str, Any]:
    """Return the output of a working function."""
    return {
        "specversion": "1.0",
        "id": "of-the-function",
        "source": "test/function",
        "type": "io.fncast.forecast.v1",
        "causationid": event["id"],
        "causationsource": event["source"],
        "datacontenttype": "application/json",
        "data": {"values": [1.0], "seen": event.get("data")},
    }


Behaviour = Callable[[list[dict[str, Any]]], Awaitable[web.Response]]
Foreign = Callable[[web.Request, bytes], Awaitable[web.Response]]


def batch(events: list[dict[str, Any]]) -> web.Response:
    return web.Response(body=json.dumps(events).encode(), content_type="application/cloudevents-batch+json")


def status(code: int, text: str = "") -> Behaviour:
    """A function that answers each call with this status."""

    async def answer(_: list[dict[str, Any]]) -> web.Response:
        return web.Response(status=code, text=text)

    return answer


async def hangs(_: list[dict[str, Any]]) -> web.Response:
    """A function that does not answer, also not when it works again."""
    await asyncio.sleep(300)
    raise AssertionError("the call was not cancelled")


async def works(events: list[dict[str, Any]]) -> web.Response:
    return batch([forecast(event) for event in events])


class Function:
    """A fake Fn server with one function. `stop` and `start` keep the port.

    behaviour: answers the calls of the function. foreign: answers `/foreign`, which is not an Fn function.
    calls: the ids of the events in each call of the function.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.behaviour: Behaviour = works
        self.calls: list[list[str]] = []
        self.foreign: Foreign | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        self.start()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def start(self) -> None:
        self._run(self._start())

    async def _start(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.add_routes(
            [
                web.get("/v2/apps", self._items({"id": "a"})),
                web.get(
                    "/v2/fns",
                    self._items(
                        {"id": "f", "annotations": {"fnproject.io/fn/invokeEndpoint": f"{self.url}/invoke/f"}}
                    ),
                ),
                web.post("/invoke/f", self._invoke),
                web.post("/foreign", self._foreign),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    def _items(self, item: dict[str, Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response({"items": [item]})

        return answer

    async def _invoke(self, request: web.Request) -> web.Response:
        events = json.loads(await request.read())
        self.calls.append([event["id"] for event in events])
        return await self.behaviour(events)

    async def _foreign(self, request: web.Request) -> web.Response:
        assert self.foreign is not None
        return await self.foreign(request, await request.read())

    @property
    def called_ids(self) -> list[str]:
        """Return the ids of all events in all calls."""
        return [id_ for call in list(self.calls) for id_ in call]

    def stop(self) -> None:
        if self._runner is not None:
            self._run(self._runner.cleanup())
            self._runner = None

    def close(self) -> None:
        self.stop()
        self._run(self._end_requests())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end_requests(self) -> None:
        """Cancel calls that hang on purpose."""
        hanging = asyncio.all_tasks() - {asyncio.current_task()}
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
