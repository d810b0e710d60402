"""Telegraf records of a benchmark, keyed by host so that a series stays in one partition."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from benchmarks.lib.load import Record

START_S, STEP_S = 1_767_225_600, 10


def series_name(host: int, field: str) -> str:
    """Return the name that fncast gives the series."""
    return f"cpu.{field} cpu=cpu-total host=web-{host}"


def telegraf(host: int, at_s: int, values: dict[str, float]) -> Record:
    """Return the record of a host. values: by field. at_s: its time, in seconds since 1970."""
    tags = {"cpu": "cpu-total", "host": f"web-{host}"}
    metric = {"fields": values, "name": "cpu", "tags": tags, "timestamp": at_s}
    return f"web-{host}", orjson.dumps(metric), []


def backlog(
    hosts: int,
    steps: int,
    *,
    fields: int = 2,
    first_step: int = 0,
    step_s: int = STEP_S,
    start_s: int = START_S,
) -> Iterator[Record]:
    """Yield a record of each host for each step, in the order of their times.

    fields: readings of a record. start_s: the time of step 0, in seconds since 1970.
    """
    for step in range(first_step, first_step + steps):
        values = {f"usage_{field}": 98.25 - field - step % (7 + field) for field in range(fields)}
        for host in range(hosts):
            yield telegraf(host, start_s + step * step_s, values)


def host_and_time(value: bytes) -> tuple[int, int]:
    """Return the host and the time of a record, in seconds since 1970."""
    metric = orjson.loads(value)
    return int(metric["tags"]["host"].removeprefix("web-")), metric["timestamp"]
