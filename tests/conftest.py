"""What tests of several rooms share: a Docker engine, and one Kafka for a whole test run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from kafka_container import KafkaContainer

# How long an example takes says more about the machine than about the code: a busy one fails nothing.
hypothesis.settings.register_profile(
    "fncast", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("fncast")


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """Without a Docker engine its tests skip, or fail if FNCAST_REQUIRE_DOCKER is set."""
    try:
        import docker

        docker.from_env().ping()
    except Exception as error:
        if os.environ.get("FNCAST_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(f"needs a Docker engine: {str(error)[:120]}")


@pytest.fixture(scope="session")
def kafka(docker_engine: None) -> Iterator[KafkaContainer]:
    """The Kafka of this test run; each test has topics of its own."""
    from kafka_container import KafkaContainer

    container = KafkaContainer()
    yield container
    container.close()
