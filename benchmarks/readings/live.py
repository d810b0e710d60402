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
PAST_STEPS = MIN_READINGS + 3  # before the live ones, so that each live reading is forecast
PAST_FORECASTS = PAST_STEPS - MIN_READINGS + 1  # of each host, before the live ones
FIELD = "usage_0"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"  # of the id of a window


def past_records(start_s: int) -> Iterator[Record]:
    """Yield the readings before `start_s`, in seconds since 1970."""
    return history.backlog(HOSTS, PAST_STEPS, fields=1, step_s=STEP_S, start_s=start_s - PAST_STEPS * STEP_S)


def records(start_s: int, seconds: int) -> Iterator[Record]:
    """Yield the live readings in the order in which they are to be sent, spread over each second."""
    return history.backlog(HOSTS, seconds, fields=1, step_s=STEP_S, start_s=start_s)


async def send(servers: str, topic: str, start_s: int, seconds: int) -> None:
    """Publish the live readings at their pace. start_s: the current time, which is that of the first step."""
    await asyncio.to_thread(publish, servers, topic, records(start_s, seconds), HOSTS / STEP_S)


def now_s() -> int:
    return int(time.time())


def window_id(host: int, at_s: int) -> str:
    """Return the id of the window that this reading completes."""
    return f"{history.series_name(host, FIELD)}@{time.strftime(TIME_FORMAT, time.gmtime(at_s))}"


def window_end_s(id_: str) -> int:
    """Return the time in the id of a window, in seconds since 1970."""
    return calendar.timegm(time.strptime(id_.rpartition("@")[2], TIME_FORMAT))
