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
# Once in some sixty restarts of the broker, whose answers to 20 events were lost, librdkafka's idempotent producer sent
# nothing any more (2.16; 24 restarts in a row did not show it again). Another takes its place then.
STUCK_S = 60.0
PURGE_S = 5.0
# Events that wait, as seconds of the rate. On a machine that is slower than the rate, more would take minutes.
MAX_WAITING_S = 20.0
WINDOW = 6  # of the model, see parts.py
AHEAD = 1.0  # the model's first median is the window's mean and this


class Load(threading.Thread):
    """Produces until `enough` is set. Event n has the id `key:n` and a window of nothing but n, so that its forecast
    tells which event it is for. Half of the poison is refused by the function, half makes it fail.

    doubtful: ids of events that a stuck client may have got to the broker, or not. settled: how many inputs have an
    outcome; the run sets it."""

    def __init__(self, servers: str, topic: str, rate: float, randomly: random.Random, file: Path) -> None:
        super().__init__(daemon=True)
        self._properties = {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "message.timeout.ms": 0,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 1000,
            "log_level": 2,
            "error_cb": lambda _: None,  # a broker that is away is no news
        }
        self._producer = Producer(self._properties)
        self._topic, self._rate, self._random, self._file = topic, rate, randomly, file.open("w")
        self.enough = threading.Event()
        self.produced = self.acknowledged = self.settled = 0
        self.doubtful: set[str] = set()
        self._heard_at_s = 0.0

    def run(self) -> None:
        started_s = self._heard_at_s = time.monotonic()
        while not self.enough.is_set():
            most = self.settled + int(MAX_WAITING_S * self._rate)
            due = min(int((time.monotonic() - started_s) * self._rate), most)
            while self.produced < due:
                self._one()
            self._producer.poll(0)
            if time.monotonic() - self._heard_at_s > STUCK_S:
                self._renew()
            self.enough.wait(0.01)
        while self._producer.flush(1.0):
            if time.monotonic() - self._heard_at_s > STUCK_S:
                self._renew()
        self._file.close()

    def _renew(self) -> None:
        say(f"the load's client was told nothing for {STUCK_S:g} s: another one goes on")
        self._producer.purge()
        self._producer.flush(PURGE_S)
        self._producer = Producer(self._properties)
        self._heard_at_s = time.monotonic()

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
        """What the broker has acknowledged counts; per partition it is told in the order of the offsets."""
        self._heard_at_s = time.monotonic()
        if error is not None and error.code() in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            self.doubtful.add(str(told["id"]))
            self._file.write(json.dumps(told | {"is_doubtful": True}) + "\n")
            return
        if error is not None:
            say(f"the load was refused: {error.str()}")
            return
        self.acknowledged += 1
        self._file.write(json.dumps(told) + "\n")
