"""The topics as they are found at the start; those of a real broker are in tests/integration."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from consumer.errors import ConsumerError
from consumer.kafka.embedded import EmbeddedBroker
from consumer.kafka.topics.limits import Sizes
from consumer.kafka.topics.names import TopicNames
from consumer.kafka.topics.topics import Topics
from tests.consumer.kafka.fake_admin import FakeAdmin

NAMES = TopicNames(("in",), "out", "dead", "outages")


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    started = EmbeddedBroker()
    yield started
    started.close()


def prepared(topics: Topics) -> Sizes:
    for _ in range(20):
        if (sizes := topics.prepare()) is not None:
            return sizes
    pytest.fail("no broker answers")


def test_the_embedded_broker_is_not_asked_what_it_cannot_answer(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no controller: each question to one would cost the start a second, and end in a warning."""
    topics = Topics({"bootstrap.servers": broker.bootstrap_servers}, NAMES)
    with caplog.at_level(logging.INFO):
        sizes = prepared(topics)
    assert sizes == Sizes()
    assert topics.all_exist
    assert [line for line in caplog.messages if "controller" in line] == []
    assert [line for line in caplog.messages if "delivery is at least once" in line]


@pytest.mark.guarantee("the embedded broker is rejected for exactly-once")
def test_the_embedded_broker_is_rejected_for_exactly_once(broker: EmbeddedBroker) -> None:
    topics = Topics({"bootstrap.servers": broker.bootstrap_servers}, NAMES, is_exactly_once=True)
    with pytest.raises(ConsumerError, match='does not isolate transactions: set delivery = "at-least-once"'):
        prepared(topics)


def test_the_first_attempt_says_why_no_broker_answers(caplog: pytest.LogCaptureFixture) -> None:
    topics = Topics({"bootstrap.servers": "127.0.0.1:1"}, NAMES)
    assert topics.prepare() is None
    reason = "the broker 127.0.0.1:1 cannot be reached: connection refused"
    assert topics.problem == f"no Kafka answers at 127.0.0.1:1 ({reason})"
    assert f"no Kafka answers at 127.0.0.1:1; waiting for it ({reason})" in caplog.messages


def test_a_warning_names_topics_with_one_replica_that_the_consumer_itself_creates(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    admin = FakeAdmin()
    monkeypatch.setattr("consumer.kafka.topics.topics.create_client", lambda *_, **__: admin)
    topics = Topics({"bootstrap.servers": "broker:9092"}, NAMES, is_exactly_once=True)
    topics.prepare()
    assert not caplog.messages  # the input topic does not exist yet
    admin.replicas["in"] = 1
    topics.prepare()
    assert "KAFKA-20734" in caplog.text  # a later look is not certain
    topics.prepare()
    warnings = [line for line in caplog.messages if "KAFKA-20734" in line]
    assert len(warnings) == 1
    assert "have one replica: out, dead." in warnings[0]


def test_missing_output_topics_are_known_until_they_exist_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    admin = FakeAdmin()
    admin.replicas = {"in": 1, "dead": 1}
    admin.rejected = {"out": KafkaError.TOPIC_AUTHORIZATION_FAILED}
    monkeypatch.setattr("consumer.kafka.topics.topics.create_client", lambda *_, **__: admin)
    topics = Topics({"bootstrap.servers": "broker:9092"}, NAMES)
    topics.recreate_outputs()
    topics.recreate_outputs()
    assert topics.missing == {"out"}
    assert caplog.text.count("the topic out is missing: results wait") == 1
    admin.replicas["out"] = 1
    topics.recreate_outputs()
    assert not topics.missing


def test_an_output_topic_that_exists_again_is_not_missing_while_another_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = FakeAdmin()
    admin.replicas = {"in": 1}
    admin.rejected = dict.fromkeys(("out", "dead"), KafkaError.TOPIC_AUTHORIZATION_FAILED)
    monkeypatch.setattr("consumer.kafka.topics.topics.create_client", lambda *_, **__: admin)
    topics = Topics({"bootstrap.servers": "broker:9092"}, NAMES)
    topics.recreate_outputs()
    assert topics.missing == {"out", "dead"}
    admin.replicas["out"] = 1
    topics.recreate_outputs()
    assert topics.missing == {"dead"}


def test_a_rejected_connection_is_forgotten_once_the_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """For example, one broker has rejected the login while it started."""
    admin, properties = FakeAdmin(), {}

    def create(_: object, given: dict[str, object], **__: object) -> FakeAdmin:
        properties.update(given)
        return admin

    monkeypatch.setattr("consumer.kafka.topics.topics.create_client", create)
    topics = Topics({"bootstrap.servers": "broker:9092"}, NAMES)
    properties["error_cb"](KafkaError(KafkaError._AUTHENTICATION, "rejected"))
    assert topics.prepare() is not None
    admin.is_away = True
    assert topics.prepare() is None
    assert topics.problem == "no Kafka answers at broker:9092 (no broker answered in time)"
