"""`fncast dashboard`: the topics and the client of the live page."""

from __future__ import annotations

import pytest

from consumer.settings import InputSettings, KafkaSettings, MonitorSettings, Settings
from fncast.cli.commands.dashboard import build_page, page_topics
from fncast.dashboard.topics import PageTopics
from fncast.failure import Failure


def test_the_page_shows_the_topics_in_the_settings() -> None:
    settings = Settings(
        kafka=KafkaSettings(
            input_topics=("metrics",), output_topic="predicted", dead_letter_topic="dead", outage_topic="down"
        ),
        monitor=MonitorSettings(accuracy_topic="good", alerts_topic="bad"),
    )
    topics = page_topics(settings)
    assert (topics.inputs, topics.output) == (("metrics",), "predicted")
    assert {"metrics", "predicted", "dead", "down", "good", "bad"} <= set(topics.all())


def test_an_input_that_the_monitor_writes_is_not_shown_as_readings() -> None:
    inputs = (InputSettings(topic="metrics"), InputSettings(topic="alerts", destination="forecast"))
    settings = Settings(kafka=KafkaSettings(input_topics=("metrics", "alerts")), inputs=inputs)
    assert page_topics(settings).inputs == ("metrics",)


def test_settings_that_the_client_rejects_are_one_sentence() -> None:
    properties = {"bootstrap.servers": "127.0.0.1:1", "no.such.property": "1"}
    with pytest.raises(Failure, match=r"the Kafka client rejects its settings: .*no\.such\.property"):
        build_page(properties, PageTopics())


def test_a_topic_that_is_switched_off_is_not_read() -> None:
    assert "" not in page_topics(Settings(kafka=KafkaSettings(outage_topic=""))).all()
