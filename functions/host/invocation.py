"""Calls a function for an HTTP request, and turns its answer or failure into a response.

Statuses and bodies are those of Fn server 0.3.753. `/invoke` passes headers unchanged, `/t` with Fn's prefixes.
"""

from __future__ import annotations

import logging
import re
import secrets
from dataclasses import dataclass

import orjson

from fncast.foreign_text import clean
from functions.host.errors import Busy, CallFailed, CallTimedOut, NotStarted
from functions.host.pool import ProcessPool
from functions.host.process import FunctionAnswer
from functions.host.request import Headers

log = logging.getLogger(__name__)

# Value of Retry-After in seconds. An Fn server sends 15; here a process is free sooner.
RETRY_AFTER_S = 1
_PREFIX = "fn-http-h-"
# These belong to one connection, or each hop sets its value.
_HOP_BY_HOP = frozenset(
    ("connection", "content-length", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
     "trailer", "transfer-encoding", "upgrade")
)  # fmt: skip
_LOGGED_CHARACTERS = 500
_SHOWN_CHARACTERS = 60  # of a header in an error
_STATUS = re.compile("[2-5][0-9][0-9]")
# The characters that HTTP allows in a header (RFC 9110, 5.5 and 5.6.2). Others could forge a response.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_INVALID_VALUE = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True)
class Reply:
    """The response to the host's caller."""

    status: int
    headers: Headers
    body: bytes


def message(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """An error as Fn formats it."""
    return Reply(status, [("content-type", "application/json"), *headers], orjson.dumps({"message": text}))


async def invoke(pool: ProcessPool, headers: Headers, body: bytes) -> Reply:
    """The response to `POST /invoke/<id>`. headers: names in lower case."""
    if (repeated := _repeated(headers)) is not None:
        return message(400, repeated)
    call_id = _call_id()
    answer = await _call(pool, {**_passed(headers), "fn-call-id": call_id}, body)
    if isinstance(answer, Reply):
        return answer
    passed = [(name, value) for name, value in answer.headers if name not in _HOP_BY_HOP]
    return Reply(200, [*passed, ("fn-call-id", call_id)], answer.body)


async def trigger(pool: ProcessPool, method: str, url: str, headers: Headers, body: bytes) -> Reply:
    """The response to `/t/<app>/<source>`, any method.

    The function gets method and URL in headers and may choose the status. headers: names in lower case.
    """
    if (repeated := _repeated(headers)) is not None:
        return message(400, repeated)
    call_id = _call_id()
    sent = {_PREFIX + name: value for name, value in _passed(headers).items()}
    sent |= {name: value for name, value in headers if name == "content-type"}
    sent |= {
        "fn-call-id": call_id,
        "fn-intent": "httprequest",
        "fn-http-method": method,
        "fn-http-request-url": url,
    }
    answer = await _call(pool, sent, body)
    if isinstance(answer, Reply):
        return answer
    status = 200
    passed = []
    for name, value in answer.headers:
        if name == "fn-http-status" and _STATUS.fullmatch(value):
            status = int(value)
        elif name == "content-type":
            passed.append((name, value))
        elif name.startswith(_PREFIX) and name.removeprefix(_PREFIX) not in _HOP_BY_HOP | {"content-type"}:
            passed.append((name.removeprefix(_PREFIX), value))
    return Reply(status, [*passed, ("fn-call-id", call_id)], answer.body)


async def _call(pool: ProcessPool, headers: dict[str, str], body: bytes) -> FunctionAnswer | Reply:
    """The function's answer, or the response to its failure."""
    name = pool.folder.name
    try:
        answer = await pool.call(headers, body)
    except Busy:
        return message(503, "Timed out - server too busy", ("retry-after", str(RETRY_AFTER_S)))
    except NotStarted as error:
        log.warning("function %s cannot be called: %s", name, error)
        return message(
            502,
            "Container failed to initialize, please ensure you are using the latest fdk and check the logs",
        )
    except CallTimedOut:
        log.warning("function %s did not answer within %g s: killed", name, pool.folder.timeout_s)
        return message(504, "Timed out")
    except CallFailed as error:
        log.warning("function %s failed during a call: %s", name, clean(str(error), _LOGGED_CHARACTERS))
        return message(502, "error receiving function response")
    for field, value in answer.headers:
        if not _FIELD_NAME.fullmatch(field) or _INVALID_VALUE.search(value):
            log.warning(
                "function %s answered with the header %s, which is not valid in HTTP",
                name,
                clean(field, _SHOWN_CHARACTERS),
            )
            return message(502, "error receiving function response")
    if answer.status == 200:
        return answer
    # An Fn server drops this text. On a developer's machine it is useful.
    text = answer.body[: 4 * _LOGGED_CHARACTERS].decode("utf-8", "replace")
    log.warning("function %s failed: %s", name, clean(text, _LOGGED_CHARACTERS))
    return message(504, "Timed out") if answer.status == 504 else message(502, "function failed")


def _repeated(headers: Headers) -> str | None:
    """An error text if a header of an event in binary mode is repeated, else None."""
    values: dict[str, str] = {}
    for name, value in headers:
        if name in values:
            first, second = clean(values[name], _SHOWN_CHARACTERS), clean(value, _SHOWN_CHARACTERS)
            return f"the header {name!r} is sent twice, as {first!r} and {second!r}; send it once"
        if name.startswith("ce-") or name == "content-type":
            values[name] = value
    return None


def _passed(headers: Headers) -> dict[str, str]:
    """The headers for the function. Repeated headers are joined by commas (RFC 9110, section 5.3)."""
    passed: dict[str, str] = {}
    for name, value in headers:
        if name not in _HOP_BY_HOP:
            passed[name] = f"{passed[name]}, {value}" if name in passed else value
    return passed


def _call_id() -> str:
    return secrets.token_hex(13).upper()
