"""The monitor's consumer on the embedded broker: windows and forecasts in, accuracy and alerts out."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from consumer.kafka.embedded import EmbeddedBroker
from consumer.settings import AlertSettings, KafkaSettings, MonitorSettings, Settings
from fncast.cli.commands.monitor import build_monitor
from fncast.monitor.admin import MonitorCollector, accuracy_list
from fncast.monitor.judge import Judge
from fncast.series.rfc3339 import format_time
from tests.fncast.monitor.offline_accuracy import offline_figures

START = datetime(2026, 5, 1, tzinfo=UTC)
STEP_S, WINDOW, HORIZON, READINGS = 300, 6, 3, 200
WAIT_S = 60.0
SPIKE = 150

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


def settings(broker: EmbeddedBroker) -> Settings:
    return Settings(
        kafka=KafkaSettings(
            bootstrap_servers=broker.bootstrap_servers, instance="one", delivery="at-least-once"
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
    named = {"specversion": "1.0", "type": type_, "source": "test", "id": id_, "subject": "cpu", **more}
    return [(f"ce_{name}", value.encode()) for name, value in named.items()] + [
        ("content-type", b"application/json")
    ]


def publish(broker: EmbeddedBroker, first: int, end: int) -> list[tuple[int, list[list[float]]]]:
    """Publish windows and the forecasts that follow them. Returns the forecasts."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 0})
    readings, forecasts = values(), []
    began_ms = 1_780_000_000_000
    for at in range(max(first, WINDOW), end):
        window = {"start": format_time(time_of(at - WINDOW + 1)), "step_s": STEP_S}
        window["values"] = readings[at - WINDOW + 1 : at + 1].tolist()
        key, at_ms = b"cpu", began_ms + 1_000 * at
        attributes = headers("io.fncast.window.v1", f"w{at}")
        producer.produce("metrics", json.dumps(window), key, 0, timestamp=at_ms, headers=attributes)
        level = 56.0 if 100 <= at < 110 else float(np.mean(readings[at - 5 : at + 1]))
        rows = [[level - 1.3, level, level + 1.3] for _ in range(HORIZON)]
        columns = {
            str(quantile): [row[place] for row in rows] for place, quantile in enumerate((0.1, 0.5, 0.9))
        }
        data = {"start": format_time(time_of(at + 1)), "step_s": STEP_S, "quantiles": columns}
        attributes = headers("io.fncast.forecast.v1", f"f{at}", modelname="forecast", modelversion="3")
        producer.produce("forecasts", json.dumps(data), key, 0, timestamp=at_ms + 40, headers=attributes)
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


async def monitored(broker: EmbeddedBroker, last: int) -> dict[str, Any]:
    """Run a monitor until it has judged reading `last`, and stop it as a signal does. Returns the series' accuracy."""
    judge, service = build_monitor(settings(broker))
    running = asyncio.create_task(service.run())
    deadline = time.monotonic() + WAIT_S
    while judged(judge) < last and not running.done():
        assert time.monotonic() < deadline, service.health()
        await asyncio.sleep(0.05)
    (figures,) = accuracy_list(judge)["series"]
    assert {metric.name for metric in MonitorCollector(judge).collect()} >= {"fncast_forecast_skill"}
    service.stop()
    await running
    return figures


def judged(judge: Judge) -> int:
    """The newest reading that was judged."""
    found = [each.monitor.series["cpu"].joined for each in judge.partitions.values() if each.monitor.series]
    return max(
        (each.judged - each.index(time_of(0)) for each in found if each.judged is not None), default=-1
    )


async def test_windows_and_forecasts_become_accuracy_anomalies_and_alerts(broker: EmbeddedBroker) -> None:
    forecasts = publish(broker, 0, READINGS)
    figures = await monitored(broker, READINGS - 1)
    known = {at: value for at, value in enumerate(values().tolist()) if at >= WINDOW}
    expected = offline_figures(known, forecasts)
    assert (figures["series"], figures["model"]) == ("cpu", "forecast/3")
    assert {name: figures[name] for name in expected} == pytest.approx(expected, abs=1e-9)

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


async def test_a_restart_continues_with_its_state(broker: EmbeddedBroker) -> None:
    forecasts = publish(broker, 0, 120)
    await monitored(broker, 119)
    forecasts += publish(broker, 120, READINGS)
    figures = await monitored(broker, READINGS - 1)
    known = {at: value for at, value in enumerate(values().tolist()) if at >= WINDOW}
    expected = offline_figures(known, forecasts)
    assert {name: figures[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    ids = [
        attributes["ce_id"] for topic in ("alerts", "accuracy") for attributes, _ in everything(broker, topic)
    ]
    assert len(ids) == len(set(ids))


def everything(broker: EmbeddedBroker, topic: str) -> list[tuple[dict[str, str], Any]]:
    types = ("io.fncast.accuracy.v1", "io.fncast.anomaly.v1", "io.fncast.alert.v1")
    return [found for type_ in types for found in events(broker, topic, type_)]
