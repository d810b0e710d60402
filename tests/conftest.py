"""What tests of several rooms share: a Docker engine, one Kafka for a whole test run, and folders made once."""

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


@pytest.fixture(scope="session")
def once_per_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """once_per_run(name, make) is a folder that make(folder) has filled: once, whatever pytest's workers are.

    Some ten seconds of work for one worker would otherwise be done by each. Nobody may write into it.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        made = shared / "once" / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.is_dir():
                making = tmp_path_factory.mktemp(name)
                make(making)
                made.parent.mkdir(exist_ok=True)
                making.rename(made)
        return made

    return folder
