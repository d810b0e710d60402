"""Which topics `fncast check` looks at, and what it says of them."""

from __future__ import annotations

from consumer.kafka.topics.compaction import CompactionProblem
from consumer.settings import InputSettings, KafkaSettings, RouteSettings, Settings
from fncast.checks.topics_check import output_row, output_topics, routes_for_windows


def settings(*inputs: InputSettings) -> Settings:
    return Settings(kafka=KafkaSettings(input_topics=tuple(entry.topic for entry in inputs)), inputs=inputs)


def test_readings_need_the_state_topic_and_rekeying_one_more() -> None:
    assert output_topics(settings(InputSettings("metrics"))) == ["forecasts", "dead-letters"]
    rekeyed = InputSettings("plant", format="influx-line", rekey=True)
    assert output_topics(settings(InputSettings("metrics"), rekeyed)) == [
        *["forecasts", "dead-letters", "fncast-state"],
        "plant-by-series",
    ]


def test_the_state_topic_may_have_any_number_of_partitions() -> None:
    configured = settings(InputSettings("plant", format="influx-line"))
    row = output_row("fncast-state", {"plant": 6, "fncast-state": 1}, configured, {}, None)
    assert (row.result, row.detail) == ("ok", "1 partition")


def test_a_state_topic_that_is_not_compacted_has_the_command_that_fixes_it() -> None:
    configured = settings(InputSettings("plant", format="influx-line"))
    problem = CompactionProblem("the topic 'fncast-state' deletes state", "kafka-configs.sh --alter")
    row = output_row("fncast-state", {"plant": 6, "fncast-state": 6}, configured, {}, problem)
    assert (row.result, row.detail, row.fix) == ("failed", problem.reason, problem.fix)


def test_routes_to_the_forecast_function_or_of_tensors_are_for_windows() -> None:
    url = "http://localhost:9/notify"
    routes = {
        "forecast": RouteSettings("fn:fncast/forecast"),
        "plain": "fn:fncast/forecast",
        "tensors": RouteSettings(url, encoding="graphpipe"),
        "notify": "fn:fncast/notify",
        "other": RouteSettings(url),
    }
    for_windows = routes_for_windows(Settings(routes=routes))
    assert {name for name in for_windows if for_windows[name]} == {"forecast", "plain", "tensors"}
