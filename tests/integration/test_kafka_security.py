"""SASL and TLS with Kafka by [kafka.client] alone: the right secret works, and a wrong one is reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from fake_function import Function
from kafka_container import KAFKA_IMAGE, PARTITIONS, eventually, free_port
from testbed import DeliveryTestbed

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(300)]

USER, PASSWORD, WRONG = "sensor", "right-9c41d7", "wrong-5e88a2"
PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required"


@dataclass(frozen=True)
class SecuredKafka:
    """open: a listener for the clients of the test. sasl: SASL without TLS. tls: SASL over TLS. certificate: its CA."""

    bootstrap_servers: str
    sasl: str
    tls: str
    certificate: Path


@pytest.fixture(scope="module")
def secured(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.container import DockerContainer

    folder = tmp_path_factory.mktemp("tls")
    certificate, keystore = _certificate(folder)
    open_port, sasl_port, tls_port = free_port(), free_port(), free_port()
    container = DockerContainer(KAFKA_IMAGE).with_volume_mapping(str(folder), "/tls", "ro")
    for port in (open_port, sasl_port, tls_port):
        container.ports[port] = ("127.0.0.1", port)
    # Names of listeners with `SSL` in them would make the image require more variables.
    for name, value in {
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
    }.items():
        container.with_env(f"KAFKA_{name}", value)
    try:
        container.start()
        address = f"127.0.0.1:{open_port}"
        eventually(lambda: _is_ready(address), 90, lambda: b"".join(container.get_logs()).decode()[-3000:])
        yield SecuredKafka(address, f"127.0.0.1:{sasl_port}", f"127.0.0.1:{tls_port}", certificate)
    finally:
        container.stop()


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


@pytest.fixture
def secured_testbed(secured: SecuredKafka, function: Function, tmp_path: Path) -> Iterator[DeliveryTestbed]:
    testbed = DeliveryTestbed(secured.bootstrap_servers, "exactly-once", function, tmp_path)
    names = (testbed.metrics, testbed.forecasts, testbed.dead)
    testbed.create_topics(*(NewTopic(name, PARTITIONS) for name in names))
    yield testbed
    testbed.close()


def login(secured: SecuredKafka, protocol: str, mechanism: str, password_file: Path) -> dict[str, str]:
    """Return the settings of the consumer, with the password in a file."""
    variables = {
        "KAFKA__BOOTSTRAP_SERVERS": secured.tls if protocol == "SASL_SSL" else secured.sasl,
        "KAFKA__CLIENT__SECURITY_PROTOCOL": protocol,
        "KAFKA__CLIENT__SASL_MECHANISM": mechanism,
        "KAFKA__CLIENT__SASL_USERNAME": USER,
        "KAFKA__CLIENT__SASL_PASSWORD_FILE": str(password_file),
    }
    if protocol == "SASL_SSL":
        variables["KAFKA__CLIENT__SSL_CA_LOCATION"] = str(secured.certificate)
    return variables


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_events_are_forecast_over_a_secured_connection(
    secured: SecuredKafka, secured_testbed: DeliveryTestbed, protocol: str, mechanism: str, tmp_path: Path
) -> None:
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD + "\n")
    ids = secured_testbed.produce_many(20)
    consumer = secured_testbed.consume(**login(secured, protocol, mechanism, password_file))
    assert len(secured_testbed.wait_for(secured_testbed.forecasts, len(ids))) == len(ids)
    assert PASSWORD not in consumer.log()


@pytest.mark.guarantee("a wrong password is reported and not shown")
def test_a_wrong_password_is_named_and_not_shown(
    secured: SecuredKafka, secured_testbed: DeliveryTestbed, tmp_path: Path
) -> None:
    password_file = tmp_path / "password"
    password_file.write_text(WRONG)
    consumer = secured_testbed.consume(**login(secured, "SASL_SSL", "SCRAM-SHA-512", password_file))
    assert consumer.wait(60) == 1
    assert "Authentication failed" in consumer.log()
    assert WRONG not in consumer.log()


def test_a_certificate_of_an_unknown_ca_is_rejected(
    secured: SecuredKafka, secured_testbed: DeliveryTestbed, tmp_path: Path
) -> None:
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD)
    variables = login(secured, "SASL_SSL", "PLAIN", password_file)
    del variables["KAFKA__CLIENT__SSL_CA_LOCATION"]
    consumer = secured_testbed.consume(**variables)
    assert consumer.wait(60) == 1, consumer.log()
    assert "certificate verify failed" in consumer.log()


def deny(
    secured: SecuredKafka,
    kind: ResourceType,
    name: str,
    operation: AclOperation = AclOperation.WRITE,
    allowed: AclOperation | None = None,
) -> None:
    """Deny the user this operation. A resource with a rule then denies all others, but for the allowed one."""
    rules = [(operation, AclPermissionType.DENY)]
    if allowed is not None:
        rules.append((allowed, AclPermissionType.ALLOW))
    resource = (kind, name, ResourcePatternType.LITERAL)
    bindings = [AclBinding(*resource, f"User:{USER}", "*", *rule) for rule in rules]
    admin = AdminClient({"bootstrap.servers": secured.bootstrap_servers, "log_level": 0})
    for done in admin.create_acls(bindings).values():
        done.result(10)


@pytest.mark.guarantee("a topic or group that the login may not use is named")
@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
@pytest.mark.parametrize("what", ["forecasts", "group"])
def test_topics_that_the_login_may_not_use_are_named(
    secured: SecuredKafka, secured_testbed: DeliveryTestbed, tmp_path: Path, delivery: str, what: str
) -> None:
    testbed = secured_testbed
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD)
    if what == "group":
        deny(secured, ResourceType.GROUP, name := f"group-{testbed.tag}", AclOperation.READ)
    else:
        deny(secured, ResourceType.TOPIC, name := testbed.forecasts)
    testbed.produce_many(10)
    variables = login(secured, "SASL_PLAINTEXT", "PLAIN", password_file)
    consumer = testbed.consume(KAFKA__DELIVERY=delivery, **variables)
    assert consumer.wait(60) == 1
    (sentence,) = [line for line in consumer.log().splitlines() if line.startswith("fncast: ")]
    assert "the broker does not let this login use the" in sentence
    assert name in sentence
    assert "Traceback" not in consumer.log()


@pytest.mark.guarantee("a broker that rejects transactions is an error, never a weaker guarantee")
def test_a_broker_that_rejects_transactions_is_an_error_without_a_silent_downgrade(
    secured: SecuredKafka, secured_testbed: DeliveryTestbed, tmp_path: Path
) -> None:
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD)
    deny(secured, ResourceType.TRANSACTIONAL_ID, f"group-{secured_testbed.tag}-one")
    secured_testbed.produce_many(10)
    consumer = secured_testbed.consume(**login(secured, "SASL_PLAINTEXT", "PLAIN", password_file))
    assert consumer.wait(60) == 1
    assert "the broker does not support exactly-once" in consumer.log()
    assert "Traceback" not in consumer.log()
    assert secured_testbed.read_all(secured_testbed.forecasts) == []
    assert secured_testbed.function.calls == []


def fncast(
    testbed: DeliveryTestbed, variables: dict[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in the testbed's folder, with these settings."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FNCAST_")}
    return subprocess.run(
        [sys.executable, "-m", "fncast", *words],
        cwd=testbed.folder,
        env=environ | {f"FNCAST_{name}": value for name, value in variables.items()},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.guarantee(
    "a replay leaves the letters of a topic that the login may not write to, and replays the others"
)
def test_a_replay_names_the_letters_of_a_denied_topic_and_replays_the_others(
    secured: SecuredKafka, secured_testbed: DeliveryTestbed, tmp_path: Path
) -> None:
    testbed = secured_testbed
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD)
    variables = login(secured, "SASL_PLAINTEXT", "PLAIN", password_file)
    deny(secured, ResourceType.TOPIC, testbed.forecasts, AclOperation.WRITE, AclOperation.DESCRIBE)
    producer = Producer({"bootstrap.servers": testbed.bootstrap_servers})
    for topic in (testbed.forecasts, testbed.metrics, testbed.forecasts, testbed.metrics):
        producer.produce(
            testbed.dead, b"v", partition=0, headers=[("fncast-reason", b"no"), ("fncast-topic", topic)]
        )
    assert producer.flush(30) == 0
    shown = fncast(testbed, variables, "dead-letters", "replay", "--topic", testbed.dead, "--dry-run")
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (
        0,
        "2 dead letters would be replayed, 2 would not",
    )
    replayed = fncast(testbed, variables, "dead-letters", "replay", "--topic", testbed.dead)
    assert replayed.returncode == 1
    assert replayed.stdout == "2 dead letters replayed\n"
    assert (
        f"0/0: the broker does not let this login write to the topic '{testbed.forecasts}'" in replayed.stderr
    )
    assert len(testbed.read_all(testbed.metrics)) == 2


def test_init_check_and_state_name_the_topics_that_the_login_may_not_use(
    secured: SecuredKafka, secured_testbed: DeliveryTestbed, tmp_path: Path
) -> None:
    testbed = secured_testbed
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD)
    variables = login(secured, "SASL_SSL", "PLAIN", password_file)
    testbed.produce_many(10)
    shown = fncast(testbed, variables, "init", "--topic", testbed.metrics)
    assert shown.returncode == 0, shown.stderr
    assert '"sasl.username" = "sensor"' in shown.stdout
    assert PASSWORD not in shown.stdout + shown.stderr
    deny(secured, ResourceType.TOPIC, testbed.metrics, AclOperation.READ)
    deny(secured, ResourceType.TOPIC, testbed.forecasts)
    deny(secured, ResourceType.GROUP, group := f"group-{testbed.tag}", AclOperation.READ)
    rejected = fncast(testbed, variables, "init", "--topic", testbed.metrics)
    assert (rejected.returncode, rejected.stdout) == (1, "")
    assert f"this login may not read the topic {testbed.metrics}" in rejected.stderr
    names = {"KAFKA__GROUP_ID": group, "KAFKA__OUTPUT_TOPIC": testbed.forecasts}
    names |= {"KAFKA__INPUT_TOPICS": testbed.metrics, "KAFKA__DEAD_LETTER_TOPIC": testbed.dead}
    checked = fncast(testbed, variables | names, "check", "--json")
    rows = {row["hop"]: row for row in map(json.loads, checked.stdout.splitlines())}
    assert checked.returncode == 1
    for hop in (f"topic {testbed.metrics}", f"topic {testbed.forecasts}", f"group {group}"):
        assert rows[hop]["result"] == "failed"
        assert "this login may not" in rows[hop]["detail"]
        assert "grant" in rows[hop]["fix"]
    assert rows[f"topic {testbed.dead}"]["result"] == "ok"
    shown = fncast(testbed, variables | {"KAFKA__STATE_TOPIC": testbed.metrics}, "state", "show")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert f"the broker does not let this login use the topic '{testbed.metrics}'" in shown.stderr
