"""The limit: one process without a network hop. It consumes, scores batches with LiteRT, and produces.

`python -m benchmarks.pipelines.limit SERVERS GROUP TOPIC OUTPUT MODEL.tflite at-least-once|exactly-once`
The environment variable COMMIT_S is the commit interval in seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
from ai_edge_litert.interpreter import Interpreter
from confluent_kafka import Consumer, Message, Producer, TopicPartition

WINDOW = 48
BATCH = 512
POLL_S = 0.05
COMMIT_S = float(os.environ["COMMIT_S"])
Headers = list[tuple[str, str | bytes | None]]


class Limit:
    """The loop. Its positions are the offsets after the records that are published and not committed yet."""

    def __init__(self, servers: str, group: str, topic: str, output: str, model: str, delivery: str) -> None:
        self._topic, self._output = topic, output
        self._exactly_once = delivery == "exactly-once"
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        transactional = {"transactional.id": group} if self._exactly_once else {}
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "linger.ms": 1,  # like fncast
                "queue.buffering.max.messages": 1_000_000,
                **transactional,
            }
        )
        self._runner = Interpreter(model_path=model, num_threads=1).get_signature_runner()
        self._positions: dict[int, int] = {}
        self._stopping = False

    def run(self) -> None:
        """Process events until SIGINT or SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        if self._exactly_once:
            self._producer.init_transactions()
            self._producer.begin_transaction()
        self._consumer.subscribe([self._topic])
        due_s = time.monotonic() + COMMIT_S
        while not self._stopping:
            batch = self._consumer.consume(1, POLL_S)
            if batch:
                batch += self._consumer.consume(BATCH - 1, 0)
                self._score([message for message in batch if message.error() is None])
            if self._positions and time.monotonic() > due_s:
                self._commit()
                due_s = time.monotonic() + COMMIT_S
        if self._positions:
            self._commit()
        self._consumer.close()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _score(self, batch: list[Message]) -> None:
        data = [orjson.loads(message.value() or b"") for message in batch]
        windows = np.array([window["values"][-WINDOW:] for window in data], np.float64)
        last = windows[:, -1:]
        moves = self._runner(windows=(windows - last).astype(np.float32))["forecast"]
        levels = (moves + last[:, :, None]).transpose(0, 2, 1).tolist()
        for message, window, (low, median, high) in zip(batch, data, levels, strict=True):
            partition = message.partition() or 0
            value = _forecast(window, low, median, high)
            self._producer.produce(self._output, value, message.key(), partition, headers=_headers(message))
            self._positions[partition] = (message.offset() or 0) + 1
        self._producer.poll(0)

    def _commit(self) -> None:
        offsets = [
            TopicPartition(self._topic, partition, offset) for partition, offset in self._positions.items()
        ]
        self._positions.clear()
        if self._exactly_once:
            metadata = self._consumer.consumer_group_metadata()
            self._producer.send_offsets_to_transaction(offsets, metadata)
            self._producer.commit_transaction()
            self._producer.begin_transaction()
        else:
            self._producer.flush()
            self._consumer.commit(offsets=offsets, asynchronous=False)


def _forecast(data: dict[str, Any], low: list[float], median: list[float], high: list[float]) -> bytes:
    step = timedelta(seconds=data["step_s"] * len(data["values"]))
    start = datetime.fromisoformat(data["start"]) + step
    return orjson.dumps(
        {
            "start": start,
            "step_s": data["step_s"],
            "values": median,
            "quantiles": {"0.1": low, "0.5": median, "0.9": high},
            "unit": data.get("unit"),
            "filled": 0,
        },
        option=orjson.OPT_UTC_Z,
    )


def _headers(message: Message) -> Headers:
    """Return the headers of the forecast, the same attributes as fncast's."""
    event: dict[str, Any] = dict(message.headers() or ())
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"forecast-%b" % event["ce_id"]),
        ("ce_source", b"limit"),
        ("ce_type", b"io.fncast.forecast.v1"),
        ("ce_subject", event["ce_subject"]),
        ("ce_partitionkey", event["ce_partitionkey"]),
        ("ce_causationid", event["ce_id"]),
        ("ce_causationsource", event["ce_source"]),
        ("ce_modelname", b"forecast"),
        ("ce_modelversion", b"1"),
        ("content-type", b"application/json"),
    ]


if __name__ == "__main__":
    Limit(*sys.argv[1:]).run()
