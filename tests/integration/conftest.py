"""Brokers, functions and consumers for the delivery tests: real ones, each in its process.

One Kafka container serves a whole test run (tests/conftest.py); each test has topics of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fake_function import Behaviour, Function, batch, forecast, works
from kafka_cluster import KafkaCluster
from kafka_container import eventually
from testbed import Stage

from consumer.kafka.embedded import EmbeddedBroker


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()


@pytest.fixture(scope="session")
def cluster(docker_engine: None) -> Iterator[KafkaCluster]:
    """Three brokers, of which a test may strike one; started for the first test that asks."""
    cluster = KafkaCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def function() -> Iterator[Function]:
    made = Function()
    yield made
    made.close()


def stage_on(request: pytest.FixtureRequest, delivery: str) -> Iterator[Stage]:
    broker = request.getfixturevalue("embedded" if "embedded" in delivery else "kafka")
    stage = Stage(
        broker.bootstrap_servers,
        delivery,
        request.getfixturevalue("function"),
        request.getfixturevalue("tmp_path"),
    )
    if not stage.is_embedded:
        stage.make_topics(*stage.topics())
    yield stage
    stage.close()


@pytest.fixture(
    params=[
        "embedded at-least-once",
        pytest.param("at-least-once", marks=[pytest.mark.docker, pytest.mark.slow]),
        pytest.param("exactly-once", marks=pytest.mark.docker),
    ]
)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The contract suite's: what each of them promises is tested on each."""
    yield from stage_on(request, request.param)


@pytest.fixture(params=["at-least-once", "exactly-once"])
def kafka_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """What only a real broker can show."""
    yield from stage_on(request, request.param)


@pytest.fixture
def embedded_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Without Docker: what has nothing to do with the broker."""
    yield from stage_on(request, "embedded at-least-once")


@pytest.fixture
def exact_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Exactly-once alone."""
    yield from stage_on(request, "exactly-once")


@pytest.fixture
def at_least_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """At-least-once alone: for what kills a single broker, whose topics have one replica (KAFKA-20734)."""
    yield from stage_on(request, "at-least-once")


@pytest.fixture
def cluster_stage(cluster: KafkaCluster, function: Function, tmp_path: Path) -> Iterator[Stage]:
    """Exactly-once on three brokers: for what kills, restarts or pauses one of them."""
    cluster.wait()
    stage = Stage(cluster.bootstrap_servers, "exactly-once", function, tmp_path)
    stage.make_topics(*stage.topics())
    yield stage
    stage.close()


@pytest.fixture
def answers() -> Any:
    """Pieces of behaviours for `Function.behaviour`."""

    class Answers:
        forecast = staticmethod(forecast)
        batch = staticmethod(batch)
        works = staticmethod(works)

        @staticmethod
        async def at_random(events: list[dict[str, Any]]) -> web.Response:
            await asyncio.sleep(random.random() * 0.05)
            return await works(events)

        @staticmethod
        def status(code: int, text: str = "") -> Behaviour:
            async def answer(_: list[dict[str, Any]]) -> web.Response:
                return web.Response(status=code, text=text)

            return answer

    return Answers


@pytest.fixture
def until() -> Callable[..., Any]:
    return eventually
