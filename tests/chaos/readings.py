"""The load of a run with `--readings`: single readings in Telegraf's JSON, with gaps, repeats, late ones and poison."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from check_readings import MIN_READINGS, START_S, STEP_S, window_id
from confluent_kafka import KafkaError, Message
from kafka_container import PARTITIONS
from load import KEYS, POISON_SHARE, Load

REPEAT_SHARE, GAP_SHARE, LATE_SHARE = 0.05, 0.05, 0.3
MAX_VALUE = 1000
POISON = b'{"name": "odd'

CONFIG = """
[[inputs]]
topic = "{topic}"
format = "telegraf-json"
destination = "forecast"

[windows]
step = "60s"
window = 6
min_readings = 3
max = 1e9
"""


class ReadingsLoad(Load):
    """A load of readings. Only records with an outcome count as produced: poison, and readings that end a window."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._steps = [0] * KEYS  # the next step of each series
        self._counts = [0] * KEYS  # readings of each series
        self._last: dict[int, tuple[int, int]] = {}  # step and value
        self._skipped: dict[int, int] = {}
        self._poison = 0

    def _produce(self) -> None:
        """Produce records up to one that has an outcome."""
        while not self._produce_one():
            pass
        self.produced += 1

    def _produce_one(self) -> bool:
        key = self._random.randrange(KEYS)
        if self._random.random() < POISON_SHARE:
            self._poison += 1
            self._send(key, POISON, f"k{key}:poison-{self._poison}", has_outcome=True)
            return True
        if key in self._last and self._random.random() < REPEAT_SHARE:
            return self._send_reading(key, *self._last[key], has_outcome=False)
        if key in self._skipped and self._random.random() < LATE_SHARE:
            late = self._skipped.pop(key)
            return self._send_reading(key, late, self._random.randrange(MAX_VALUE), has_outcome=False)
        step = self._steps[key]
        if step and self._random.random() < GAP_SHARE:
            self._skipped[key] = step
            step += 1
        self._steps[key] = step + 1
        self._counts[key] += 1
        self._last[key] = step, self._random.randrange(MAX_VALUE)
        return self._send_reading(key, *self._last[key], has_outcome=self._counts[key] >= MIN_READINGS)

    def _send_reading(self, key: int, step: int, value: int, *, has_outcome: bool) -> bool:
        at_s = START_S + step * STEP_S
        record = {"name": "m", "tags": {"k": f"k{key}"}, "timestamp": at_s, "fields": {"v": value}}
        self._send(key, json.dumps(record).encode(), window_id(f"k{key}", at_s), has_outcome=has_outcome)
        return has_outcome

    def _send(self, key: int, value: bytes, id_: str, *, has_outcome: bool) -> None:
        self._producer.produce(
            self._topic,
            value,
            f"k{key}",
            key % PARTITIONS,
            headers=[("ce_id", id_)],
            on_delivery=partial(self._sent, {"id": id_}, has_outcome),
        )

    def _sent(
        self, event: dict[str, object], has_outcome: bool, error: KafkaError | None, message: Message
    ) -> None:
        before = self.acknowledged
        self._delivered(event, error, message)
        if not has_outcome:
            self.acknowledged = before
