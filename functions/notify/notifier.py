"""Sends anomalies and alerts of `fncast monitor` to a webhook or to Prometheus Alertmanager."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

ANOMALY, ALERT = "io.fncast.anomaly.v1", "io.fncast.alert.v1"
NONE, REJECTED, UNAVAILABLE = "io.fncast.none.v1", "io.fncast.rejected.v1", "io.fncast.unavailable.v1"
SILENT = "silent"  # the kind of an anomaly that is a series without readings
SOURCE = "fncast/notify"
TIMEOUT_S = 10.0  # to connect, and again for the response
RETRY_AFTER_S = 5.0
# Events that a call has not begun to send by then are retried: the call must end before the timeout in func.yaml.
SEND_S = 8.0
RETRY_SLOW_AFTER_S = 1.0
# Ids of events that were sent, so that a repeated call sends nothing again.
MAX_SENT = 10_000

Event = dict[str, Any]
Post = Callable[[str, bytes, Mapping[str, str]], None]


class WrongConfiguration(ValueError):
    """The function's configuration is wrong. The text names the key and the fix."""


class Unusable(ValueError):
    """An event that can never be sent. The text gives the reason."""


class Unreachable(Exception):
    """The receiver does not take the event now. The text gives the reason."""


class Notifier:
    """The function without Fn. Not thread-safe: the FDK makes one call at a time."""

    def __init__(
        self, config: Mapping[str, str], post: Post, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """config: ALERTMANAGER_URL or WEBHOOK_URL; WEBHOOK_TOKEN. post: sends a body to a URL, raises Unreachable.

        clock: monotonic, in seconds. Raises WrongConfiguration.
        """
        urls = {key: config[key] for key in ("ALERTMANAGER_URL", "WEBHOOK_URL") if config.get(key)}
        if len(urls) != 1:
            raise WrongConfiguration("set one of ALERTMANAGER_URL and WEBHOOK_URL")
        ((self._key, url),) = urls.items()
        if urlsplit(url).scheme not in ("http", "https"):
            raise WrongConfiguration(f"{self._key} must begin with http:// or https://")
        self._url = url.rstrip("/") + ("/api/v2/alerts" if self._key == "ALERTMANAGER_URL" else "")
        self._headers = {"content-type": "application/json"}
        if token := config.get("WEBHOOK_TOKEN", ""):
            self._headers["authorization"] = f"Bearer {token}"
        self._post = post
        self._clock = clock
        self._sent: OrderedDict[tuple[str, str], None] = OrderedDict()

    def answer(self, events: Sequence[object]) -> list[Event]:
        """Send the events. Returns one answer for each, in their order: of the type NONE, REJECTED or UNAVAILABLE.

        events: parsed JSON. What is not an object is rejected.
        """
        end_s = self._clock() + SEND_S
        return [
            self._answer(event, end_s)
            if isinstance(event, dict)
            else _reply({}, REJECTED, {"reason": "not a CloudEvent in JSON"})
            for event in events
        ]

    def _answer(self, event: Event, end_s: float) -> Event:
        """Send an event that was not sent yet, if it is not later than `end_s`. Returns its answer."""
        key = str(event.get("source")), str(event.get("id"))
        try:
            if key not in self._sent:
                if self._clock() > end_s:
                    data = {"reason": "the receiver is slow", "retry_after_s": RETRY_SLOW_AFTER_S}
                    return _reply(event, UNAVAILABLE, data)
                self._send(event)
                self._sent[key] = None
                if len(self._sent) > MAX_SENT:
                    self._sent.popitem(last=False)
        except Unusable as error:
            return _reply(event, REJECTED, {"reason": str(error)})
        except Unreachable as error:
            return _reply(event, UNAVAILABLE, {"reason": str(error), "retry_after_s": RETRY_AFTER_S})
        return _reply(event, NONE, None)

    def _send(self, event: Event) -> None:
        if event.get("type") not in (ANOMALY, ALERT):
            raise Unusable(f"type is {str(event.get('type'))[:80]!r}, neither {ANOMALY} nor {ALERT}")
        if not isinstance(event.get("data"), dict) or event["data"].get("state") not in ("open", "closed"):
            raise Unusable("the data has no state, open or closed")
        if self._key == "WEBHOOK_URL":
            body = json.dumps(event).encode()
            self._post(self._url, body, {**self._headers, "idempotency-key": str(event.get("id"))})
        else:
            self._post(self._url, json.dumps([to_alert(event, time.time())]).encode(), self._headers)


def read_request(body: bytes) -> tuple[list[object], bool]:
    """The events of a request, and whether they are a batch. A body that is not JSON counts as one event, None."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    return (document, True) if isinstance(document, list) else ([document], False)


def to_alert(event: Event, now_s: float) -> dict[str, Any]:
    """The event as an alert of Alertmanager's API v2.

    The events that open and close an alert have the same labels. An open alert ends a week from now, unless it is
    closed before. now_s: seconds since 1970.
    """
    data, series = event["data"], str(event.get("subject", ""))
    is_anomaly = event["type"] == ANOMALY
    name = "fncast anomaly" if is_anomaly else str(data.get("rule", "fncast alert"))
    labels = {"alertname": name, "series": series, "source": SOURCE}
    if is_anomaly:
        labels["kind"] = str(data.get("kind", ""))
        if labels["kind"] == SILENT:
            summary = f"{series}: no reading after that of {data.get('time')}"
        else:
            summary = f"{series}: {data.get('value')} instead of {data.get('expected')} at {data.get('time')}"
    elif "model" in data:
        labels["model"] = str(data["model"])
        summary = (
            f"{series}: forecasts of {data['model']} are worse than the last value, skill {data.get('skill')}"
        )
    else:
        summary = (
            f"{series} is expected {data.get('direction')} {data.get('threshold')} at {data.get('expected_at')},"
            f" probability {data.get('probability')}"
        )
    ends_s = now_s if data["state"] == "closed" else now_s + 7 * 86_400
    return {
        "labels": labels,
        "annotations": {"summary": summary, "details": json.dumps(data)},
        "startsAt": _time_text(now_s - 1),
        "endsAt": _time_text(ends_s),
    }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would send a GET without the event, and send the token to any host."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send a body. Raises Unreachable, and Unusable if the receiver says that the event is wrong."""
    request = urllib.request.Request(url, body, dict(headers), method="POST")
    try:
        with _opener.open(request, timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        if error.code in (400, 413, 415, 422):
            raise Unusable(f"the receiver answers {error.code}") from None
        hint = ": it redirects. Set the URL that it redirects to" if 300 <= error.code < 400 else ""
        raise Unreachable(f"the receiver answers {error.code}{hint}") from None
    except (OSError, http.client.HTTPException) as error:  # the latter: the answer is not HTTP
        raise Unreachable(f"the receiver cannot be reached: {error}") from None


def _reply(event: Event, type_: str, data: dict[str, Any] | None) -> Event:
    reply = {
        "specversion": "1.0",
        "id": f"{type_}-{event.get('id')}",
        "source": SOURCE,
        "type": type_,
        "causationid": event.get("id"),
        "causationsource": event.get("source"),
    }
    return reply if data is None else {**reply, "datacontenttype": "application/json", "data": data}


def _time_text(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat().replace("+00:00", "Z")
