"""Brokers, functions and consumers for the delivery tests, each in its process.

One Kafka container serves a whole test run (tests/conftest.py); each test uses separate topics. Tests that stop a
broker use `own_kafka` or `cluster`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from assembled import with_windows
from browser_tab import chromium
from confluent_kafka.admin import AdminClient
from fake_function import Function, batch, forecast, status, works
from kafka_cluster import KafkaCluster
from kafka_container import KafkaContainer
from testbed import DeliveryTestbed

from consumer.kafka.embedded import EmbeddedBroker
from tests.waiting import eventually


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def own_kafka(docker_engine: None) -> Iterator[KafkaContainer]:
    """A broker of this worker alone, which a test may kill or pause; started for the first test that needs it."""
    kafka = KafkaContainer()
    yield kafka
    kafka.close()


@pytest.fixture(scope="session")
def cluster(docker_engine: None) -> Iterator[KafkaCluster]:
    """Three brokers, one of which a test may kill; started for the first test that needs them."""
    cluster = KafkaCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def function() -> Iterator[Function]:
    function = Function()
    yield function
    function.close()


def testbed_on(request: pytest.FixtureRequest, name: str, delivery: str) -> Iterator[DeliveryTestbed]:
    """name: the fixture of the broker."""
    broker = request.getfixturevalue(name)
    testbed = DeliveryTestbed(
        broker.bootstrap_servers,
        delivery,
        request.getfixturevalue("function"),
        request.getfixturevalue("tmp_path"),
    )
    if not testbed.is_embedded:
        testbed.create_topics(*testbed.topics())
    yield testbed
    testbed.close()


@pytest.fixture(
    params=[
        "embedded at-least-once",
        pytest.param("at-least-once", marks=[pytest.mark.docker, pytest.mark.slow]),
        pytest.param("exactly-once", marks=pytest.mark.docker),
    ]
)
def testbed(request: pytest.FixtureRequest) -> Iterator[DeliveryTestbed]:
    """Each delivery guarantee, on the embedded broker and on Kafka."""
    name = "embedded" if "embedded" in request.param else "kafka"
    yield from testbed_on(request, name, request.param)


@pytest.fixture(params=["at-least-once", "exactly-once"])
def kafka_testbed(request: pytest.FixtureRequest) -> Iterator[DeliveryTestbed]:
    """Both guarantees on Kafka, for tests that the embedded broker cannot run."""
    yield from testbed_on(request, "kafka", request.param)


@pytest.fixture
def embedded_testbed(request: pytest.FixtureRequest) -> Iterator[DeliveryTestbed]:
    """The embedded broker, for tests that do not depend on the broker."""
    yield from testbed_on(request, "embedded", "embedded at-least-once")


@pytest.fixture
def exactly_once_testbed(request: pytest.FixtureRequest) -> Iterator[DeliveryTestbed]:
    """Exactly-once on Kafka."""
    yield from testbed_on(request, "kafka", "exactly-once")


@pytest.fixture
def windows(exactly_once_testbed: DeliveryTestbed) -> DeliveryTestbed:
    """Exactly-once on Kafka, with consumers that assemble windows."""
    return with_windows(exactly_once_testbed)


@pytest.fixture
def admin(windows: DeliveryTestbed) -> AdminClient:
    """A client of the broker of `windows`."""
    return AdminClient({"bootstrap.servers": windows.bootstrap_servers, "log_level": 0})


@pytest.fixture(params=["at-least-once", "exactly-once"])
def own_kafka_testbed(request: pytest.FixtureRequest) -> Iterator[DeliveryTestbed]:
    """Both guarantees on `own_kafka`."""
    yield from testbed_on(request, "own_kafka", request.param)


@pytest.fixture
def at_least_once_testbed(request: pytest.FixtureRequest) -> Iterator[DeliveryTestbed]:
    """At-least-once on `own_kafka`, for tests that kill it. Its topics have one replica (KAFKA-20734)."""
    yield from testbed_on(request, "own_kafka", "at-least-once")


@pytest.fixture
def cluster_testbed(cluster: KafkaCluster, function: Function, tmp_path: Path) -> Iterator[DeliveryTestbed]:
    """Exactly-once on three brokers, for tests that kill, restart or pause one of them."""
    cluster.wait()
    testbed = DeliveryTestbed(cluster.bootstrap_servers, "exactly-once", function, tmp_path)
    testbed.create_topics(*testbed.topics())
    yield testbed
    testbed.close()


@pytest.fixture
def answers() -> Any:
    """Parts of behaviours for `Function.behaviour`."""

    class Answers:
        forecast = staticmethod(forecast)
        batch = staticmethod(batch)
        works = staticmethod(works)
        status = staticmethod(status)

        @staticmethod
        async def at_random(events: list[dict[str, Any]]) -> web.Response:
            await asyncio.sleep(random.random() * 0.05)
            return await works(events)

    return Answers


@pytest.fixture
def until() -> Callable[..., Any]:
    return eventually
