"""Which topics `fncast check` looks at."""

from __future__ import annotations

from consumer.settings import Input, Kafka, Settings
from fncast.checks.topics_check import output_topics


def settings(*inputs: Input) -> Settings:
    return Settings(kafka=Kafka(input_topics=tuple(entry.topic for entry in inputs)), inputs=inputs)


def test_readings_need_the_state_topic_and_rekeying_one_more() -> None:
    assert output_topics(settings(Input("metrics"))) == ["forecasts", "dead-letters"]
    rekeyed = Input("plant", format="influx-line", rekey=True)
    assert output_topics(settings(Input("metrics"), rekeyed)) == [
        *["forecasts", "dead-letters", "fncast-state"],
        "plant-by-series",
    ]
