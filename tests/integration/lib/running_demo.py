"""`fncast demo` as a process, and the processes that it starts."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from fncast.demo.plan import free_ports
from tests.waiting import eventually

TIMEOUT_S = 60.0
END_S = 5.0


class Demo:
    """A running demo and the processes that it has started."""

    def __init__(self, models: Path, *words: str) -> None:
        [self.port] = free_ports(1)
        command = [
            sys.executable,
            "-m",
            "fncast",
            "demo",
            "--port",
            str(self.port),
            "--models",
            str(models),
            *words,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._seen: dict[int, psutil.Process] = {}
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def children(self) -> dict[str, psutil.Process]:
        """The running processes, by the name of the part."""
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    words = child.cmdline()
                    self._seen[child.pid] = child
                    if "--machine" in words:
                        found["machine"] = child
                    elif "fncast.demo.child" in words:
                        found[words[words.index("fncast.demo.child") + 1]] = child
                    elif "consumer.kafka.embedded" in words:
                        found["broker"] = child
        return found

    def until(self, condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Wait for the condition while the demo runs. what: for the message if it is not met in time."""

        def is_met() -> object:
            found = condition()
            assert found or self.process.poll() is None, "the demo ended:\n" + "\n".join(self.lines)
            return found

        eventually(is_met, timeout_s, lambda: "\n".join([what, *self.lines]))

    def has_moving_forecasts(self) -> bool:
        """Whether the demo has said that forecasts arrive."""
        return any("forecasts are moving" in line for line in self.lines)

    def has_restarted(self, name: str, old: int) -> bool:
        """Whether the part runs in another process than the one with this id."""
        child = self.children().get(name)
        return child is not None and child.pid != old

    def ends(self, timeout_s: float) -> str:
        """Wait for the end, check that no process is left, and return standard output."""
        assert self.process.stdout is not None
        self.process.wait(timeout_s)
        self._listening.join(END_S)
        left = [child for child in self._seen.values() if child.is_running() and child.status() != "zombie"]
        assert not left
        assert "Traceback" not in "\n".join(self.lines)
        return self.process.stdout.read()

    def records(self, topic: str) -> list[tuple[str, str, str]]:
        """Key, id and cause of each record of a topic, in the order of the partition."""
        address = next(line.split("at ")[1] for line in self.lines if " broker " in line)
        consumer = Consumer({"bootstrap.servers": address, "group.id": "look", "fetch.wait.max.ms": 10})
        try:
            partitions = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(4)]
            left = sum(consumer.get_watermark_offsets(partition, timeout=5)[1] for partition in partitions)
            consumer.assign(partitions)
            found = []
            deadline = time.monotonic() + 10
            while len(found) < left and time.monotonic() < deadline:
                for message in consumer.consume(500, 0.2):
                    headers = {name: value.decode() for name, value in message.headers() or []}
                    cause = headers.get("ce_causationid", "")
                    found.append((message.key().decode(), headers["ce_id"], cause))
            return found
        finally:
            consumer.close()

    def close(self) -> None:
        """Kill the demo and its processes."""
        self.children()
        for process in (*self._seen.values(), self.process):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
