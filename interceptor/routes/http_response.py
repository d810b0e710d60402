"""Reads the HTTP response of a call: an answer, or the error for its status. docs/functions.md lists the statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

import orjson

from fncast.foreign_text import clean
from interceptor.cloudevents.answers import invalid_answer
from interceptor.cloudevents.reader import read_event
from interceptor.errors import InvalidEvent, Rejected, RetriableError
from interceptor.routes.client import EventsAnswer
from interceptor.routes.http_request import BATCH_TYPE
from interceptor.routes.redaction import redacted
from interceptor.routes.route import Route, without_secrets

TOO_LARGE = 413
_NO_EVENT = (202, 204)
# These blame the content if the function is called by URL. The Fn server also answers 400 when it lacks resources.
_REJECTIONS = (400, 415, 422)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_MAX_ERROR_CHARACTERS = 300
_MAX_ERROR_BYTES = 64 * 1024  # searched for secrets before the text is cut


def read_response(route: Route, status: int, headers: Mapping[str, str], body: bytes) -> EventsAnswer:
    """Return the answer of a 2xx response.

    Raises RetriableError, or Rejected if the function blames the events' content.
    """
    if not route.is_fn and status in _NO_EVENT:
        return EventsAnswer(None, False)
    if not 200 <= status < 300:
        raise _error(route, status, headers, body)
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if "ce-specversion" in headers and not kind.startswith("application/cloudevents"):
        return EventsAnswer(_binary_as_json(headers, body), False)
    if not body.strip():
        # The function may have lost its answer: skipping the event could lose its forecast.
        hint = "" if route.is_fn else "; answer 202 or 204 if there is no event to publish"
        raise RetriableError(
            f"{without_secrets(route.target)} answers {status} without an event{hint}", code=status
        )
    is_event = kind.startswith("application/cloudevents") and kind != BATCH_TYPE
    return EventsAnswer(body, not is_event and (kind == BATCH_TYPE or body.lstrip()[:1] == b"["))


def _binary_as_json(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a binary-mode response as one event in the JSON format. Raises RetriableError."""
    try:
        pairs: list[tuple[str, bytes | None]] = [
            (f"ce_{name[3:].lower()}", attribute_text(value).encode())
            for name, value in headers.items()
            if name.lower().startswith("ce-")
        ]
        content_type = headers.get("Content-Type")
        if content_type:
            pairs.append(("content-type", content_type.encode()))
        return read_event(pairs, body or None).to_json()
    except (InvalidEvent, UnicodeError) as error:
        raise invalid_answer(error) from None


def attribute_text(value: str) -> str:
    """Return the attribute in a header's value: a quoted string is unescaped, then the text is percent-decoded.

    Protocol: CloudEvents' HTTP binding, section 3.1.3.2; RFC 9110, section 5.6.4.
    """
    quoted = _QUOTED.fullmatch(value)
    return unquote(re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value)


def _error(route: Route, status: int, headers: Mapping[str, str], body: bytes) -> Exception:
    text = f"{without_secrets(route.target)} answers {status}: {_message(route, body)}"
    # A row of a tensor call is rejected by its reason. A status may mean that the function takes no tensors.
    blames_content = status in _REJECTIONS and not route.is_fn and not route.is_tensor
    if status == TOO_LARGE or blames_content:
        return Rejected(text, status)
    return RetriableError(text, retry_after_s(headers), code=status)


def _message(route: Route, body: bytes) -> str:
    """Return the message of Fn's error body `{"message": …}`, or any other body as text, on one line."""
    try:
        text = str(orjson.loads(body)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = body[:_MAX_ERROR_BYTES].decode("utf-8", "replace")
    return clean(redacted(text[:_MAX_ERROR_BYTES], route), _MAX_ERROR_CHARACTERS)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return `Retry-After` in seconds, from either form (RFC 9110, 10.2.3). None if it is absent or invalid."""
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value.replace(":60 ", ":59 "))  # the parser rejects leap seconds
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
