"""A broker that asks for a login, with and without TLS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka_container import KAFKA_IMAGE, free_port

from tests.waiting import eventually

USER, PASSWORD = "sensor", "right-9c41d7"
PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required"


@dataclass(frozen=True)
class SecuredKafka:
    """open: a listener for the clients of the test. sasl: SASL without TLS. tls: SASL over TLS. certificate: its CA."""

    bootstrap_servers: str
    sasl: str
    tls: str
    certificate: Path


@contextmanager
def secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    """A broker with these listeners. folder: takes its certificate."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.container import DockerContainer

    certificate, keystore = _certificate(folder)
    open_port, sasl_port, tls_port = free_port(), free_port(), free_port()
    container = DockerContainer(KAFKA_IMAGE).with_volume_mapping(str(folder), "/tls", "ro")
    for port in (open_port, sasl_port, tls_port):
        container.ports[port] = ("127.0.0.1", port)
    for name, value in _properties(open_port, sasl_port, tls_port, keystore).items():
        container.with_env(f"KAFKA_{name}", value)
    try:
        container.start()
        address = f"127.0.0.1:{open_port}"
        eventually(lambda: _is_ready(address), 90, lambda: b"".join(container.get_logs()).decode()[-3000:])
        yield SecuredKafka(address, f"127.0.0.1:{sasl_port}", f"127.0.0.1:{tls_port}", certificate)
    finally:
        container.stop()


def _properties(open_port: int, sasl_port: int, tls_port: int, keystore: Path) -> dict[str, str]:
    # Names of listeners with `SSL` in them would make the image require more variables.
    return {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": f"OPEN://:{open_port},LOGIN://:{sasl_port},SECURE://:{tls_port},CONTROLLER://:29093",
        "ADVERTISED_LISTENERS": f"OPEN://127.0.0.1:{open_port},LOGIN://127.0.0.1:{sasl_port},"
        f"SECURE://127.0.0.1:{tls_port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT,SECURE:SASL_SSL",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:29093",
        "INTER_BROKER_LISTENER_NAME": "OPEN",
        "SASL_ENABLED_MECHANISMS": "PLAIN,SCRAM-SHA-512",
        "AUTHORIZER_CLASS_NAME": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "SUPER_USERS": "User:ANONYMOUS",
        "ALLOW_EVERYONE_IF_NO_ACL_FOUND": "true",
        "LISTENER_NAME_LOGIN_PLAIN_SASL_JAAS_CONFIG": f'{PLAIN_LOGIN} user_{USER}="{PASSWORD}";',
        "LISTENER_NAME_LOGIN_SCRAM___SHA___512_SASL_JAAS_CONFIG": f"{SCRAM_LOGIN};",
        "LISTENER_NAME_SECURE_PLAIN_SASL_JAAS_CONFIG": f'{PLAIN_LOGIN} user_{USER}="{PASSWORD}";',
        "LISTENER_NAME_SECURE_SCRAM___SHA___512_SASL_JAAS_CONFIG": f"{SCRAM_LOGIN};",
        "LISTENER_NAME_SECURE_SSL_KEYSTORE_TYPE": "PEM",
        "LISTENER_NAME_SECURE_SSL_KEYSTORE_LOCATION": f"/tls/{keystore.name}",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "TRANSACTION_STATE_LOG_NUM_PARTITIONS": "1",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "LOG_DIRS": "/tmp/kraft",
        "HEAP_OPTS": "-Xmx384m",
    }


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Create a self-signed certificate for 127.0.0.1, and a file with certificate and key for Kafka."""
    certificate, key, keystore = (folder / name for name in ("ca.pem", "key.pem", "keystore.pem"))
    names = "subjectAltName=IP:127.0.0.1"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=kafka"]
    command = [*words, "-addext", names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    keystore.write_text(key.read_text() + certificate.read_text())
    for path in (folder, keystore):
        path.chmod(0o755)  # for the broker's user
    return certificate, keystore


def _is_ready(address: str) -> bool:
    """Whether the broker answers and knows the SCRAM user."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    user = UserScramCredentialUpsertion(USER, info, PASSWORD.encode())
    try:
        for done in admin.alter_user_scram_credentials([user], request_timeout=2).values():
            done.result(5)
    except Exception:
        return False
    return True
