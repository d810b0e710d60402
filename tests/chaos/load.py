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
from supervised_process import log_line

KEYS = 20
POISON_SHARE = 0.01
# librdkafka's idempotent producer can stop sending for good if a restart of the broker loses answers. After this time
# without an answer, a new producer replaces it.
STUCK_S = 60.0
PURGE_S = 5.0
# The most events that wait, in seconds of the rate. More would take minutes to settle on a slow machine.
MAX_WAITING_S = 20.0
WINDOW = 6  # of the model that system.py creates
NO_LIMIT = 1e9  # of a forecast
AHEAD = 1.0  # the model's first median is the window's mean plus this


class Load(threading.Thread):
    """Produces events in a thread until `enough` is set.

    Event n has the id `key:n` and a window that holds only n, so that its forecast identifies the event. The function
    rejects one half of the poison and crashes on the other. doubtful: ids of events that may or may not have reached
    the broker, because their client got stuck. settled: how many inputs have an outcome; the run sets it.
    """

    def __init__(self, servers: str, topic: str, rate: float, rng: random.Random, file: Path) -> None:
        super().__init__(daemon=True)
        self._properties = {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "message.timeout.ms": 0,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 1000,
            "log_level": 2,
            "error_cb": lambda _: None,  # a broker that is down is expected
        }
        self._producer = Producer(self._properties)
        self._topic, self._rate, self._random, self._file = topic, rate, rng, file.open("w")
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
                self._produce()
            self._producer.poll(0)
            if time.monotonic() - self._heard_at_s > STUCK_S:
                self._renew()
            self.enough.wait(0.01)
        while self._producer.flush(1.0):
            if time.monotonic() - self._heard_at_s > STUCK_S:
                self._renew()
        self._file.close()

    def _renew(self) -> None:
        log_line(f"the load's producer got no answer for {STUCK_S:g} s: a new producer replaces it")
        self._producer.purge()
        self._producer.flush(PURGE_S)
        self._producer = Producer(self._properties)
        self._heard_at_s = time.monotonic()

    def _produce(self) -> None:
        number = self.produced
        key = self._random.randrange(KEYS)
        id_ = f"k{key}:{number}"
        data: dict[str, object] = {"start": "2026-01-01T00:00:00Z", "step_s": 60, "values": [number] * WINDOW}
        # Without this limit, a window with only the value 100 counts as a percentage, whose forecast stays at 100.
        data["max"] = NO_LIMIT
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
        event = {"id": id_, "key": f"k{key}", "is_poison": is_poison, "forecast": number + AHEAD}
        self._producer.produce(
            self._topic,
            json.dumps(data, separators=(",", ":")),
            f"k{key}",
            key % PARTITIONS,
            headers=[*headers, ("content-type", "application/json")],
            on_delivery=partial(self._delivered, event),
        )
        self.produced += 1

    def _delivered(self, event: dict[str, object], error: KafkaError | None, _: Message) -> None:
        """Write the event to the file once it is acknowledged; in each partition this is the order of the offsets."""
        self._heard_at_s = time.monotonic()
        if error is not None and error.code() in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):
            self.doubtful.add(str(event["id"]))
            self._file.write(json.dumps(event | {"is_doubtful": True}) + "\n")
            return
        if error is not None:
            log_line(f"the load was rejected: {error.str()}")
            return
        self.acknowledged += 1
        self._file.write(json.dumps(event) + "\n")
