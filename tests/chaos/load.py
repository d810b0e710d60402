"""The load: keyed, numbered events with 1 % poison, at a steady rate."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import IO

from confluent_kafka import Producer
from kafka_container import PARTITIONS

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
                "log_level": 2,
            }
        )
        self._topic, self._rate, self._random, self._file = topic, rate, randomly, file
        self.enough = threading.Event()
        self.produced = 0

    def run(self) -> None:
        started_s = time.monotonic()
        with self._file.open("w") as file:
            while not self.enough.is_set():
                due = int((time.monotonic() - started_s) * self._rate)
                while self.produced < due:
                    self._one(file)
                self._producer.poll(0)
                self.enough.wait(0.01)
        while self._producer.flush(1.0):
            pass

    def _one(self, file: IO[str]) -> None:
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
        self._producer.produce(
            self._topic,
            json.dumps(data, separators=(",", ":")),
            f"k{key}",
            key % PARTITIONS,
            headers=[*headers, ("content-type", "application/json")],
        )
        told = {"id": id_, "key": f"k{key}", "is_poison": is_poison, "forecast": number + AHEAD}
        file.write(json.dumps(told) + "\n")
        self.produced += 1
