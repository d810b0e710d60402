"""Calls functions over HTTP: those of an Fn server by app and name, any other by its URL.

Fn's API and statuses: Fn server 0.3.753; which of them may pass by themselves is in docs/functions.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import aiohttp
import orjson

from fncast.foreign_text import clean
from fncast.wording.http import words
from interceptor.cloudevents.event import Event, as_content, read_event
from interceptor.errors import InvalidEvent, Refused, RetriableError
from interceptor.routes.redaction import redacted
from interceptor.routes.route import Route, shown

BATCH_TYPE = "application/cloudevents-batch+json"
EVENT_TYPE = "application/cloudevents+json"

# Ten times the largest batch asked for: an answer holds more than its question, but not without bound.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
# Idle connections are closed before the FDK's end of them begins to spin (it does after 75 s).
KEEP_ALIVE_S = 15.0
_ERROR_CHARACTERS = 300
_ERROR_BYTES = 64 * 1024  # looked through for secrets before it is cut
_NO_EVENT = (202, 204)
# Content is to blame for these, from a function that is called by URL. Fn itself answers 400 for a lack of resources.
_REFUSALS = (400, 415, 422)
TOO_LARGE = 413
BAD_REQUEST = 400


@dataclass(frozen=True)
class Answer:
    """What a function said: `body` is a JSON batch where `is_batch`, one structured event otherwise; None: no event."""

    body: bytes | None
    is_batch: bool


class FunctionClient:
    """One HTTP session for all routes. Used in one event loop; `close` it at the end."""

    def __init__(self, fn_url: str, timeout_s: float, connections: int, fn_token: str = "") -> None:
        """fn_url: the Fn server's API. connections: to one host, at most. fn_token: bearer token for the Fn server
        and its functions, or empty; a URL route has its own."""
        self._fn_url = fn_url.rstrip("/")
        self._fn_headers = {"Authorization": f"Bearer {fn_token}"} if fn_token else {}
        self._timeout_s = timeout_s
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._invoke_urls: dict[tuple[str, bool], str] = {}  # by target, and whether the route has a token

    def _opened(self) -> aiohttp.ClientSession:
        """The session, made with the first call: whoever makes no call need not close one."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, limit_per_host=self._connections, keepalive_timeout=KEEP_ALIVE_S
                ),
                timeout=aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=min(self._timeout_s, 5.0)),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def check(self, route: Route) -> None:
        """See whether the function could be called, without a call: the Fn server knows it, or its host takes
        connections. Raises RetriableError."""
        if route.is_fn:
            await self._invoke_url(route)
            return
        url = urlsplit(route.target)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            _, writer = await asyncio.open_connection(url.hostname, port)
        except (OSError, UnicodeError) as error:
            raise RetriableError(
                f"{shown(route.target)} cannot be reached: {words(error)}", is_sent=False
            ) from None
        writer.close()

    async def call(self, route: Route, events: Sequence[Event]) -> Answer:
        """Send the events in one request: a batch where the route takes one, else exactly one event.

        Raises RetriableError, or Refused where the events' content is to blame.
        """
        headers, body = _request(route, events)
        url = await self._invoke_url(route) if route.is_fn else route.target
        if route.is_fn:
            headers |= self._fn_headers
        if route.token:
            headers["Authorization"] = f"Bearer {route.token}"
        try:
            status, answer_headers, answer = await self._exchange("POST", url, headers, body)
        except RetriableError as failure:
            if route.is_fn and not failure.is_sent:
                self._forget(route)  # the Fn server may name another address by now
            raise
        if not route.is_fn and status in _NO_EVENT:
            return Answer(None, False)
        if 200 <= status < 300:
            return _answer(route, status, answer_headers, answer)
        if status == 404 and route.is_fn:
            self._forget(route)  # deployed anew under another id, perhaps
        raise _error(route, status, answer_headers, answer)

    def _forget(self, route: Route) -> None:
        """Ask the Fn server anew at the next call."""
        self._invoke_urls.pop((route.target, bool(route.token)), None)

    async def _invoke_url(self, route: Route) -> str:
        wanted = (route.target, bool(route.token))
        known = self._invoke_urls.get(wanted)
        if known is not None:
            return known
        app, _, function = route.target.removeprefix("fn:").partition("/")
        app_id = await self._find(f"/v2/apps?name={quote(app, safe='')}", f"app {app!r}")
        function_path = f"/v2/fns?app_id={quote(str(app_id['id']), safe='')}&name={quote(function, safe='')}"
        found = await self._find(function_path, f"function {app}/{function}")
        try:
            told = str(found["annotations"]["fnproject.io/fn/invokeEndpoint"])  # type: ignore[index]
            url = _trusted(told, self._fn_url, bool(self._fn_headers or route.token))
        except (KeyError, TypeError, ValueError):
            raise RetriableError(
                f"the Fn server at {shown(self._fn_url)} gives no invoke endpoint for {route.target}"
            ) from None
        self._invoke_urls[wanted] = url
        return url

    async def _find(self, path: str, what: str) -> Mapping[str, object]:
        status, _, body = await self._exchange("GET", self._fn_url + path, self._fn_headers, b"")
        if status != 200:
            raise RetriableError(
                f"the Fn server at {shown(self._fn_url)} answers {status} when asked for the {what}"
            )
        try:
            items = orjson.loads(body)["items"]
            if not items:
                raise RetriableError(f"the Fn server at {shown(self._fn_url)} has no {what}: deploy it")
            return {"id": items[0]["id"], **items[0]}
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError):
            raise RetriableError(f"{shown(self._fn_url)} does not answer as an Fn server") from None

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            async with self._opened().request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            ) as response:
                answer = await _bounded(response)
                return response.status, response.headers, answer
        except aiohttp.ConnectionTimeoutError:
            raise RetriableError(
                f"no connection to {shown(url)} within the time-out", is_sent=False
            ) from None
        except TimeoutError:
            raise RetriableError(f"no answer from {shown(url)} within the time-out") from None
        except aiohttp.ClientConnectorError as error:
            raise RetriableError(f"{shown(url)} cannot be reached: {words(error)}", is_sent=False) from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            raise RetriableError(f"{shown(url)} cannot be reached: {words(error)}") from None


