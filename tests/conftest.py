"""Shared by tests of several rooms: a Docker engine, one Kafka for a test run, and folders that are filled once."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from kafka_container import KafkaContainer

# Without bytecode files each worker would rewrite and compile each module again, also where the environment forbids the
# files. Processes that tests start keep to the environment: a test may change a function's file within a second, which
# an old bytecode file would hide.
sys.dont_write_bytecode = False

# The time of an example depends on the machine, so a busy machine must not fail a test.
_on_any_machine = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
# The same examples in each run: a test fails because of a change, not by chance. `make test-all` explores.
hypothesis.settings.register_profile("same", _on_any_machine, derandomize=True)
hypothesis.settings.register_profile("explore", _on_any_machine, max_examples=500)
hypothesis.settings.load_profile("same")


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
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this test run that all workers of pytest see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Keep the other workers out during the block."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def kafka(docker_engine: None, shared_folder: Path) -> Iterator[KafkaContainer]:
    """The Kafka of all workers of this test run. Each test uses separate topics; none may stop the broker.

    The first worker that needs Kafka starts it, and the last one that has used it removes it.
    """
    from kafka_container import KafkaContainer

    running, lock = shared_folder / "kafka.json", shared_folder / "kafka.lock"
    with locked(lock):
        if running.exists():
            known = json.loads(running.read_text())
            container = KafkaContainer.attach(known["id"], known["servers"])
        else:
            container = KafkaContainer()
            known = {"id": container.container_id, "servers": container.bootstrap_servers, "users": 0}
        running.write_text(json.dumps(known | {"users": known["users"] + 1}))
    yield container
    with locked(lock):
        known = json.loads(running.read_text())
        if known["users"] > 1:
            running.write_text(json.dumps(known | {"users": known["users"] - 1}))
        else:
            running.unlink()
            container.close()


@pytest.fixture(scope="session")
def once_per_run(
    tmp_path_factory: pytest.TempPathFactory, shared_folder: Path
) -> Callable[[str, Callable[[Path], None]], Path]:
    """once_per_run(name, fill): a folder that fill(folder) has filled, once for all workers of pytest.

    Tests must not write into it.
    """

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        filled = shared_folder / "once" / name
        with locked(shared_folder / f"{name}.lock"):
            if not filled.is_dir():
                filling = tmp_path_factory.mktemp(name)
                fill(filling)
                filled.parent.mkdir(exist_ok=True)
                filling.rename(filled)
        return filled

    return folder


ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def wheel(once_per_run: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """The wheel of fncast, built from a copy of the checkout, because a build writes into its source folder."""

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def build(folder: Path) -> None:
        checkout = folder / "checkout"
        for name in run("git", "ls-files").splitlines():
            if not name.startswith(("tests/", "benchmarks/", "docs/")) and (ROOT / name).is_file():
                (checkout / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, checkout / name)
        has_setuptools = all(importlib.util.find_spec(name) for name in ("setuptools", "wheel"))
        offline = ["--no-build-isolation"] if has_setuptools else []  # else pip fetches setuptools
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", *offline)
        run(*pip, "--wheel-dir", str(folder), str(checkout))

    [built] = once_per_run("wheel", build).glob("*.whl")
    return built
