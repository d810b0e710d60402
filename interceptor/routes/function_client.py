"""Calls functions over HTTP: functions of an Fn server by app and name, other functions by URL.

Protocol: the API of Fn server 0.3.753. docs/functions.md lists which statuses are temporary.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import aiohttp
import orjson

from fncast.http.response_body import BodyTooLarge, read_body
from fncast.wording.http import describe
from interceptor.cloudevents.event import Event
from interceptor.errors import RetriableError
from interceptor.routes.client import Answer
from interceptor.routes.http_request import build_request
from interceptor.routes.http_response import read_response
from interceptor.routes.route import Route, without_secrets
from interceptor.routes.tensor_call import build_tensor_request, read_tensor_response

# An answer is larger than its request, but still bounded.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
# Close idle connections early: the FDK's server uses CPU for connections that are idle for 75 s.
KEEP_ALIVE_S = 15.0
MAX_CONNECT_S = 5.0


class FunctionClient:
    """One HTTP session for all routes. Used in one event loop; the owner calls `close`."""

    def __init__(self, fn_url: str, timeout_s: float, connections: int, fn_token: str = "") -> None:
        """fn_url: the Fn server's API. timeout_s: of a whole call. connections: most per host.

        fn_token: bearer token for the Fn server and its functions, or empty. A URL route has its own token.
        """
        self._fn_url = fn_url.rstrip("/")
        self._fn_headers = {"Authorization": f"Bearer {fn_token}"} if fn_token else {}
        self._timeout_s = timeout_s
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._invoke_urls: dict[tuple[str, bool], str] = {}  # by target, and whether the route has a token

    def _open_session(self) -> aiohttp.ClientSession:
        """Return the session. It is created with the first call, so a client without calls needs no `close`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, limit_per_host=self._connections, keepalive_timeout=KEEP_ALIVE_S
                ),
                timeout=aiohttp.ClientTimeout(
                    total=self._timeout_s, sock_connect=min(self._timeout_s, MAX_CONNECT_S)
                ),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def check(self, route: Route) -> None:
        """Check that the function can be reached, without a call.

        For Fn, the server must know the function. For a URL, the host must accept a connection.
        Raises RetriableError.
        """
        if route.is_fn:
            await self._invoke_url(route)
            return
        url = urlsplit(route.target)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            _, writer = await asyncio.open_connection(url.hostname, port)
        except (OSError, UnicodeError) as error:
            raise RetriableError(
                f"{without_secrets(route.target)} cannot be reached: {describe(error)}", is_sent=False
            ) from None
        writer.close()

    async def call(self, route: Route, events: Sequence[Event]) -> Answer:
        """Send the events in one request: a tensor or a batch if the route takes it, otherwise exactly one event.

        Raises RetriableError, or Rejected if the function blames the events' content.
        """
        headers, body = build_tensor_request(events) if route.is_tensor else build_request(route, events)
        url = route.target
        if route.is_fn:
            try:
                url = await self._invoke_url(route)
            except RetriableError as failure:
                failure.is_sent = False  # only the Fn server's API was called
                raise
            headers |= self._fn_headers
        if route.token:
            headers["Authorization"] = f"Bearer {route.token}"
        try:
            status, response_headers, response_body = await self._exchange("POST", url, headers, body)
        except RetriableError as failure:
            if route.is_fn and not failure.is_sent:
                self._forget_invoke_url(route)  # the Fn server may have moved
            raise
        if status == 404 and route.is_fn:
            self._forget_invoke_url(route)  # the function may have been deployed again with another id
        if route.is_tensor:
            return read_tensor_response(route, len(events), status, response_headers, response_body)
        return read_response(route, status, response_headers, response_body)

    def _forget_invoke_url(self, route: Route) -> None:
        """Make the next call ask the Fn server again."""
        self._invoke_urls.pop((route.target, bool(route.token)), None)

    async def _invoke_url(self, route: Route) -> str:
        """Return the URL at which the Fn server runs the function. Raises RetriableError."""
        key = (route.target, bool(route.token))
        known = self._invoke_urls.get(key)
        if known is not None:
            return known
        app, _, function = route.target.removeprefix("fn:").partition("/")
        app_item = await self._find(f"/v2/apps?name={quote(app, safe='')}", f"app {app!r}")
        path = f"/v2/fns?app_id={quote(str(app_item['id']), safe='')}&name={quote(function, safe='')}"
        function_item = await self._find(path, f"function {app}/{function}")
        try:
            endpoint = str(function_item["annotations"]["fnproject.io/fn/invokeEndpoint"])
            url = trusted_endpoint(endpoint, self._fn_url, bool(self._fn_headers or route.token))
        except (KeyError, TypeError, ValueError):
            raise RetriableError(
                f"the Fn server at {without_secrets(self._fn_url)} gives no invoke endpoint for {route.target}"
            ) from None
        self._invoke_urls[key] = url
        return url

    async def _find(self, path: str, what: str) -> Mapping[str, Any]:
        """Return the first item of a list of the Fn server. what: names it in an error. Raises RetriableError."""
        status, _, body = await self._exchange("GET", self._fn_url + path, self._fn_headers, b"")
        if status != 200:
            raise RetriableError(
                f"the Fn server at {without_secrets(self._fn_url)} answers {status} to a request for the {what}"
            )
        try:
            items = orjson.loads(body)["items"]
            if not items:
                raise RetriableError(
                    f"the Fn server at {without_secrets(self._fn_url)} has no {what}: deploy it"
                )
            return {"id": items[0]["id"], **items[0]}
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError):
            raise RetriableError(
                f"{without_secrets(self._fn_url)} does not answer like an Fn server"
            ) from None

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of one HTTP exchange. Raises RetriableError."""
        try:
            async with self._open_session().request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            ) as response:
                return response.status, response.headers, await read_body(response, MAX_ANSWER_BYTES)
        except BodyTooLarge as error:
            raise RetriableError(str(error)) from None
        except aiohttp.ConnectionTimeoutError:
            raise RetriableError(
                f"no connection to {without_secrets(url)} within the time-out", is_sent=False
            ) from None
        except TimeoutError:
            raise RetriableError(f"no answer from {without_secrets(url)} within the time-out") from None
        except aiohttp.ClientConnectorError as error:
            raise RetriableError(
                f"{without_secrets(url)} cannot be reached: {describe(error)}", is_sent=False
            ) from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            raise RetriableError(f"{without_secrets(url)} cannot be reached: {describe(error)}") from None


def trusted_endpoint(endpoint: str, fn_url: str, has_token: bool) -> str:
    """Return the URL to call for an `endpoint` that the Fn server reported. Raises ValueError for an invalid URL.

    A token is sent only to the origin in the settings. A server cannot downgrade https to http. In both cases the
    endpoint's path is kept, and its origin is replaced by that of `fn_url`.
    """
    configured, reported = urlsplit(fn_url), urlsplit(endpoint)
    is_downgrade = configured.scheme == "https" and reported.scheme != "https"
    if _origin(configured) == _origin(reported) or not (has_token or is_downgrade):
        return endpoint
    return urlunsplit(reported._replace(scheme=configured.scheme, netloc=configured.netloc))


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)