def _trusted(told: str, fn_url: str, has_token: bool) -> str:
    """Where to call a function that the Fn server says is at `told`. Raises ValueError where that is no URL.

    A token goes to the origin that the settings name and to no other, and nothing leaves TLS because a server says so.
    """
    own, other = urlsplit(fn_url), urlsplit(told)
    leaves_tls = own.scheme == "https" and other.scheme != "https"
    if _origin(own) == _origin(other) or not (has_token or leaves_tls):
        return told
    return urlunsplit(other._replace(scheme=own.scheme, netloc=own.netloc))


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    chunks = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise RetriableError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _request(route: Route, events: Sequence[Event]) -> tuple[dict[str, str], bytes]:
    if route.batch:
        return {"Content-Type": BATCH_TYPE}, b"[%b]" % b",".join([event.to_json() for event in events])
    (event,) = events
    if route.mode == "structured":
        return {"Content-Type": EVENT_TYPE}, event.to_json()
    headers = {
        f"ce-{name}": quote(event.text(name) or "", safe="!#$&'()*+,/:;=?@[]^_`{|}~-.<>\\")
        for name in event.attributes
        if name != "datacontenttype"
    }
    content_type = event.text("datacontenttype")
    if content_type is None and event.data is not None:
        content_type = "application/json" if event.is_json else "application/octet-stream"
    if content_type:
        if not content_type.isprintable():
            raise Refused(
                f"its datacontenttype {clean(content_type, 64)!r} is no header's value", BAD_REQUEST
            )
        headers["Content-Type"] = content_type
    data = event.data or b""
    return headers, as_content(data, content_type) if event.is_json else data


def _answer(route: Route, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if "ce-specversion" in headers and not kind.startswith("application/cloudevents"):
        return Answer(_from_binary(headers, body), False)
    if not body.strip():
        # A function that lost its answer looks like this: to skip the event could lose its forecast.
        hint = "" if route.is_fn else "; 202 or 204 say that there is none to publish"
        raise RetriableError(f"{shown(route.target)} answers {status} without an event{hint}", code=status)
    is_event = kind.startswith("application/cloudevents") and kind != BATCH_TYPE
    return Answer(body, not is_event and (kind == BATCH_TYPE or body[:1] == b"["))


def _from_binary(headers: Mapping[str, str], body: bytes) -> bytes:
    """A binary-mode HTTP answer in the JSON format."""
    try:
        pairs: list[tuple[str, bytes | None]] = [
            (f"ce_{name[3:].lower()}", unquote(value).encode())
            for name, value in headers.items()
            if name.lower().startswith("ce-")
        ]
        content_type = headers.get("Content-Type")
        if content_type:
            pairs.append(("content-type", content_type.encode()))
        return read_event(pairs, body or None).to_json()
    except (InvalidEvent, UnicodeError) as error:
        raise RetriableError(f"garbage for an answer: {error}") from None


def _error(route: Route, status: int, headers: Mapping[str, str], body: bytes) -> Exception:
    text = f"{shown(route.target)} answers {status}: {_message(route, body)}"
    if status == TOO_LARGE or (status in _REFUSALS and not route.is_fn):
        return Refused(text, status)
    return RetriableError(text, _retry_after_s(headers), code=status)


def _message(route: Route, body: bytes) -> str:
    """Fn's error body is `{"message": …}`; any other is shown as text. On one line: it goes to the log."""
    try:
        text = str(orjson.loads(body)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = body[:_ERROR_BYTES].decode("utf-8", "replace")
    return clean(redacted(text[:_ERROR_BYTES], route), _ERROR_CHARACTERS)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, from either of its forms (RFC 9110, 10.2.3); None for what is neither."""
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value.replace(":60 ", ":59 "))  # a leap second, which the parser refuses
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
