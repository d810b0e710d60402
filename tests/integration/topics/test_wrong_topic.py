"""Topics with records that are not events, or events without a destination, as an operator sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from testbed import DeliveryTestbed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def test_a_topic_whose_records_are_not_events_is_logged_counted_and_paused(
    embedded_testbed: DeliveryTestbed, until: Callable[..., Any]
) -> None:
    testbed = embedded_testbed
    testbed.variables["KAFKA__PAUSE_AFTER_REFUSED"] = "100"
    for number in range(250):
        testbed.produce("", value=b"%d" % number, headers=[], partition=0)
    testbed.flush()
    consumer = testbed.consume()
    consumer.wait_for("so this topic is paused")
    until(lambda: consumer.admin("/readyz")[0] == 503, 10, "/readyz says that it is not ready")
    health = json.loads(consumer.admin("/readyz")[1])
    assert health["reason"].startswith(
        f"{testbed.metrics}: the first 100 records are all dead letters of the kind not_an_event"
    )
    assert consumer.admin("/healthz")[0] == 200
    metrics = consumer.admin("/metrics")[1]
    assert f'fncast_dead_letters_total{{kind="not_an_event",topic="{testbed.metrics}"}} 100.0' in metrics
    assert f'fncast_input_paused{{topic="{testbed.metrics}"}} 1.0' in metrics
    assert len([line for line in consumer.log().splitlines() if "becomes a dead letter" in line]) == 1
    assert consumer.terminate() == 0
    assert len(testbed.read_all(testbed.dead)) == 100  # the others stay on the topic
    testbed.variables["KAFKA__PAUSE_AFTER_REFUSED"] = "0"
    testbed.consume("two")
    until(lambda: len(testbed.read_all(testbed.dead)) == 250, 30, "all are dead letters")


def test_an_event_without_destination_takes_that_of_its_topic(
    embedded_testbed: DeliveryTestbed, tmp_path: Path, until: Callable[..., Any]
) -> None:
    testbed = embedded_testbed
    testbed.produce("a", destination="")
    testbed.flush()
    without = testbed.consume()
    (letter,) = testbed.wait_for(testbed.dead, 1)
    reason = dict(letter.headers() or [])["fncast-reason"].decode()
    assert "set `destination` in an [[inputs]] entry with this `topic`" in reason
    assert without.terminate() == 0
    settings = tmp_path / "fncast.toml"
    settings.write_text(f'[[inputs]]\ntopic = "{testbed.metrics}"\ndestination = "forecast"\n')
    testbed.consume("two", config=settings)
    testbed.produce("b", destination="")
    testbed.flush()
    (forecast,) = testbed.wait_for(testbed.forecasts, 1)
    assert dict(forecast.headers() or [])["ce_causationid"] == b"b"


def test_a_wrong_address_of_the_fn_server_is_reported_before_the_first_event(
    embedded_testbed: DeliveryTestbed,
) -> None:
    consumer = embedded_testbed.consume(FN__URL="http://127.0.0.1:1")
    consumer.wait_for("route forecast cannot be reached: http://127.0.0.1:1")
    health = json.loads(consumer.admin("/readyz")[1])
    assert "the connection is refused" in health["routes_not_reached"]["forecast"]
    assert consumer.terminate() == 0


def test_readiness_says_that_no_kafka_answers(
    embedded_testbed: DeliveryTestbed, until: Callable[..., Any]
) -> None:
    consumer = embedded_testbed.consume(KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")
    consumer.wait_for("no Kafka answers at 127.0.0.1:1; waiting for it")
    status, text = consumer.admin("/readyz")
    assert (status, json.loads(text)["reason"]) == (
        503,
        "no Kafka answers at 127.0.0.1:1 (the broker 127.0.0.1:1 cannot be reached: connection refused)",
    )
    assert consumer.terminate() == 0
