"""The broker of a benchmark: one that is there, Kafka in a container, or the embedded one."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from consumer.embedded import EmbeddedBroker
from demo.plan import free_ports

IMAGE = "apache/kafka:4.3.0"
PARTITIONS = 4
READY_S = 120.0


class NoBroker(Exception):
    """There is no broker to measure with; the text says why, and what to do."""


@dataclass(frozen=True)
class Broker:
    """embedded: keeps 5 MB a partition and isolates no transactions."""

    bootstrap_servers: str
    name: str
    embedded: bool = False

    def make_topics(self, *names: str) -> None:
        """New topics of PARTITIONS partitions. Output records carry the broker's time of append where it can do so."""
        if self.embedded:  # makes them when a producer asks, always with four partitions
            client = Producer({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
            for name in names:
                client.list_topics(name, timeout=10)
            return
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        config = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1200000"}
        made = admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config) for name in names])
        for future in made.values():
            future.result(30)

    def delete_topics(self, *names: str) -> None:
        if not self.embedded:
            admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
            for future in admin.delete_topics(list(names)).values():
                with contextlib.suppress(KafkaException):
                    future.result(30)


@contextlib.contextmanager
def broker(bootstrap_servers: str | None, embedded: bool = False) -> Iterator[Broker]:
    """The broker at `bootstrap_servers`, else one that lives as long as the context; embedded: not in a container.

    Raises NoBroker.
    """
    if bootstrap_servers:
        yield Broker(bootstrap_servers, bootstrap_servers)
    elif not embedded and _has_docker():
        with _container() as address:
            yield Broker(address, f"{IMAGE} in a container")
    else:
        one = EmbeddedBroker()
        try:
            yield Broker(one.bootstrap_servers, "the embedded one", embedded=True)
        finally:
            one.close()


def _has_docker() -> bool:
    if shutil.which("docker") is None:
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextlib.contextmanager
def _container() -> Iterator[str]:
    """Kafka on the host's network, so that no proxy stands between it and its clients."""
    port, controller = free_ports(2)
    # One property of ours drops all of the image's defaults.
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
    words = [word for pair in settings.items() for word in ("--env", "=".join(pair))]
    command = ["docker", "run", "--detach", "--rm", "--network", "host", "--name", name, *words, IMAGE]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoBroker(f"docker cannot run {IMAGE}: {done.stderr.strip()}; --embedded does without")
    try:
        _wait(f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)


def _wait(address: str) -> None:
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    deadline = time.monotonic() + READY_S
    while True:
        try:
            client.list_topics(timeout=1)
            return
        except KafkaException:
            if time.monotonic() > deadline:
                raise NoBroker(f"{IMAGE} at {address} was not ready within {READY_S:g} s") from None
