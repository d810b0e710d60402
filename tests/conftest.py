"""Shared by tests of several rooms: a Docker engine, one Kafka for a test run, and folders that are filled once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from kafka_container import KafkaContainer

# The time of an example depends on the machine, so a busy machine must not fail a test.
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
    """The Kafka of this test run; each test uses separate topics."""
    from kafka_container import KafkaContainer

    container = KafkaContainer()
    yield container
    container.close()


@pytest.fixture(scope="session")
def once_per_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """once_per_run(name, fill): a folder that fill(folder) has filled, once for all workers of pytest.

    Tests must not write into it.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        filled = shared / "once" / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not filled.is_dir():
                filling = tmp_path_factory.mktemp(name)
                fill(filling)
                filled.parent.mkdir(exist_ok=True)
                filling.rename(filled)
        return filled

    return folder
