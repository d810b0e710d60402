"""The Flink SQL job of docs/flink.md: its windows equal those that fncast assembles from the same readings.

Needs Java 17 and FNCAST_FLINK: a folder with the jars of Flink's `lib` and of its SQL connector for Kafka.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_container import KafkaContainer

from fncast.series.step import Step
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.readings.telegraf import TelegrafJson

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PAGE = Path(__file__).parents[3] / "docs" / "flink.md"
RUN = Path(__file__).parent / "flink" / "RunSql.java"
JARS = os.environ.get("FNCAST_FLINK", "")
OPENS = ("--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED")
JOB_S = 400
START_S, MINUTES, EACH_S = 1_767_225_600, 120, 20
GAP = range(60, 75)  # minutes in which one host is silent

Found = dict[tuple[str, str], list[float | None]]


def job() -> str:
    [sql] = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(sql)


def records() -> list[bytes]:
    """Two hours of readings of two hosts. The second one is silent for a while."""
    random_ = random.Random(1)
    return [
        json.dumps(
            {
                "name": "cpu",
                "tags": {"host": host},
                "fields": {"idle": round(random_.uniform(0, 100), 3), "version": "v6.1"},
                "timestamp": START_S + 60 * minute + second,
            }
        ).encode()
        for minute in range(MINUTES)
        for second in range(0, 60, EACH_S)
        for host in ("a", "b")
        if not (host == "b" and minute in GAP)
    ]


def of_fncast() -> Found:
    rules = Rules(window=48, minimum=24, step=Step.seconds(60), aggregate="mean")
    windows = PartitionWindows(TelegrafJson("{name}.{field} host={host}"), rules, "telegraf")
    completed = []
    for offset, value in enumerate(records()):
        decoded = TelegrafJson("{name}.{field} host={host}").decode(value, None, [], 0)
        completed += windows.add(decoded, (START_S + 60 * MINUTES) * 1000, offset)
    completed += windows.close_by_clock((START_S + 60 * MINUTES + 3600) * 1000)
    return {
        (window.series, window.start): [None if value != value else value for value in window.values]
        for window in completed
    }


def test_the_page_has_one_job_that_writes_window_events() -> None:
    """Without Flink: the parts that fncast relies on."""
    sql = job()
    assert "io.fncast.window.v1" in sql
    assert "application/cloudevents+json" in sql
    places = [int(place) for place in re.findall(r"place = (\d+)\)", sql)]
    assert places == list(range(48))


@pytest.mark.docker
@pytest.mark.slow
def test_the_windows_of_the_job_equal_those_of_fncast(kafka: KafkaContainer, tmp_path: Path) -> None:
    if not JARS or shutil.which("java") is None:
        pytest.skip("needs Java and the folder FNCAST_FLINK with the jars of Flink and its Kafka connector")
    address, name = kafka.bootstrap_servers, uuid.uuid4().hex[:8]
    source, sink = f"telegraf-{name}", f"metrics-{name}"
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.create_topics([NewTopic(source, 1), NewTopic(sink, 1)]).values():
        done.result(30)
    producer = Producer({"bootstrap.servers": address})
    for value in records():
        producer.produce(source, value)
    assert producer.flush(30) == 0
    sql = job().replace("'topic' = 'telegraf'", f"'topic' = '{source}'").replace("localhost:9092", address)
    sql = sql.replace("'topic' = 'metrics'", f"'topic' = '{sink}'")
    # So that the job ends.
    sql = sql.replace(
        "'format' = 'json',\n", "'format' = 'json',\n    'scan.bounded.mode' = 'latest-offset',\n"
    )
    file = tmp_path / "job.sql"
    file.write_text(sql)
    command = ["java", "-Xmx900m", *OPENS, "-cp", f"{JARS}/*", str(RUN), str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=JOB_S, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    ours, theirs = of_fncast(), windows_of(address, sink)
    assert theirs.keys() == ours.keys()
    for key, values in ours.items():
        assert [value is None for value in theirs[key]] == [value is None for value in values], key
        known = [value for value in values if value is not None]
        assert [value for value in theirs[key] if value is not None] == pytest.approx(known, rel=1e-9), key


def windows_of(address: str, topic: str) -> Found:
    """The windows on a topic, by series and start."""
    properties: dict[str, Any] = {
        "bootstrap.servers": address,
        "group.id": topic,
        "enable.partition.eof": True,
    }
    consumer = Consumer(properties)
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    found: Found = {}
    try:
        while (message := consumer.poll(30)) is not None and message.error() is None:
            assert dict(message.headers() or [])["content-type"] == b"application/cloudevents+json"
            event = json.loads(message.value())
            assert message.key() == event["subject"].encode()
            assert (event["type"], event["destination"]) == ("io.fncast.window.v1", "forecast")
            data = event["data"]
            found[event["subject"], data["start"]] = data["values"]
    finally:
        consumer.close()
    return found
