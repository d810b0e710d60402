"""Live readings: 500 a second, one field for each of 500 hosts, a step of one second."""

from __future__ import annotations

import asyncio
import calendar
import time
from collections.abc import Iterator

from benchmarks.lib.load import Record, publish
from benchmarks.readings import history
from benchmarks.readings.programs import MIN_READINGS

HOSTS = 500
STEP_S = 1
HISTORY = MIN_READINGS + 3  # steps before the live ones, so that each live reading is forecast
FIELD = "usage_0"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"  # of the id of a window


def past(start_s: int) -> Iterator[Record]:
    """Yield the readings before the start."""
    return history.backlog(HOSTS, HISTORY, 1, 0, STEP_S, start_s - HISTORY * STEP_S)


def records(start_s: int, seconds: int) -> Iterator[Record]:
    """Yield the live readings, spread over each second by their order."""
    return history.backlog(HOSTS, seconds, 1, 0, STEP_S, start_s)


async def send(servers: str, topic: str, start_s: int, seconds: int) -> None:
    """Publish the live readings at their pace. start_s: their first step, since 1970; it begins now."""
    await asyncio.to_thread(publish, servers, topic, records(start_s, seconds), HOSTS / STEP_S)


def now_s() -> int:
    return int(time.time())


def window_id(host: int, at_s: int) -> str:
    """Return the id of the window that this reading completes."""
    return f"{history.series_name(host, FIELD)}@{time.strftime(TIME_FORMAT, time.gmtime(at_s))}"


def window_end_s(id_: str) -> int:
    """Return the time in the id of a window, in seconds since 1970."""
    return calendar.timegm(time.strptime(id_.rpartition("@")[2], TIME_FORMAT))
