"""The demo's topics on its embedded broker."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from consumer.kafka.embedded import EmbeddedBroker
from consumer.settings import load
from fncast.demo import topics
from fncast.demo.process import ProcessFailed
from fncast.demo.settings_text import settings_text


def test_every_topic_of_the_demos_settings_is_created() -> None:
    broker = EmbeddedBroker()
    topics.create_topics(broker.bootstrap_servers)
    found = AdminClient({"bootstrap.servers": broker.bootstrap_servers}).list_topics(timeout=10).topics
    assert {topics.INPUT_TOPIC, topics.READINGS_TOPIC, topics.TRAINING_TOPIC, topics.STATE_TOPIC} <= set(
        found
    )
    assert {topics.OUTPUT_TOPIC, topics.DEAD_LETTER_TOPIC, topics.OUTAGE_TOPIC} <= set(found)
    broker.close()


def test_the_topics_have_the_names_in_the_demos_settings(tmp_path: Path) -> None:
    file = tmp_path / "fncast.toml"
    file.write_text(settings_text("127.0.0.1:1", "http://127.0.0.1:1", 1, has_shop=False))
    settings = load(file, environ={})
    kafka, monitor = settings.kafka, settings.monitor
    assert kafka.input_topics == (topics.INPUT_TOPIC, topics.READINGS_TOPIC, topics.ALERTS_TOPIC)
    assert (kafka.output_topic, kafka.dead_letter_topic) == (topics.OUTPUT_TOPIC, topics.DEAD_LETTER_TOPIC)
    assert (kafka.outage_topic, kafka.state_topic) == (topics.OUTAGE_TOPIC, topics.STATE_TOPIC)
    assert (monitor.accuracy_topic, monitor.alerts_topic) == (topics.ACCURACY_TOPIC, topics.ALERTS_TOPIC)


def test_a_broker_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "TIMEOUT_S", 0.1)
    with pytest.raises(ProcessFailed, match=r"the broker at 127\.0\.0\.1:1 does not answer: "):
        topics.create_topics("127.0.0.1:1")
