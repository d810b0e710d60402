"""The embedded broker in a process that a test can pause, to simulate a broker that hangs."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from confluent_kafka import Producer


class MockBroker:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "consumer.kafka.embedded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        self.producer = Producer({"bootstrap.servers": self.address, "linger.ms": 0, "log_level": 0})

    def publish(self, topic: str, value: bytes, partition: int = 0, **more: Any) -> None:
        self.producer.produce(topic, value, partition=partition, **more)
        assert self.producer.flush(10) == 0

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.communicate()
