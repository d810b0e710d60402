"""What an operator sees of a function's outage: the metric, readiness that stays, the log; and that it is over."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

OPEN = 'fncast_circuit_open{destination="forecast"} '


@pytest.mark.guarantee("an outage and its end show in metric, readiness, log and topic")
def test_an_outage_is_seen_in_metric_readiness_log_and_topic_and_so_is_its_end(embedded_stage, until):
    stage = embedded_stage
    stage.produce_many(10)
    consumer = stage.consume()
    stage.wait_for(stage.forecasts, 10)
    stage.function.stop()
    stage.produce_many(10, first=10)
    consumer.wait_for("route forecast is out: ")
    status, text = consumer.admin("/readyz")
    assert status == 200  # a restart would mend nothing
    assert "cannot be reached" in json.loads(text)["routes_out"]["forecast"]
    assert OPEN + "1.0" in consumer.admin("/metrics")[1]
    assert "Its partitions wait, no event is lost" in consumer.log()
    (told,) = map(event, stage.wait_for(stage.outages, 1))
    assert (told["type"], told["subject"]) == ("io.fncast.outage.v1", "forecast")
    assert "cannot be reached" in told["data"]["reason"]
    assert told["data"]["over"] is False
    stage.function.start()
    stage.wait_for(stage.forecasts, 20)
    consumer.wait_for("route forecast is back after ")
    until(lambda: OPEN + "0.0" in consumer.admin("/metrics")[1], 10, "the metric of a closed circuit")
    assert json.loads(consumer.admin("/readyz")[1])["routes_out"] == {}
    until(lambda: event(stage.read_all(stage.outages)[-1])["data"]["over"], 10, "the end on the topic")
    assert consumer.terminate() == 0


@pytest.mark.guarantee("an outage from the start on is reported while it lasts")
def test_an_outage_from_the_start_on_is_seen_all_the_while(embedded_stage, until):
    """Nothing has ever succeeded: the circuit closes now and then to try what is there; it is an outage yet."""
    stage = embedded_stage
    stage.function.stop()
    stage.produce_many(3)
    consumer = stage.consume()
    consumer.wait_for("route forecast is out: ")
    for _ in range(60):
        assert "forecast" in json.loads(consumer.admin("/readyz")[1])["routes_out"]
        assert OPEN + "1.0" in consumer.admin("/metrics")[1]
    stage.function.start()
    stage.wait_for(stage.forecasts, 3)
    until(lambda: OPEN + "0.0" in consumer.admin("/metrics")[1], 10, "the metric of a closed circuit")
    assert consumer.terminate() == 0


def event(message):
    return json.loads(message.value())
