"""What an operator sees of a function's outage and of its end: metric, log and topic. The consumer stays ready."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

OPEN = 'fncast_circuit_open{destination="forecast"} '


@pytest.mark.guarantee("an outage and its end show in metric, readiness, log and topic")
def test_an_outage_is_seen_in_metric_readiness_log_and_topic_and_so_is_its_end(embedded_testbed, until):
    testbed = embedded_testbed
    testbed.produce_many(10)
    consumer = testbed.consume()
    testbed.wait_for(testbed.forecasts, 10)
    testbed.function.stop()
    testbed.produce_many(10, first=10)
    consumer.wait_for("route forecast is out: ")
    status, text = consumer.admin("/readyz")
    assert status == 200  # a restart would not help
    assert "cannot be reached" in json.loads(text)["routes_out"]["forecast"]
    assert OPEN + "1.0" in consumer.admin("/metrics")[1]
    assert "Its partitions wait, no event is lost" in consumer.log()
    (reported,) = map(event, testbed.wait_for(testbed.outages, 1))
    assert (reported["type"], reported["subject"]) == ("io.fncast.outage.v1", "forecast")
    assert "cannot be reached" in reported["data"]["reason"]
    assert reported["data"]["over"] is False
    testbed.function.start()
    testbed.wait_for(testbed.forecasts, 20)
    consumer.wait_for("route forecast is back after ")
    until(lambda: OPEN + "0.0" in consumer.admin("/metrics")[1], 10, "the metric of a closed circuit")
    assert json.loads(consumer.admin("/readyz")[1])["routes_out"] == {}
    until(lambda: event(testbed.read_all(testbed.outages)[-1])["data"]["over"], 10, "the end on the topic")
    assert consumer.terminate() == 0


@pytest.mark.guarantee("an outage from the start on is reported while it lasts")
def test_an_outage_from_the_start_is_reported_until_its_end(embedded_testbed, until):
    """No call has ever succeeded. The circuit closes now and then for a try, and the outage continues."""
    testbed = embedded_testbed
    testbed.function.stop()
    testbed.produce_many(3)
    consumer = testbed.consume()
    consumer.wait_for("route forecast is out: ")
    for _ in range(60):
        assert "forecast" in json.loads(consumer.admin("/readyz")[1])["routes_out"]
        assert OPEN + "1.0" in consumer.admin("/metrics")[1]
    testbed.function.start()
    testbed.wait_for(testbed.forecasts, 3)
    until(lambda: OPEN + "0.0" in consumer.admin("/metrics")[1], 10, "the metric of a closed circuit")
    assert consumer.terminate() == 0


def event(message):
    return json.loads(message.value())
