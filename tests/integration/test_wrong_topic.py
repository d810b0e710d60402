"""A topic of records that are no events, and events without a destination, as an operator sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from testbed import Stage

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def test_a_topic_whose_records_are_not_events_is_logged_counted_and_paused(
    embedded_stage: Stage, until: Callable[..., Any]
) -> None:
    stage = embedded_stage
    stage.variables["KAFKA__PAUSE_AFTER_REFUSED"] = "100"
    for number in range(250):
        stage.produce("", value=b"%d" % number, headers=[], partition=0)
    stage.flush()
    consumer = stage.consume()
    consumer.wait_for("so this topic is paused")
    until(lambda: consumer.admin("/readyz")[0] == 503, 10, "/readyz says that it is not ready")
    told = json.loads(consumer.admin("/readyz")[1])
    assert told["reason"].startswith(
        f"{stage.metrics}: the first 100 records are all dead letters of the kind not_an_event"
    )
    assert consumer.admin("/healthz")[0] == 200
    metrics = consumer.admin("/metrics")[1]
    assert f'fncast_dead_letters_total{{kind="not_an_event",topic="{stage.metrics}"}} 100.0' in metrics
    assert f'fncast_input_paused{{topic="{stage.metrics}"}} 1.0' in metrics
    assert len([line for line in consumer.log().splitlines() if "becomes a dead letter" in line]) == 1
    assert consumer.terminate() == 0
    assert len(stage.read_all(stage.dead)) == 100  # the others stay where they are
    stage.variables["KAFKA__PAUSE_AFTER_REFUSED"] = "0"
    stage.consume("two")
    until(lambda: len(stage.read_all(stage.dead)) == 250, 30, "all are dead letters")


def test_an_event_without_destination_takes_that_of_its_topic(
    embedded_stage: Stage, tmp_path: Path, until: Callable[..., Any]
) -> None:
    stage = embedded_stage
    stage.produce("a", destination="")
    stage.flush()
    without = stage.consume()
    (letter,) = stage.wait_for(stage.dead, 1)
    reason = dict(letter.headers() or [])["fncast-reason"].decode()
    assert "set `destination` in an [[inputs]] entry with this `topic`" in reason
    assert without.terminate() == 0
    settings = tmp_path / "fncast.toml"
    settings.write_text(f'[[inputs]]\ntopic = "{stage.metrics}"\ndestination = "forecast"\n')
    stage.consume("two", config=settings)
    stage.produce("b", destination="")
    stage.flush()
    (forecast,) = stage.wait_for(stage.forecasts, 1)
    assert dict(forecast.headers() or [])["ce_causationid"] == b"b"


def test_a_wrong_address_of_the_fn_server_is_said_before_the_first_event(embedded_stage: Stage) -> None:
    consumer = embedded_stage.consume(FN__URL="http://127.0.0.1:1")
    consumer.wait_for("route forecast cannot be reached: http://127.0.0.1:1")
    told = json.loads(consumer.admin("/readyz")[1])
    assert "the connection is refused" in told["routes_not_reached"]["forecast"]
    assert consumer.terminate() == 0


def test_readiness_says_that_no_kafka_answers(embedded_stage: Stage, until: Callable[..., Any]) -> None:
    consumer = embedded_stage.consume(KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")
    consumer.wait_for("no Kafka answers at 127.0.0.1:1; waiting for it")
    status, text = consumer.admin("/readyz")
    assert (status, json.loads(text)["reason"]) == (
        503,
        "no Kafka answers at 127.0.0.1:1 (no broker can be reached)",
    )
    assert consumer.terminate() == 0
