"""The load: keyed, numbered events with 1 % poison, at a steady rate."""

from __future__ import annotations

import json
import random
import threading
import time
from functools import partial
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer
from kafka_container import PARTITIONS
from victim import say

KEYS = 20
POISON_SHARE = 0.01
WINDOW = 6  # of the model, see parts.py
AHEAD = 1.0  # the model's first median is the window's mean and this


class Load(threading.Thread):
    """Produces until `enough` is set. Event n has the id `key:n` and a window of nothing but n, so that its forecast
    tells which event it is for. Half of the poison is refused by the function, half makes it fail."""

    def __init__(self, servers: str, topic: str, rate: float, randomly: random.Random, file: Path) -> None:
        super().__init__(daemon=True)
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "message.timeout.ms": 0,
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 2,
                "error_cb": lambda _: None,  # a broker that is away is no news
            }
        )
        self._topic, self._rate, self._random, self._file = topic, rate, randomly, file.open("w")
        self.enough = threading.Event()
        self.produced = self.acknowledged = 0

    def run(self) -> None:
        started_s = time.monotonic()
        while not self.enough.is_set():
            due = int((time.monotonic() - started_s) * self._rate)
            while self.produced < due:
                self._one()
            self._producer.poll(0)
            self.enough.wait(0.01)
        while self._producer.flush(1.0):
            pass
        self._file.close()

    def _one(self) -> None:
        number = self.produced
        key = self._random.randrange(KEYS)
        id_ = f"k{key}:{number}"
        data: dict[str, object] = {"start": "2026-01-01T00:00:00Z", "step_s": 60, "values": [number] * WINDOW}
        is_poison = self._random.random() < POISON_SHARE
        if is_poison:
            data |= self._random.choice(({"values": ["odd"] * WINDOW}, {"unit": "crash"}))
        attributes = {
            "specversion": "1.0",
            "id": id_,
            "source": "chaos",
            "type": "io.fncast.window.v1",
            "destination": "forecast",
        }
        headers = [(f"ce_{name}", text) for name, text in attributes.items()]
        told = {"id": id_, "key": f"k{key}", "is_poison": is_poison, "forecast": number + AHEAD}
        self._producer.produce(
            self._topic,
            json.dumps(data, separators=(",", ":")),
            f"k{key}",
            key % PARTITIONS,
            headers=[*headers, ("content-type", "application/json")],
            on_delivery=partial(self._delivered, told),
        )
        self.produced += 1

    def _delivered(self, told: dict[str, object], error: KafkaError | None, _: Message) -> None:
        """Only what the broker has acknowledged counts; per partition it is told in the order of the offsets."""
        if error is not None:
            say(f"the load was refused: {error.str()}")
            return
        self.acknowledged += 1
        self._file.write(json.dumps(told) + "\n")
