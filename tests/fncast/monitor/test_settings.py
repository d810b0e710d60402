"""The settings of the monitor's consumer follow from fncast.toml's."""

from __future__ import annotations

import pytest

from consumer.settings import (
    AlertSettings,
    InputSettings,
    KafkaSettings,
    MonitorSettings,
    Settings,
    WindowSettings,
)
from fncast.monitor.settings import joined_topics, monitor_rules, monitor_settings


def test_the_topics_of_readings_come_before_the_topic_of_forecasts() -> None:
    settings = Settings(kafka=KafkaSettings(input_topics=("metrics", "telegraf"), output_topic="predicted"))
    assert joined_topics(settings) == ("metrics", "telegraf", "predicted")


def test_the_monitor_has_its_own_group_and_reports_no_outage() -> None:
    kafka = KafkaSettings(group_id="fncast", outage_topic="outages", client={"client.id": "here"})
    of_monitor = monitor_settings(Settings(kafka=kafka, monitor=MonitorSettings(group_id="watch"))).kafka
    assert (of_monitor.group_id, of_monitor.outage_topic, of_monitor.pause_after_refused) == ("watch", "", 0)
    assert of_monitor.client == {"client.id": "here", "partition.assignment.strategy": "range"}


@pytest.mark.parametrize("topic", ["forecasts", "letters", "state"])
def test_alerts_need_a_separate_topic(topic: str) -> None:
    kafka = KafkaSettings(dead_letter_topic="letters", state_topic="state")
    settings = Settings(kafka=kafka, monitor=MonitorSettings(alerts_topic=topic))
    with pytest.raises(ValueError, match=f"alerts_topic '{topic}' is used already: give it a separate topic"):
        monitor_settings(settings)


def test_the_broker_gives_the_same_partitions_of_all_topics_to_a_member() -> None:
    kafka = KafkaSettings(client={"group.protocol": "consumer"})
    of_monitor = monitor_settings(Settings(kafka=kafka)).kafka
    assert of_monitor.client == {"group.protocol": "consumer", "group.remote.assignor": "range"}


def test_each_reading_is_judged_whatever_the_interval_of_forecasts() -> None:
    inputs = (InputSettings(topic="metrics", every=6), InputSettings(topic="telegraf"))
    kafka = KafkaSettings(input_topics=("metrics", "telegraf"))
    of_monitor = monitor_settings(Settings(kafka=kafka, inputs=inputs, windows=WindowSettings(every=12)))
    assert [of_monitor.windows_of(topic).every for topic in kafka.input_topics] == [1, 1]


def test_the_rules_take_over_the_section_and_the_alerts() -> None:
    monitor = MonitorSettings(
        alpha=0.01, min_history=20, silent_steps=3, exclude=("noisy*",), destination="page"
    )
    alert = AlertSettings(
        "full", "disk*", below=5.0, within="2h", probability=0.8, for_steps=4, destination="ops"
    )
    rules = monitor_rules(Settings(monitor=monitor, alerts=(alert,)))
    assert (rules.detector.alpha, rules.detector.min_history, rules.silent_steps) == (0.01, 20, 3)
    assert (rules.detects("noisy.cpu"), rules.destination) == (False, "page")
    (rule,) = rules.alerts
    assert (rule.name, rule.above, rule.below, rule.within_s) == ("full", None, 5.0, 7200.0)
    assert (rule.probability, rule.for_steps, rule.destination) == (0.8, 4, "ops")
