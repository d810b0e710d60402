"""Which topics `fncast check` looks at."""

from __future__ import annotations

from consumer.settings import InputSettings, KafkaSettings, Settings
from fncast.checks.topics_check import output_topics


def settings(*inputs: InputSettings) -> Settings:
    return Settings(kafka=KafkaSettings(input_topics=tuple(entry.topic for entry in inputs)), inputs=inputs)


def test_readings_need_the_state_topic_and_rekeying_one_more() -> None:
    assert output_topics(settings(InputSettings("metrics"))) == ["forecasts", "dead-letters"]
    rekeyed = InputSettings("plant", format="influx-line", rekey=True)
    assert output_topics(settings(InputSettings("metrics"), rekeyed)) == [
        *["forecasts", "dead-letters", "fncast-state"],
        "plant-by-series",
    ]
