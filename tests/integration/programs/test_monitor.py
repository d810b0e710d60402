"""The monitor on a real broker: killed again and again, its figures equal an offline recomputation from the topics.

`FNCAST_MONITOR_KILLS=50 .venv/bin/python -m pytest tests/integration/programs/test_monitor.py` kills it more often.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_container import KafkaContainer, free_port

from fncast.series.rfc3339 import format_time
from tests.fncast.monitor.offline_accuracy import offline_figures
from tests.waiting import eventually

KILLS = int(os.environ.get("FNCAST_MONITOR_KILLS", "4"))
pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(600 + 30 * KILLS)]

START = datetime(2026, 5, 1, tzinfo=UTC)
STEP_S, WINDOW, HORIZON = 300, 4, 3
SERIES = ("cpu", "disk", "net")
READINGS = max(240, 12 * (KILLS + 1))
START_MS = int(time.time() * 1000) - 3_600_000  # Kafka deletes records that are a week old
WAIT_S = 100

StartMonitor = Callable[[], "Running"]


class Running:
    """A monitor in a process."""

    def __init__(self, config: Path, folder: Path) -> None:
        self.port = free_port()
        self._file = folder / f"monitor-{self.port}.log"
        self._log = self._file.open("w")
        command = [
            sys.executable,
            "-m",
            "fncast",
            "monitor",
            "--config",
            str(config),
            "--port",
            str(self.port),
        ]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def accuracy(self) -> dict[str, Any]:
        """By series, what GET /accuracy says; empty if it does not answer yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/accuracy", timeout=5) as answer:
                return {each["series"]: each for each in json.load(answer)["series"]}
        except OSError:
            return {}

    def wait_for_more_readings_than(self, count: int) -> None:
        """Wait until the accuracy of each series is that of more readings."""
        eventually(
            lambda: min((each["readings"] for each in self.accuracy().values()), default=0) > count,
            WAIT_S,
            lambda: f"{self.accuracy()}\n{self.log()}",
        )

    def log(self) -> str:
        return self._file.read_text()[-3000:]

    def end(self, how: signal.Signals) -> None:
        """End the process, if it runs, and wait for its end."""
        self.process.send_signal(how)
        self.process.wait(60)
        self._log.close()


@pytest.fixture
def topics(kafka: KafkaContainer) -> dict[str, str]:
    tag = uuid.uuid4().hex[:8]
    names = {
        name: f"{name}-{tag}" for name in ("metrics", "forecasts", "accuracy", "alerts", "dead", "state")
    }
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    new = [NewTopic(names[name], 2, 1) for name in ("metrics", "forecasts", "accuracy", "alerts", "dead")]
    for done in admin.create_topics(new).values():
        done.result(30)
    return names


def config(folder: Path, kafka: KafkaContainer, topics: dict[str, str]) -> Path:
    file = folder / "fncast.toml"
    file.write_text(f"""
[kafka]
bootstrap_servers = "{kafka.bootstrap_servers}"
instance = "one"
input_topics = ["{topics["metrics"]}"]
output_topic = "{topics["forecasts"]}"
dead_letter_topic = "{topics["dead"]}"
state_topic = "{topics["state"]}"
[monitor]
group_id = "{topics["metrics"]}"
accuracy_topic = "{topics["accuracy"]}"
alerts_topic = "{topics["alerts"]}"
min_history = 40
[[alerts]]
name = "hot"
above = 53.0
""")
    return file


def values(series: str) -> list[float]:
    found = 50 + np.random.default_rng(SERIES.index(series)).normal(size=READINGS)
    found[120] += 40
    return found.tolist()


