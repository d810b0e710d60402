"""An Fn server with one function, and an event to send to it."""

import asyncio

from aiohttp import web

from interceptor.cloudevents.reader import read_event
from interceptor.routes.route import Route

FN = Route("forecast", "fn:fncast/forecast", batch=True)


EVENT = read_event(
    [
        ("ce_specversion", b"1.0"),
        ("ce_id", "é 1%".encode()),
        ("ce_source", b"/in"),
        ("ce_type", b"t"),
        ("content-type", b"application/json"),
    ],
    b"[1,2]",
)


class FakeFn:
    """Fn's API for one function; `handle` answers its invocations."""

    def __init__(self) -> None:
        self.resolved = 0
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.has_function = True
        self.endpoint = ""
        self.apps_items: object = [{"id": "A", "name": "fncast"}]
        self.handle = lambda: web.Response(body=b"[]", content_type="application/cloudevents-batch+json")

    async def apps(self, request: web.Request) -> web.Response:
        assert request.query["name"] == "fncast"
        return web.json_response({"items": self.apps_items})

    async def fns(self, request: web.Request) -> web.Response:
        assert (request.query["app_id"], request.query["name"]) == ("A", "forecast")
        self.resolved += 1
        annotations = {"fnproject.io/fn/invokeEndpoint": self.endpoint or f"http://{request.host}/invoke/F"}
        return web.json_response(
            {"items": [{"id": "F", "annotations": annotations}] if self.has_function else []}
        )

    async def invoke(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        response = self.handle()
        return await response if asyncio.iscoroutine(response) else response


def url(fn: FakeFn, **options: object) -> Route:
    return Route("url", f"{fn.url}/invoke/F", **({"batch": False} | options))
