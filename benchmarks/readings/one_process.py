"""One process without a network hop: it decodes readings, assembles windows, scores them with LiteRT, and produces.

`python -m benchmarks.readings.one_process SERVERS GROUP TOPIC OUTPUT MODEL.tflite at-least-once|exactly-once`
The environment variable COMMIT_S is the commit interval in seconds.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import orjson
from confluent_kafka import Message

from benchmarks.pipelines.limit import Headers, Limit
from benchmarks.readings.programs import MIN_READINGS, WINDOW

RING = 128  # readings that are kept of a series: a window, and what one poll can add
STEP_S = 10


class AssemblingLimit(Limit):
    """The loop of the limit with single readings, which must be in order and without gaps.

    Each series has a slot: an index into the names, the rings with the last readings, and the counts of all readings.
    """

    def __init__(self, *words: str) -> None:
        super().__init__(*words)
        self._slots: dict[tuple[str, ...], int] = {}
        self._names: list[str] = []
        self._rings = np.full((0, RING), np.nan)
        self._counts: list[int] = []

    def _score(self, batch: list[Message]) -> None:
        slots, values, indexes, messages, times_s = [], [], [], [], []
        for message in batch:
            record = orjson.loads(message.value() or b"")
            tags = record["tags"]
            for field, value in record["fields"].items():
                slot = self._slot((record["name"], field, *tags.values()), tags)
                index = self._counts[slot]
                self._counts[slot] += 1
                slots.append(slot)
                values.append(value)
                indexes.append(index)
                messages.append(message)
                times_s.append(record["timestamp"])
            self._positions[message.partition() or 0] = (message.offset() or 0) + 1
        if not slots:
            return
        rows, newest = np.array(slots), np.array(indexes)
        self._rings[rows, newest % RING] = values
        scored = np.flatnonzero(newest >= MIN_READINGS - 1)
        if len(scored):
            offsets = np.arange(1 - WINDOW, 1)
            windows = self._rings[rows[scored, None], (newest[scored, None] + offsets) % RING]
            self._publish(windows, [(self._names[slots[n]], messages[n], times_s[n]) for n in scored])
        self._producer.poll(0)

    def _slot(self, key: tuple[str, ...], tags: dict[str, str]) -> int:
        """Return the slot of a series, which is created for its first reading. key: metric, field and tags."""
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self._names)
            labels = " ".join(f"{name}={value}" for name, value in sorted(tags.items()))
            self._names.append(f"{key[0]}.{key[1]} {labels}")
            self._counts.append(0)
            if slot >= len(self._rings):
                self._rings = np.vstack([self._rings, np.full((max(1024, slot), RING), np.nan)])
        return slot

    def _publish(self, windows: np.ndarray, origins: list[tuple[str, Message, int]]) -> None:
        """Score and publish windows (count, WINDOW). origins: for each, its series, its record and its last time."""
        last = windows[:, -1:]
        moves = self._runner(windows=np.nan_to_num(windows - last).astype(np.float32))["forecast"]
        levels = (moves + last[:, :, None]).transpose(0, 2, 1).tolist()
        for (name, message, time_s), (low, median, high) in zip(origins, levels, strict=True):
            value = orjson.dumps(
                {
                    "start": time_text(time_s + STEP_S),
                    "step_s": STEP_S,
                    "values": median,
                    "quantiles": {"0.1": low, "0.5": median, "0.9": high},
                }
            )
            headers = _headers(name, time_text(time_s))
            self._producer.produce(self._output, value, name, message.partition() or 0, headers=headers)


@lru_cache(1024)
def time_text(time_s: int) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _headers(name: str, end: str) -> Headers:
    """Return the headers of the forecast, the same attributes as fncast's."""
    series = name.encode()
    cause = b"%b@%b" % (series, end.encode())
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"forecast-%b" % cause),
        ("ce_source", b"limit"),
        ("ce_type", b"io.fncast.forecast.v1"),
        ("ce_subject", series),
        ("ce_partitionkey", series),
        ("ce_causationid", cause),
        ("ce_causationsource", b"kafka"),
        ("ce_modelname", b"forecast"),
        ("ce_modelversion", b"1"),
        ("content-type", b"application/json"),
    ]


if __name__ == "__main__":
    AssemblingLimit(*sys.argv[1:]).run()
