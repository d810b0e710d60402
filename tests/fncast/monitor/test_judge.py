"""The monitor's consumer on the embedded broker: windows and forecasts in, accuracy and alerts out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from consumer.kafka.embedded import EmbeddedBroker
from consumer.settings import AlertSettings, KafkaSettings, MonitorSettings, Settings
from fncast.cli.commands.monitor import build_monitor
from fncast.monitor.admin import MonitorCollector, accuracy_list
from fncast.series.rfc3339 import format_time
from tests.fncast.monitor.offline_accuracy import offline_figures
from tests.waiting import eventually_async

START = datetime(2026, 5, 1, tzinfo=UTC)
STEP_S, WINDOW, HORIZON, READINGS = 300, 6, 3, 200
WAIT_S = 60.0
SPIKE = 150
PARTITIONS = {"cpu": 0, "disk": 3}  # by series; two monitors have two partitions each

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


def settings(broker: EmbeddedBroker, instance: str) -> Settings:
    return Settings(
        kafka=KafkaSettings(
            bootstrap_servers=broker.bootstrap_servers,
            instance=instance,
            delivery="at-least-once",
            client={"heartbeat.interval.ms": "200"},
        ),
        monitor=MonitorSettings(min_history=60),
        alerts=(AlertSettings("hot", "cpu", above=55.0, destination="page-me"),),
    )


def time_of(at: int) -> datetime:
    return START + timedelta(seconds=STEP_S * at)


def values() -> np.ndarray:
    found = 50 + np.random.default_rng(0).normal(size=READINGS)
    found[SPIKE] += 40
    return found


def headers(type_: str, id_: str, **more: str) -> list[tuple[str, bytes]]:
    named = {"specversion": "1.0", "type": type_, "source": "test", "id": id_, **more}
    return [(f"ce_{name}", value.encode()) for name, value in named.items()] + [
        ("content-type", b"application/json")
    ]


def publish(
    broker: EmbeddedBroker, first: int, end: int, series: str = "cpu"
) -> list[tuple[int, list[list[float]]]]:
    """Publish windows of a series and the forecasts that follow them. Returns the forecasts."""
    partition = PARTITIONS[series]
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 0})
    readings, forecasts = values(), []
    began_ms = 1_780_000_000_000
    for at in range(max(first, WINDOW), end):
        window = {"start": format_time(time_of(at - WINDOW + 1)), "step_s": STEP_S}
        window["values"] = readings[at - WINDOW + 1 : at + 1].tolist()
        key, at_ms = series.encode(), began_ms + 1_000 * at
        attributes = headers("io.fncast.window.v1", f"w{at}", subject=series)
        producer.produce("metrics", json.dumps(window), key, partition, timestamp=at_ms, headers=attributes)
        level = 56.0 if 100 <= at < 110 else float(np.mean(readings[at - 5 : at + 1]))
        rows = [[level - 1.3, level, level + 1.3] for _ in range(HORIZON)]
        columns = {
            str(quantile): [row[place] for row in rows] for place, quantile in enumerate((0.1, 0.5, 0.9))
        }
        data = {"start": format_time(time_of(at + 1)), "step_s": STEP_S, "quantiles": columns}
        model = {"modelname": "forecast", "modelversion": "3"}
        attributes = headers("io.fncast.forecast.v1", f"f{at}", subject=series, **model)
        later_ms = at_ms + 40
        producer.produce(
            "forecasts", json.dumps(data), key, partition, timestamp=later_ms, headers=attributes
        )
        forecasts.append((at + 1, rows))
    assert producer.flush(20) == 0
    return forecasts


def read_all(broker: EmbeddedBroker, topic: str) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    found: list[Message] = []
    try:
        for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            partition = TopicPartition(topic, number, 0)
            consumer.assign([partition])
            _, end = consumer.get_watermark_offsets(partition, timeout=10)
            count = 0
            while count < end:
                message = consumer.poll(10)
                assert message is not None
                count = message.offset() + 1
                found.append(message)
    finally:
        consumer.close()
    return found


def events(broker: EmbeddedBroker, topic: str, type_: str) -> list[tuple[dict[str, str], Any]]:
    found = []
    for message in read_all(broker, topic):
        attributes = {name: (value or b"").decode() for name, value in message.headers() or []}
        if attributes["ce_type"] == type_:
            found.append((attributes, json.loads(message.value() or b"null")))
    return found


class Monitor:
    """A monitor in this event loop, which stops as by a signal."""

    def __init__(self, broker: EmbeddedBroker, instance: str = "one") -> None:
        self.judge, self.service = build_monitor(settings(broker, instance))
        self._running = asyncio.create_task(self.service.run())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.service.stop()
        await self._running

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        await eventually_async(
            lambda: self._running.done() or condition(), WAIT_S, lambda: str(self.service.health())
        )


def judged(monitors: Sequence[Monitor], series: str) -> int:
    """The newest reading of a series that was judged."""
    partitions = [each.monitor for monitor in monitors for each in monitor.judge.partitions.values()]
    found = [each.series[series].joined for each in partitions if series in each.series]
    return max((each.waiting.judged - each.grid.index(time_of(0)) for each in found), default=-1)


def figures(monitor: Monitor) -> dict[str, dict[str, Any]]:
    """The accuracy that a monitor knows, by series."""
    return {each["series"]: each for each in accuracy_list(monitor.judge)["series"]}


def is_recomputed(found: dict[str, Any], forecasts: list[tuple[int, list[list[float]]]]) -> bool:
    """Whether figures equal those of all readings and these forecasts."""
    known = {at: value for at, value in enumerate(values().tolist()) if at >= WINDOW}
    expected = offline_figures(known, forecasts)
    return {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)


async def test_windows_and_forecasts_become_accuracy_anomalies_and_alerts(broker: EmbeddedBroker) -> None:
    forecasts = publish(broker, 0, READINGS)
    async with Monitor(broker) as monitor:
        await monitor.wait_until(lambda: judged([monitor], "cpu") == READINGS - 1)
        found = figures(monitor)["cpu"]
        assert found["model"] == "forecast/3"
        assert is_recomputed(found, forecasts)
        names = {metric.name for metric in MonitorCollector(monitor.judge).collect()}
        assert names >= {"fncast_forecast_skill"}

    anomalies = events(broker, "alerts", "io.fncast.anomaly.v1")
    spike = next(data for _, data in anomalies if data["start"] == format_time(time_of(SPIKE)))
    assert spike["state"] == "open"
    assert spike["value"] == pytest.approx(values()[SPIKE])

    alerts = events(broker, "alerts", "io.fncast.alert.v1")
    assert [data["state"] for _, data in alerts][:2] == ["open", "closed"]
    attributes, data = alerts[0]
    assert attributes["ce_destination"] == "page-me"
    assert (attributes["ce_modelname"], attributes["ce_modelversion"]) == ("forecast", "3")
    assert data["rule"] == "hot"
    assert data["expected_at"] == format_time(time_of(103))

    accuracy = events(broker, "accuracy", "io.fncast.accuracy.v1")
    assert len(accuracy) >= READINGS * STEP_S // 3600 - 2
    assert accuracy[-1][0]["ce_modelversion"] == "3"


async def test_monitors_hand_over_partitions_with_their_state(broker: EmbeddedBroker) -> None:
    forecasts = {series: publish(broker, 0, 80, series) for series in PARTITIONS}
    async with Monitor(broker) as one:
        await one.wait_until(lambda: all(judged([one], series) == 79 for series in PARTITIONS))
        async with Monitor(broker, "two") as two:  # takes one series over, while readings come
            for series, found in forecasts.items():
                found += publish(broker, 80, 140, series)
            await two.wait_until(lambda: len(figures(one)) == len(figures(two)) == 1)
            for series, found in forecasts.items():
                found += publish(broker, 140, READINGS, series)
            monitors = [one, two]
            await two.wait_until(
                lambda: all(judged(monitors, series) == READINGS - 1 for series in PARTITIONS)
            )
            both = figures(one) | figures(two)
    for series, found in forecasts.items():
        assert is_recomputed(both[series], found), series
