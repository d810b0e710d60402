"""Receives what the function `notify` sends, and shows it on the demo's terminal, as a pager would."""

from __future__ import annotations

import time
from typing import Any

import orjson
from aiohttp import web

from fncast.demo.report import Report, ReportLimit
from fncast.foreign_text import clean

MAX_BYTES = 65_536
MAX_TEXT = 80
DIGITS, MAX_DIGITS = 3, 6  # of a number
MINUTE_CHARACTERS = len("2026-12-01T05:00")
STOP_S = 0.2
# At most this many messages are shown in a period. The page shows all.
SHOWN_MESSAGES, PERIOD_S = 10, 10.0


class Pager:
    """A webhook. received: how many events it got."""

    def __init__(self, report: Report) -> None:
        """report: gets "pager" and a message."""
        self.received = 0
        self._report = report
        self._limit = ReportLimit(SHOWN_MESSAGES, PERIOD_S)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError."""
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_post("/", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            event = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return web.Response(status=400)
        self.received += 1
        if self._limit.allows(time.monotonic()):
            self._report("pager", sentence(event))
        return web.Response(status=204)


def sentence(event: Any) -> str:
    """An anomaly or an alert in words. event: a CloudEvent in JSON."""
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict):
        return "an event without data"
    series, is_open = _text(event.get("subject")), data.get("state") == "open"
    if "rule" in data:
        rule, place = _text(data["rule"]), f"{_text(data.get('direction'))} {_number(data.get('threshold'))}"
        if not is_open:
            return f"{rule} closed: {series} is no longer expected {place}"
        return (
            f"{rule}: {series} is expected {place} at {_time(data.get('expected_at'))},"
            f" probability {_number(data.get('probability'))}"
        )
    if data.get("kind") == "silent":
        since = f"since that of {_time(data.get('time'))}"
        return f"{series} has " + (
            f"had no reading {since}" if is_open else f"readings again, after none {since}"
        )
    value, expected = _differing(data.get("value"), data.get("expected"))
    if is_open:
        return f"{series} is unusual: {value} instead of {expected} at {_time(data.get('time'))}"
    return (
        f"{series} is usual again; the worst was {value} instead of {expected} at {_time(data.get('time'))}"
    )


def _differing(value: object, expected: object) -> tuple[str, str]:
    """Both numbers, with three to six digits: as few as show that they differ."""
    for digits in range(DIGITS, MAX_DIGITS + 1):
        shown = _number(value, digits), _number(expected, digits)
        if shown[0] != shown[1]:
            break
    return shown


def _number(value: object, digits: int = DIGITS) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "?"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def _time(value: object) -> str:
    """An RFC 3339 time as day and minute."""
    return _text(value)[:MINUTE_CHARACTERS].replace("T", " ")


def _text(value: object) -> str:
    return clean(str(value), MAX_TEXT)
