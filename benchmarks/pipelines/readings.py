"""Readings in, on a real broker: one consumer assembles a backlog: `python -m benchmarks.pipelines.readings`.

Telegraf records of two fields. The windows are not full, so no function is called: the figure is what a reading costs
before its forecast, with polls, state, transactions and commits. CPU is that of the consumer from its first commit on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psutil
from confluent_kafka import Consumer, KafkaException, TopicPartition

from benchmarks.growth.assembly import records
from benchmarks.lib import broker as brokers
from benchmarks.lib.load import publish

WINDOW, LEAST = 512, 512  # never full
WAIT_S = 600.0


def settings(servers: str, topic: str, group: str) -> str:
    return f"""
[kafka]
bootstrap_servers = "{servers}"
group_id = "{group}"
output_topic = "{topic}-forecasts"
dead_letter_topic = "{topic}-dead"
outage_topic = "{topic}-outages"
state_topic = "{topic}-state"

[[inputs]]
topic = "{topic}"
format = "telegraf-json"
destination = "forecast"

[windows]
window = {WINDOW}
min_readings = {LEAST}
"""


def committed(reader: Consumer, topic: str) -> int:
    """The number of records before the group's committed offsets."""
    partitions = [TopicPartition(topic, number) for number in range(brokers.PARTITIONS)]
    try:
        return sum(max(0, found.offset) for found in reader.committed(partitions, 30))
    except KafkaException:  # the group has no coordinator yet
        return 0


def measure(servers: str, topic: str, count: int) -> tuple[float, float]:
    """Returns readings and CPU seconds of the consumer, both a second of the clock and a reading."""
    group = f"bench-{uuid.uuid4().hex[:8]}"
    reader = Consumer({"bootstrap.servers": servers, "group.id": group, "log_level": 0})
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "fncast.toml"
        config.write_text(settings(servers, topic, group))
        command = [sys.executable, "-m", "fncast", "consume", "--port", "0", "--config", str(config)]
        with (Path(folder) / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
            try:
                consumer = psutil.Process(process.pid)
                end_s = time.monotonic() + WAIT_S
                first = 0
                while not (first := committed(reader, topic)):
                    time.sleep(0.05)
                    if time.monotonic() > end_s or process.poll() is not None:
                        raise SystemExit((Path(folder) / "log").read_text()[-2000:])
                began_s, began_cpu_s = time.monotonic(), sum(consumer.cpu_times()[:2])
                while (done := committed(reader, topic)) < count and time.monotonic() < end_s:
                    time.sleep(0.05)
                took_s, cpu_s = time.monotonic() - began_s, sum(consumer.cpu_times()[:2]) - began_cpu_s
            finally:
                process.terminate()
    reader.close()
    readings = 2 * (done - first)
    return readings / took_s, cpu_s / readings


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bootstrap", default=None, help="a broker that runs already")
    arguments = parser.parse_args()
    history = records(arguments.series, arguments.steps)
    with brokers.broker(arguments.bootstrap) as broker:
        topic = f"readings-{uuid.uuid4().hex[:8]}"
        broker.create_topics(topic, f"{topic}-forecasts", f"{topic}-dead")
        keyed = [((each.value or b"").split(b'"host":"')[1].split(b'"')[0], each.value) for each in history]
        publish(broker.bootstrap_servers, topic, ((key, value, []) for key, value in keyed))
        for _ in range(arguments.rounds):
            per_s, cpu_s = measure(broker.bootstrap_servers, topic, len(history))
            print(f"{per_s:,.0f} readings/s, {cpu_s * 1e6:.1f} us CPU a reading")


if __name__ == "__main__":
    main()
