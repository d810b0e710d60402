"""Delivery while brokers are late, killed, restarted or paused."""

from __future__ import annotations

import contextlib
import json

import pytest
from forecast_checks import all_have_forecasts, check_forecasts
from kafka_container import free_port, paused
from proxy import Proxies

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(150)]


@pytest.fixture
def unused_port() -> int:
    return free_port()


@pytest.mark.guarantee("an unreachable broker is waited for; a stop does not wait")
def test_an_unreachable_broker_is_waited_for_and_a_stop_does_not_wait(kafka_testbed, unused_port):
    address = f"127.0.0.1:{unused_port}"
    consumer = kafka_testbed.consume(KAFKA__BOOTSTRAP_SERVERS=address)
    consumer.wait_for(f"no Kafka answers at {address}; waiting for it")
    assert consumer.process.poll() is None
    assert consumer.terminate() == 0
    assert "Traceback" not in consumer.log()


@pytest.mark.guarantee("a broker that starts late is found")
def test_a_broker_that_starts_late_behind_a_proxy_is_found(exactly_once_testbed, unused_port, until):
    """The consumer starts before the broker at its address."""
    testbed = exactly_once_testbed
    ids = testbed.produce_many(10)
    consumer = testbed.consume(KAFKA__BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_port}")
    consumer.wait_for("waiting for it")
    host, _, port = testbed.bootstrap_servers.partition(":")
    with contextlib.closing(Proxies([(host, int(port))], [unused_port])):
        until(all_have_forecasts(testbed, ids), 25, "forecasts once the broker is there")
        assert consumer.terminate() == 0


@pytest.mark.guarantee("a single broker that is killed and restarted loses nothing (at-least-once)")
def test_a_broker_that_is_killed_and_restarted_loses_nothing(
    at_least_once_testbed, own_kafka, answers, until
):
    testbed = at_least_once_testbed
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(3000)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    testbed.wait_for(testbed.forecasts, 300)
    own_kafka.kill()
    consumer.wait_for("Kafka:", 20)
    own_kafka.start()
    ids += testbed.produce_many(100, first=3000)
    until(all_have_forecasts(testbed, ids), 90, "all forecasts")
    assert consumer.terminate() == 0
    check_forecasts(testbed, ids, repeats=True)


@pytest.mark.guarantee("one of three brokers killed, restarted or paused costs only time")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("trouble", ["killed", "restarted", "paused"])
def test_faults_of_one_of_three_brokers_lose_nothing(cluster_testbed, cluster, answers, until, trouble):
    testbed = cluster_testbed
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(3000)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    testbed.wait_for(testbed.forecasts, 300)
    assert "KAFKA-20734" not in consumer.log()
    node = cluster.nodes[0]
    if trouble == "paused":
        with paused(node):
            ids += testbed.produce_many(100, first=3000)
    else:
        cluster.restart(node, is_killed=trouble == "killed")
        ids += testbed.produce_many(100, first=3000)
    until(all_have_forecasts(testbed, ids), 120, "all forecasts")
    assert consumer.terminate() == 0
    check_forecasts(testbed, ids, repeats=False)


@pytest.mark.guarantee("a stop while the broker is away ends within 5 s")
def test_a_stop_while_the_broker_is_away_ends_within_5_s(at_least_once_testbed, own_kafka, answers, until):
    testbed = at_least_once_testbed
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(2000)
    consumer = testbed.consume(FN__BATCH_EVENTS="8")
    testbed.wait_for(testbed.forecasts, 100)
    own_kafka.kill()
    try:
        assert consumer.terminate(within_s=6) == 0
        assert "Traceback" not in consumer.log()
    finally:
        own_kafka.start()
    again = testbed.consume()
    again.wait_for("assigned", 60)
    until(all_have_forecasts(testbed, ids), 40, "all forecasts")
    assert again.terminate() == 0
    check_forecasts(testbed, ids, repeats=True)


@pytest.mark.guarantee("while the broker does not answer, /readyz is 503 with that reason")
def test_readyz_says_that_a_paused_broker_does_not_answer(at_least_once_testbed, own_kafka, until):
    consumer = at_least_once_testbed.consume()
    consumer.wait_for("assigned", 60)
    until(lambda: consumer.admin("/readyz")[0] == 200, 30, "ready")
    with own_kafka.paused():
        until(lambda: consumer.admin("/readyz")[0] == 503, 30, "not ready")
        assert "the broker has not answered for" in json.loads(consumer.admin("/readyz")[1])["reason"]
    until(lambda: consumer.admin("/readyz")[0] == 200, 60, "ready again")
    assert consumer.terminate() == 0
