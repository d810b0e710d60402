"""One Kafka node in a container, reachable from this machine and from containers in its network."""

from __future__ import annotations

import socket
from typing import Any

from testcontainers.core.container import DockerContainer

from fncast.testing import address

IMAGE = "apache/kafka:4.3.0"
ALIAS = "kafka"
INSIDE = f"{ALIAS}:9092"
# The image ignores all its defaults as soon as one setting is given, so these settings are complete for a single node.
SETTINGS = {
    "NODE_ID": "1",
    "PROCESS_ROLES": "broker,controller",
    "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT",
    "INTER_BROKER_LISTENER_NAME": "INSIDE",
    "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "OFFSETS_TOPIC_NUM_PARTITIONS": "1",
    "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "TRANSACTION_STATE_LOG_NUM_PARTITIONS": "1",
    "SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
    "SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "AUTO_CREATE_TOPICS_ENABLE": "false",
}


def kafka_container(network: Any) -> tuple[DockerContainer, int]:
    """The container, not yet started, and its port on this machine."""
    port = _free_port()  # chosen before the start: Kafka must advertise its address
    container = DockerContainer(IMAGE).with_network(network).with_network_aliases(ALIAS)
    host = address.host(container)
    # Clients need no login. If the Docker engine is on this machine, the port is bound to the loopback address.
    container.ports[str(port)] = address.binding(host, port)  # type: ignore[assignment]
    addresses = {
        "LISTENERS": f"INSIDE://:9092,OUTSIDE://:{port},CONTROLLER://localhost:9093",
        "ADVERTISED_LISTENERS": f"INSIDE://{INSIDE},OUTSIDE://{host}:{port}",
    }
    for name, value in {**SETTINGS, **addresses}.items():
        container.with_env(f"KAFKA_{name}", value)
    return container, port


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
