"""The function host as an ASGI application: Fn's HTTP API for function folders of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from functions.host.api import Api
from functions.host.config import InvalidConfig, check_not_of_host, check_not_reserved
from functions.host.folder import FunctionFolder, InvalidFunction, configure
from functions.host.invocation import RETRY_AFTER_S, Reply, invoke, message, trigger
from functions.host.pool import ProcessPool
from functions.host.registry import Registry, app_id, function_id
from functions.host.request import (
    HeldBytes,
    TooMuchHeld,
    base_url,
    declares_json,
    decode_headers,
    full_url,
    read_body,
)

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

VERSION = "0.3.753"  # of the Fn server that the API follows
# Of one request. Fn has a setting for it, FN_MAX_REQUEST_SIZE.
MAX_REQUEST_BYTES = 16 * 1024 * 1024
# Of a document for the API. A configuration is smaller.
MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
# Of one function. With two, one computes while the other waits for the model service.
PROCESSES = 2


class FunctionHost:
    """ASGI application with lifespan. It owns the pools of all functions: they start and stop with it."""

    def __init__(
        self,
        folders: Sequence[FunctionFolder],
        environ: Mapping[str, str],
        config: Mapping[str, str] | None = None,
        app: str = "fncast",
        processes: int = PROCESSES,
        max_request_bytes: int = MAX_REQUEST_BYTES,
    ) -> None:
        """environ: the environment. A function gets from it the configuration that its func.yaml names.
        config: set for all functions, also reserved names. processes: for each function. Raises InvalidFunction.
        """
        self._pools = [
            ProcessPool(folder, _variables(app, folder, environ, config or {}), processes)
            for folder in folders
        ]
        self._registry = Registry(app, self._pools)
        self._api = Api(self._registry)
        self._max_request_bytes = max_request_bytes
        self._held = HeldBytes()

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            try:
                with self._held.counted() as hold:
                    reply = await self._reply(scope, receive, hold)
            except ConnectionError:
                return
            except TooMuchHeld:
                reply = message(503, "Timed out - server too busy", ("retry-after", str(RETRY_AFTER_S)))
            except asyncio.CancelledError:  # the host shuts down, and the time for open requests is over
                reply = message(503, "server is shutting down")
            await _send(reply, send)

    async def _lifespan(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                for pool in self._pools:
                    pool.start()
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                await asyncio.gather(*(pool.close() for pool in self._pools))
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _reply(self, scope: Any, receive: ASGIReceiveCallable, hold: Callable[[int], None]) -> Reply:
        """The response to a request. Raises ConnectionError if the caller disconnected, TooMuchHeld."""
        method, path = scope["method"], scope["path"]
        headers = decode_headers(scope["headers"])
        is_api = path.startswith("/v2/")
        if is_api and method not in ("GET", "HEAD") and not declares_json(headers):
            return message(415, "Content-Type must be application/json")
        max_bytes = min(self._max_request_bytes, MAX_DOCUMENT_BYTES) if is_api else self._max_request_bytes
        body = await read_body(headers, receive, max_bytes, hold)
        if body is None:
            return message(413, f"Request content too large: at most {max_bytes} bytes")
        if path.startswith("/invoke/"):
            entry = self._registry.functions.get(path.removeprefix("/invoke/"))
            if entry is None or entry.pool is None:
                return message(404, "Fn not found")
            return await invoke(entry.pool, headers, body) if method == "POST" else _not_allowed()
        if path.startswith("/t/"):
            pool = self._triggered(path)
            if pool is None:
                return message(404, "Trigger not found")
            return await trigger(pool, method, full_url(scope, headers), headers, body)
        if is_api:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            return _json(*self._api.answer(method, path, query, body, base_url(scope, headers)))
        return self._status(path)

    def _status(self, path: str) -> Reply:
        """The version, or whether each function has a process that listens."""
        if path == "/version":
            return _json(200, {"version": VERSION})
        if path in ("/healthz", "/ping", "/"):
            functions = {
                pool.folder.name: "ready" if pool.is_ready else "not running" for pool in self._pools
            }
            is_ready = all(pool.is_ready for pool in self._pools)
            return _json(200 if is_ready else 503, {"functions": functions})
        return message(404, "Path not found")

    def _triggered(self, path: str) -> ProcessPool | None:
        """The function with the trigger of a path `/t/<app>/<source>`; None if there is none."""
        name, _, source = path.removeprefix("/t/").partition("/")
        app = self._registry.app_named(name)
        found = None if app is None else self._registry.trigger(app.id, "/" + source.strip("/"))
        return None if found is None else self._registry.functions[found.document["fn_id"]].pool


def _variables(
    app: str, folder: FunctionFolder, environ: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a function: Fn's variables and the configuration without empty values.

    environ, given: as in `configure`. Raises InvalidFunction.
    """
    config = configure(folder, environ, given)
    try:
        check_not_reserved({name: value for name, value in config.items() if name not in given})
        check_not_of_host(given)
    except InvalidConfig as error:
        raise InvalidFunction(f"the function {folder.name}: {error}") from None
    return {
        **{name: value for name, value in config.items() if value},
        "FN_APP_ID": app_id(app),
        "FN_APP_NAME": app,
        "FN_FN_ID": function_id(app_id(app), folder.name),
        "FN_FN_NAME": folder.name,
        "FN_MEMORY": str(folder.memory_mb),
        "FN_TYPE": "sync",
    }


async def _send(reply: Reply, send: ASGISendCallable) -> None:
    headers = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


def _json(status: int, document: Mapping[str, Any]) -> Reply:
    return Reply(status, [("content-type", "application/json")], orjson.dumps(document))


def _not_allowed() -> Reply:
    return message(405, "Method not allowed")
