"""The embedded broker: in this process, and as a separate process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from consumer.kafka.embedded import EmbeddedBroker
from consumer.state.reader import Reader

WAIT_S = 60.0


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "consumer.kafka.embedded"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def produce(bootstrap_servers: str, topic: str, value: bytes) -> int:
    """Returns how many records the broker has not acknowledged."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    producer.produce(topic, value, partition=0)
    return producer.flush(WAIT_S)


def test_a_record_for_a_new_topic_is_stored(broker: EmbeddedBroker) -> None:
    assert produce(broker.bootstrap_servers, "new", b"value") == 0
    reader = Reader({"bootstrap.servers": broker.bootstrap_servers}, "group")
    [[message]] = reader.read(("new", 0), 0, 1)
    assert message.value() == b"value"
    reader.close()


def test_the_process_prints_its_addresses_and_ends_with_its_standard_input(
    process: subprocess.Popen[str],
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert produce(process.stdout.readline().strip(), "metrics", b"value") == 0
    process.stdin.close()
    assert process.wait(WAIT_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_without_an_error(
    process: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(number)
    assert process.wait(WAIT_S) == 0
