"""SASL and TLS with Kafka by [kafka.client] alone: the right secret works, and a wrong one is reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
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
)
from fake_function import Function
from kafka_container import PARTITIONS
from secured_kafka import PASSWORD, USER, SecuredKafka, secured_kafka
from testbed import DeliveryTestbed

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(300)]

WRONG = "wrong-5e88a2"


@pytest.fixture(scope="module")
def secured(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with secured_kafka(tmp_path_factory.mktemp("tls")) as kafka:
        yield kafka


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
        deny(secured, ResourceType.GROUP, name := testbed.group, AclOperation.READ)
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
    deny(secured, ResourceType.TRANSACTIONAL_ID, f"{secured_testbed.group}-one")
    secured_testbed.produce_many(10)
    consumer = secured_testbed.consume(**login(secured, "SASL_PLAINTEXT", "PLAIN", password_file))
    assert consumer.wait(60) == 1
    assert "the broker does not let this login use the transactional id" in consumer.log()
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
    deny(secured, ResourceType.GROUP, group := testbed.group, AclOperation.READ)
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
