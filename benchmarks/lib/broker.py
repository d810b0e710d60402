"""The broker of a benchmark: a running one, or Kafka in a container."""

from __future__ import annotations

import contextlib
import math
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from benchmarks.lib.failure import MeasurementFailed
from fncast.demo.plan import free_ports

IMAGE = "apache/kafka:4.3.0"
PARTITIONS = 4
LOG_APPEND_TIME, CREATE_TIME = "LogAppendTime", "CreateTime"
READY_S = 120.0
ANSWER_S = 10.0
TICK_S = 0.01  # the unit of CPU times in Linux's /proc
HINT = "--bootstrap HOST:PORT uses a running broker"


class NoBroker(MeasurementFailed):
    """There is no broker to measure with. The text says why, and what to do."""


@dataclass(frozen=True)
class Broker:
    """A running broker. name: for the reader of a result. container: its name; None if the broker is not ours."""

    bootstrap_servers: str
    name: str
    container: str | None = None

    def create_topics(
        self, *names: str, partitions: int = PARTITIONS, timestamps: str = LOG_APPEND_TIME
    ) -> None:
        """Create topics. timestamps: LOG_APPEND_TIME for the broker's clock, CREATE_TIME for the producer's."""
        config = {"message.timestamp.type": timestamps, "max.message.bytes": "1200000"}
        admin = self._admin()
        created = admin.create_topics([NewTopic(name, partitions, 1, config=config) for name in names])
        for future in created.values():
            future.result(30)

    def delete_topics(self, *names: str) -> None:
        """Delete topics. A topic that cannot be deleted is left."""
        admin = self._admin()
        for future in admin.delete_topics(list(names)).values():
            with contextlib.suppress(KafkaException):
                future.result(30)

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far; NaN if the broker is not ours."""
        if self.container is None:
            return math.nan
        command = ["docker", "exec", self.container, "cat", "/proc/1/stat"]
        output = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        times = output.rpartition(")")[2].split()[11:13]  # user and system; proc(5)
        return sum(map(float, times)) * TICK_S if times else math.nan

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})


@contextlib.contextmanager
def broker(bootstrap_servers: str | None) -> Iterator[Broker]:
    """Yield the broker at `bootstrap_servers`, else one in a container that ends with the context. Raises NoBroker."""
    if bootstrap_servers:
        client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
        try:
            client.list_topics(timeout=ANSWER_S)
        except KafkaException:
            raise NoBroker(f"no broker answers at {bootstrap_servers}; check --bootstrap") from None
        yield Broker(bootstrap_servers, "a running broker")
    elif shutil.which("docker") is None:
        raise NoBroker(f"there is no Docker to run Kafka in; {HINT}")
    else:
        with _container() as started:
            yield started


@contextlib.contextmanager
def _container() -> Iterator[Broker]:
    """Yield Kafka on the host's network, so that there is no proxy between Kafka and its clients. Raises NoBroker."""
    port, controller = free_ports(2)
    # The image ignores all its defaults as soon as one setting is given.
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@127.0.0.1:{controller}",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_NUM_PARTITIONS": str(PARTITIONS),
        "KAFKA_HEAP_OPTS": "-Xms512m -Xmx512m",
    }
    name = f"fncast-benchmark-{uuid.uuid4().hex[:8]}"
    flags = [word for pair in settings.items() for word in ("--env", "=".join(pair))]
    command = ["docker", "run", "--detach", "--rm", "--network", "host", "--name", name, *flags, IMAGE]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoBroker(f"Docker cannot run {IMAGE}: {done.stderr.strip()}; {HINT}")
    try:
        _wait_until_ready(f"127.0.0.1:{port}")
        yield Broker(f"127.0.0.1:{port}", f"{IMAGE} in a container", name)
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)


def _wait_until_ready(address: str) -> None:
    """Wait until the broker answers. Raises NoBroker after READY_S."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    deadline_s = time.monotonic() + READY_S
    while True:
        try:
            client.list_topics(timeout=1)
            return
        except KafkaException:
            if time.monotonic() > deadline_s:
                raise NoBroker(f"{IMAGE} at {address} was not ready within {READY_S:g} s") from None