def publish(producer: Producer, topics: dict[str, str], first: int, end: int) -> dict[str, list[Any]]:
    """Publish the windows and forecasts of all series. Returns the forecasts by series."""
    forecasts: dict[str, list[Any]] = {series: [] for series in SERIES}
    for at in range(max(first, WINDOW), end):
        for number, series in enumerate(SERIES):
            readings = values(series)
            start = format_time(START + timedelta(seconds=STEP_S * (at - WINDOW + 1)))
            window = {"start": start, "step_s": STEP_S, "values": readings[at - WINDOW + 1 : at + 1]}
            level = float(np.mean(readings[at - WINDOW + 1 : at + 1]))
            rows = [[level - 1.3, level, level + 1.3]] * HORIZON
            columns = {str(q): [row[place] for row in rows] for place, q in enumerate((0.1, 0.5, 0.9))}
            following = format_time(START + timedelta(seconds=STEP_S * (at + 1)))
            data = {"start": following, "step_s": STEP_S, "quantiles": columns}
            for topic, type_, content, later_ms in (
                ("metrics", "io.fncast.window.v1", window, 0),
                ("forecasts", "io.fncast.forecast.v1", data, 40),
            ):
                headers = [
                    (f"ce_{name}", value.encode())
                    for name, value in (
                        ("specversion", "1.0"),
                        ("type", type_),
                        ("source", "test"),
                        ("id", f"{series}-{at}"),
                        ("subject", series),
                        ("modelname", "forecast"),
                        ("modelversion", "3"),
                    )
                ] + [("content-type", b"application/json")]
                producer.produce(
                    topics[topic],
                    json.dumps(content),
                    series.encode(),
                    number % 2,
                    timestamp=START_MS + 1000 * at + later_ms,
                    headers=headers,
                )
            forecasts[series].append((at + 1, rows))
    assert producer.flush(60) == 0
    return forecasts


def read_committed(kafka: KafkaContainer, topic: str) -> list[Message]:
    properties = {"bootstrap.servers": kafka.bootstrap_servers, "group.id": "reader"}
    consumer = Consumer({**properties, "isolation.level": "read_committed", "enable.partition.eof": True})
    found: list[Message] = []
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        ended: set[int] = set()
        while len(ended) < len(partitions):
            message = consumer.poll(30)
            assert message is not None
            if message.error():
                ended.add(message.partition())
            else:
                found.append(message)
    finally:
        consumer.close()
    return found


def ids(kafka: KafkaContainer, topic: str) -> list[bytes]:
    return [dict(message.headers() or [])["ce_id"] for message in read_committed(kafka, topic)]


@pytest.fixture
def start_monitor(kafka: KafkaContainer, topics: dict[str, str], tmp_path: Path) -> Iterator[StartMonitor]:
    """Starts monitors of the topics. Ends those that are left."""
    file = config(tmp_path, kafka, topics)
    started: list[Running] = []

    def start() -> Running:
        started.append(Running(file, tmp_path))
        return started[-1]

    yield start
    for monitor in started:
        monitor.end(signal.SIGKILL)


@pytest.mark.guarantee(
    "After kills, the monitor's figures are those of the topics, and no event comes twice."
)
def test_figures_after_kills_equal_a_recomputation(
    kafka: KafkaContainer, topics: dict[str, str], start_monitor: StartMonitor
) -> None:
    # A new topic may reject its first records. Without idempotence, their retries come behind later records.
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0, "enable.idempotence": True}
    )
    forecasts: dict[str, list[Any]] = {series: [] for series in SERIES}
    part = READINGS // (KILLS + 1)
    for kill in range(KILLS):
        for series, found in publish(producer, topics, kill * part, (kill + 1) * part).items():
            forecasts[series] += found
        monitor = start_monitor()
        monitor.wait_for_more_readings_than(3 * part * kill + 9)  # in the middle of this part
        monitor.end(signal.SIGKILL)
    for series, found in publish(producer, topics, KILLS * part, READINGS).items():
        forecasts[series] += found
    monitor = start_monitor()
    known = {series: {at: v for at, v in enumerate(values(series)) if at >= WINDOW} for series in SERIES}
    expected = {series: offline_figures(known[series], forecasts[series]) for series in SERIES}

    def is_complete() -> bool:
        found = monitor.accuracy()
        return all(
            series in found and found[series]["readings"] >= expected[series]["readings"] for series in SERIES
        )

    eventually(is_complete, WAIT_S, lambda: str(monitor.accuracy()))
    found = monitor.accuracy()
    monitor.end(signal.SIGTERM)
    for series in SERIES:
        figures = {name: found[series][name] for name in expected[series]}
        assert figures == pytest.approx(expected[series], abs=1e-9)
    for topic in ("accuracy", "alerts"):
        published = ids(kafka, topics[topic])
        assert published
        assert len(published) == len(set(published))
