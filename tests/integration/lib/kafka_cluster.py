"""Three Kafka nodes in containers, each broker and controller: for tests of faults in one of them at a time.

Every topic has three replicas and needs two in sync. `bootstrap_servers` leads to the brokers directly. A client that
starts from `client_servers` reaches every broker through a proxy, whose connections can be cut and stalled.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

import docker
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from kafka_container import KAFKA_IMAGE, LOG_LINES, PARTITIONS, STOP_S, free_port
from proxy import Proxies

from tests.waiting import eventually

NODES = 3
HEALTHY_S = 600.0  # about 30 s at the start and 20 s after a restart; much longer on a busy machine
OURS = "fncast-test"  # the label of what a test run has created


class KafkaCluster:
    def __init__(self) -> None:
        self._docker = docker.from_env()
        self._name = f"kafka-{uuid.uuid4().hex[:8]}"
        self._network: Any = None
        self.nodes: list[Any] = []
        direct = [free_port() for _ in range(NODES)]
        behind = [free_port() for _ in range(NODES)]
        self.proxies = Proxies([("127.0.0.1", port) for port in behind])
        self.bootstrap_servers = ",".join(f"127.0.0.1:{port}" for port in direct)
        self.client_servers = ",".join(f"127.0.0.1:{port}" for port in self.proxies.ports)
        try:
            self._network = self._docker.networks.create(self._name, labels={OURS: ""})
            for number in range(NODES):
                ports = (direct[number], behind[number], self.proxies.ports[number])
                self.nodes.append(self._create_node(number + 1, *ports))
                self.nodes[-1].start()
            self.wait()
        except BaseException:
            self.close()
            raise

    def _create_node(self, node: int, direct: int, behind: int, proxied: int) -> Any:
        voters = ",".join(f"{n}@{self._name}-{n}:29093" for n in range(1, NODES + 1))
        host = f"{self._name}-{node}"
        properties = {
            "NODE_ID": str(node),
            "PROCESS_ROLES": "broker,controller",
            "LISTENERS": f"INSIDE://:29092,CONTROLLER://:29093,DIRECT://:{direct},PROXIED://:{behind}",
            "ADVERTISED_LISTENERS": f"INSIDE://{host}:29092,DIRECT://127.0.0.1:{direct}"
            f",PROXIED://127.0.0.1:{proxied}",
            "LISTENER_SECURITY_PROTOCOL_MAP": "INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT,DIRECT:PLAINTEXT"
            ",PROXIED:PLAINTEXT",
            "INTER_BROKER_LISTENER_NAME": "INSIDE",
            "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "CONTROLLER_QUORUM_VOTERS": voters,
            "OFFSETS_TOPIC_REPLICATION_FACTOR": str(NODES),
            "OFFSETS_TOPIC_NUM_PARTITIONS": "4",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": str(NODES),
            "TRANSACTION_STATE_LOG_MIN_ISR": "2",
            "TRANSACTION_STATE_LOG_NUM_PARTITIONS": "4",
            "DEFAULT_REPLICATION_FACTOR": str(NODES),
            "MIN_INSYNC_REPLICAS": "2",
            "NUM_PARTITIONS": str(PARTITIONS),
            "AUTO_CREATE_TOPICS_ENABLE": "false",
            "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "GROUP_CONSUMER_SESSION_TIMEOUT_MS": "10000",
            "GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS": "5000",
            "GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS": "2000",
            "GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS": "1000",
            # With 2 s, a busy machine elects controllers again and again.
            "CONTROLLER_QUORUM_REQUEST_TIMEOUT_MS": "6000",
            "CONTROLLER_QUORUM_FETCH_TIMEOUT_MS": "6000",
            "CONTROLLER_QUORUM_ELECTION_TIMEOUT_MS": "3000",
            "LOG_DIRS": "/tmp/kraft",
            "LOG_CLEANER_DEDUPE_BUFFER_SIZE": "16777216",  # 128 MB by default: half of the heap
            "HEAP_OPTS": "-Xmx256m -Xms128m",
        }
        return self._docker.containers.create(
            KAFKA_IMAGE,
            name=host,
            hostname=host,
            network=self._name,
            labels={OURS: ""},
            environment={f"KAFKA_{name}": value for name, value in properties.items()},
            ports={f"{port}/tcp": ("127.0.0.1", port) for port in (direct, behind)},
        )

    def wait(self, within_s: float = HEALTHY_S) -> None:
        """Wait until all replicas of all topics are in sync on three brokers. Fails at once if a node has ended."""
        eventually(self.is_healthy, within_s, lambda: f"a healthy cluster: {self.log()[-2000:]}")

    def is_healthy(self) -> bool:
        for node in self.nodes:
            node.reload()
            assert node.status != "exited", (
                f"{node.name} has ended: {node.logs(tail=20).decode(errors='replace')}"
            )
        return all(map(sees_all_in_sync, self.bootstrap_servers.split(",")))

    def log(self) -> str:
        """Return the end of the logs of the brokers."""
        return "\n".join(node.logs(tail=LOG_LINES).decode("utf-8", "replace") for node in self.nodes)

    def restart(self, node: Any, *, is_killed: bool = False) -> None:
        """Stop the node cleanly, or kill it, and start it again."""
        if is_killed:
            node.kill()
        else:
            node.stop(timeout=STOP_S)
        node.start()

    def roll(self) -> None:
        """Restart the nodes one after the other, each when all replicas are in sync."""
        for node in self.nodes:
            self.restart(node)
            self.wait()

    def close(self) -> None:
        """Stop and remove nodes, network and proxies."""
        try:
            self.proxies.close()
        finally:
            for node in self.nodes:
                with contextlib.suppress(docker.errors.APIError):
                    node.remove(force=True, v=True)
            if self._network is not None:
                with contextlib.suppress(docker.errors.APIError):
                    self._network.remove()


def sees_all_in_sync(server: str) -> bool:
    """Whether this node answers, sees three brokers, and all replicas are in sync."""
    admin = AdminClient({"bootstrap.servers": server, "log_level": 0})
    try:
        cluster = admin.list_topics(timeout=2)
    except KafkaException:
        return False
    partitions = [found for topic in cluster.topics.values() for found in topic.partitions.values()]
    return len(cluster.brokers) == NODES and all(len(found.isrs) == NODES for found in partitions)
