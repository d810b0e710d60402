"""Kafka in a container, for tests and the chaos run."""

from __future__ import annotations

import contextlib
import os
import random
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from confluent_kafka.admin import AdminClient

from tests.waiting import eventually

KAFKA_IMAGE = "apache/kafka:4.3.0"
# About 6 s, and 15 s after a kill, when the old session must end first; longer on a busy machine.
START_S = 300
STOP_S = 30  # usually two seconds; then the container is killed
LOG_LINES = 5000
PARTITIONS = 4  # also the number of a topic of the embedded broker
_given: set[int] = set()


def free_port() -> int:
    """Return another free port each time, below those that Linux gives to clients and to port 0.

    One of those could be taken again before it is used, or while a test has stopped its listener.
    """
    while True:
        port = random.SystemRandom().randint(20_000, 29_000)  # other workers draw other numbers
        if port in _given:
            continue
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            _given.add(port)
            return port


@contextlib.contextmanager
def paused(container: Any) -> Iterator[None]:
    """Pause the processes of the container during the block. Its connections stay open."""
    from docker.errors import APIError

    try:
        container.pause()
    except APIError:  # a busy machine may fail to freeze it
        with contextlib.suppress(APIError):
            container.unpause()
        container.kill("SIGSTOP")
        try:
            yield
        finally:
            container.kill("SIGCONT")
    else:
        try:
            yield
        finally:
            container.unpause()


def _properties(port: int) -> dict[str, str]:
    """The properties of a broker with one listener, whose port is also that of the host."""
    return {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:29093",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:29093",
        "INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "TRANSACTION_STATE_LOG_NUM_PARTITIONS": "4",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        # After a kill, the broker is fenced until its old session has ended: 9 s by default.
        # With 2 s, a busy machine fences a running broker again and again.
        "BROKER_SESSION_TIMEOUT_MS": "6000",
        "BROKER_HEARTBEAT_INTERVAL_MS": "1000",
        "GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "GROUP_CONSUMER_SESSION_TIMEOUT_MS": "6000",
        "GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS": "1000",
        "GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS": "1000",
        "GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS": "500",
        "NUM_PARTITIONS": str(PARTITIONS),
        "LOG_DIRS": "/tmp/kraft",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "HEAP_OPTS": "-Xmx384m -Xms256m",
    }


class KafkaContainer:
    """A single node with all its properties: the image ignores its defaults as soon as one is set.

    Its topics have one replica, so a kill proves nothing about exactly-once (KAFKA-20734): for that, use
    `KafkaCluster`.
    """

    def __init__(self) -> None:
        # Without testcontainers' reaper, which is another image: the fixture stops the container.
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        from testcontainers.core.container import DockerContainer

        self.port = free_port()
        self.bootstrap_servers = f"127.0.0.1:{self.port}"
        self._container = DockerContainer(KAFKA_IMAGE)
        self._container.ports[self.port] = ("127.0.0.1", self.port)
        for name, value in _properties(self.port).items():
            self._container.with_env(f"KAFKA_{name}", value)
        try:
            self._container.start()
            self._docker = self._container.get_wrapped_container()
            self.wait()
        except BaseException:
            self._container.stop()
            raise

    @classmethod
    def attach(cls, container_id: str, bootstrap_servers: str) -> KafkaContainer:
        """Return a container that another process has started and will stop."""
        import docker

        attached = cls.__new__(cls)
        attached.bootstrap_servers = bootstrap_servers
        attached._docker = docker.from_env().containers.get(container_id)
        return attached

    @property
    def client_servers(self) -> str:
        """The address for processes of fncast; see `KafkaCluster`."""
        return self.bootstrap_servers

    @property
    def container_id(self) -> str:
        return str(self._docker.id)

    def wait(self) -> None:
        # Create a new client each time: after a closed port, a client waits before it connects again.
        def answers() -> bool:
            try:
                AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0}).list_topics(
                    timeout=1
                )
            except Exception:
                return False
            return True

        eventually(answers, START_S, "Kafka answers")

    def log(self) -> str:
        """Return the end of the log of the broker."""
        return str(self._docker.logs(tail=LOG_LINES).decode("utf-8", "replace"))

    def stop(self) -> None:
        """Stop the broker cleanly."""
        self._docker.stop(timeout=STOP_S)

    def kill(self) -> None:
        self._docker.kill()

    def paused(self) -> AbstractContextManager[None]:
        return paused(self._docker)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Keep the broker down during the block, after a kill."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def start(self) -> None:
        self._docker.start()
        self.wait()

    def close(self) -> None:
        """Stop and remove the container with its data."""
        self._docker.remove(force=True, v=True)
