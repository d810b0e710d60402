"""Ten kinds of series for `determinism.py`, and the windows that a plain reference computes from their records."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.interceptor.assembly.reference import Partition, Setting

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
STEP_S, WINDOW, MIN_READINGS, GRACE_S = 60, 12, 3, 30
KINDS = (
    "regular",
    "jitter",
    "late",
    "repeated",
    "disordered",
    "gaps",
    "pause",
    "quiet",
    "counter_total",
    "resets_total",
)
SINGLE, MEAN = "single", "mean"  # one reading a step, and the mean of three
CONFIG = """
[[inputs]]
topic = "{single}"
format = "prometheus-json"
series = "{{kind}}"
destination = "forecast"

[[inputs]]
topic = "{mean}"
format = "telegraf-json"
series = "{{kind}}"
destination = "forecast"
aggregate = "mean"

[windows]
step = "60s"
window = 12
min_readings = 3
grace_s = 30
"""

Window = tuple[str, list[Any]]  # start, and values with None for a missing one


class Reading(NamedTuple):
    """A reading. arrival_s: the timestamp of its record. Times are whole seconds since START_S."""

    arrival_s: int
    series: str
    time_s: int
    value: int


def readings(steps: int, copies: int, each: int, rng: random.Random) -> list[Reading]:
    """Return the readings of all kinds in the order of their records. each: readings in one step."""
    found = [
        reading
        for kind in KINDS
        for copy in range(copies)
        for reading in _of_series(kind, f"{kind}-{copy}", steps, each, rng)
    ]
    return sorted(found, key=lambda reading: (reading.arrival_s, reading.series))


def _of_series(kind: str, name: str, steps: int, each: int, rng: random.Random) -> Iterator[Reading]:
    value = 0
    for number in range(steps * each):
        time_s = number * STEP_S // each
        if kind == "jitter":
            time_s += rng.randrange(10)
        value = value + rng.randrange(50) if "total" in kind else rng.randrange(1000)
        if kind == "resets_total" and rng.random() < 0.05:
            value = rng.randrange(5)
        is_gap = kind == "gaps" and rng.random() < 0.3
        is_pause = kind == "pause" and steps // 3 < number // each < steps // 3 + 2 * WINDOW
        if is_gap or is_pause or (kind == "quiet" and number // each > steps // 2):
            continue
        arrival_s = time_s
        if kind == "late" and rng.random() < 0.3:
            arrival_s += rng.choice((STEP_S // 2, 2 * STEP_S, 5 * STEP_S, 2 * WINDOW * STEP_S))
        if kind == "disordered":
            arrival_s += rng.randrange(3 * STEP_S)
        yield Reading(arrival_s, name, time_s, value)
        if kind == "repeated" and rng.random() < 0.3:
            yield Reading(arrival_s + 1, name, time_s, value + rng.randrange(2))


def encode(kind: str, reading: Reading) -> bytes:
    """Return the record's value. kind: SINGLE or MEAN."""
    at_s = START_S + reading.time_s
    if kind == SINGLE:
        name = "requests_total" if "total" in reading.series else "temperature"
        labels = {"__name__": name, "kind": reading.series}
        record = {"timestamp": text_of(at_s), "value": str(reading.value), "name": name, "labels": labels}
    else:
        fields = {"v": reading.value}
        record = {"name": "m", "tags": {"kind": reading.series}, "timestamp": at_s, "fields": fields}
    return json.dumps(record).encode()


def expected(kind: str, partition: Sequence[tuple[int, bytes]]) -> dict[str, list[tuple[str, Window]]]:
    """Return ids and windows in order, by series. partition: timestamp (s) and value of each record, in order."""
    found: dict[str, list[tuple[str, Window]]] = {}
    references: dict[str, Partition] = {}
    for timestamp_s, raw in partition:
        record = json.loads(raw)
        if kind == SINGLE:
            name, value = record["labels"]["kind"], float(record["value"])
            time_s = datetime.fromisoformat(record["timestamp"]).timestamp()
            reference = references.setdefault(name, Partition(_setting("last", is_counter="total" in name)))
        else:
            name, value = record["tags"]["kind"], float(record["fields"]["v"])
            time_s = float(record["timestamp"])
            reference = references.setdefault("", Partition(_setting("mean")))
        for window in reference.add(timestamp_s, [(name, time_s, value)]):
            _add(found, *window)
    for reference in references.values():
        for window in reference.close(float("inf")):  # the clock closes the last steps
            _add(found, *window)
    return found


def _setting(aggregate: str, *, is_counter: bool = False) -> Setting:
    return Setting(STEP_S, WINDOW, MIN_READINGS, grace=GRACE_S, aggregate=aggregate, is_counter=is_counter)


def _add(
    found: dict[str, list[tuple[str, Window]]], name: str, start_s: float, end_s: float, values: list[Any]
) -> None:
    found.setdefault(name, []).append((f"{name}@{text_of(end_s)}", (text_of(start_s), values)))


def text_of(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
