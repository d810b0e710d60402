"""Turns fncast.toml's settings into those of the monitor's own consumer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from consumer.settings import AlertSettings, InterceptorSettings, Settings
from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.rules import MonitorRules

# The colon marks an interceptor that is not built into the consumer.
JUDGE = "fncast.monitor:judge"
# Kafka's assignor that gives the partitions of one number of all topics to the same consumer.
CO_PARTITIONED = "range"


def monitor_settings(settings: Settings) -> Settings:
    """The settings of a consumer that reads the input topics and the forecasts, and publishes accuracy.

    Raises ValueError if the topics collide.
    """
    kafka, monitor = settings.kafka, settings.monitor
    topics = joined_topics(settings)
    if monitor.alerts_topic in (*topics, kafka.dead_letter_topic, kafka.state_topic):
        raise ValueError(f"alerts_topic {monitor.alerts_topic!r} is used already: give it a separate topic")
    return msgspec.structs.replace(
        settings,
        kafka=msgspec.structs.replace(
            kafka,
            group_id=monitor.group_id,
            input_topics=topics,
            output_topic=monitor.accuracy_topic,
            outage_topic="",
            pause_after_refused=0,
            client={**kafka.client, **_assignor(kafka.client)},
        ),
        inputs=tuple(
            msgspec.structs.replace(entry, every=None) for entry in settings.inputs if entry.topic in topics
        ),
        windows=msgspec.structs.replace(settings.windows, every=1),
        interceptors=InterceptorSettings(("assemble", JUDGE)),
    )


def _assignor(client: Mapping[str, str]) -> dict[str, str]:
    """The property that makes the group's members get the same partition number of all topics."""
    is_assigned_by_broker = client.get("group.protocol") == "consumer"  # KIP-848
    name = "group.remote.assignor" if is_assigned_by_broker else "partition.assignment.strategy"
    return {name: CO_PARTITIONED}


def joined_topics(settings: Settings) -> tuple[str, ...]:
    """The topics of readings and of forecasts."""
    return (*settings.reading_topics(), settings.kafka.output_topic)


def monitor_rules(settings: Settings) -> MonitorRules:
    """The rules in [monitor] and [[alerts]]."""
    monitor = settings.monitor
    return MonitorRules(
        DetectorSettings(monitor.alpha, monitor.min_history),
        tuple(map(_rule, settings.alerts)),
        monitor.include,
        monitor.exclude,
        monitor.accuracy_every_s,
        monitor.accuracy_topic,
        monitor.alerts_topic,
        monitor.destination,
        monitor.silent_steps,
        settings.windows.max_series,
        monitor.worse_than_last_for,
    )


def _rule(alert: AlertSettings) -> AlertRule:
    return AlertRule(
        alert.name,
        alert.series,
        alert.above,
        alert.below,
        alert.within_s,
        alert.probability,
        alert.for_steps,
        alert.destination,
    )
