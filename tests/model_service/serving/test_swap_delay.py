"""A version that loads slowly takes over without delaying or failing any request.

The real test models load in milliseconds, too fast to measure a delay on a busy machine.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_model_service import running_model_service

from model_service.client import GraphPipeClient
from model_service.serving.model import Model
from model_service.serving.repository import Repository
from model_service.serving.runtimes.runtime import Array
from model_service.serving.version_folder import VersionFolder
from tests.waiting import eventually

# Seconds that loading takes, and as many for the first call of a version: as for a large model with TensorFlow.
SLOW_S = 1.6
CLIENTS = 4
DETAILS = {"window": 6, "horizon": 2}
WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)


class Clients:
    """Call all the time, with short rests. Records (start time, duration, version) of each call."""

    def __init__(self, url: str) -> None:
        self.answers: list[tuple[float, float, str | None]] = []
        self.errors: list[Exception] = []
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        client = GraphPipeClient(self._url, timeout_s=20)
        while not self._stop.wait(0.005):  # the service needs the processor, too
            began = time.perf_counter()
            try:
                version = client.infer(WINDOWS).model_version
            except Exception as error:
                self.errors.append(error)
                return
            self.answers.append((began, time.perf_counter() - began, version))

    def wait_for(self, version: str) -> None:
        eventually(
            lambda: self.errors or (self.answers and self.answers[-1][2] == version),
            what=f"an answer of version {version}",
        )
        assert not self.errors, self.errors

    def slowest_s(self, begin: float, end: float) -> float:
        """The calls that started in between."""
        return max(seconds for began, seconds, _ in list(self.answers) if begin <= began < end)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)


@pytest.fixture
def write(models: Path) -> Any:
    def put(version: int) -> None:
        folder = models / "forecast" / str(version)
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps(DETAILS))

    return put


@pytest.fixture
def clients(models: Path, write: Any, fake_runtime: Any) -> Iterator[Clients]:
    """Clients of a service with version 1."""

    class SlowAtFirst(fake_runtime):  # type: ignore[misc]
        called = False

        def run(self, inputs: Mapping[str, Array]) -> Any:
            if not self.called:
                self.called = True
                time.sleep(SLOW_S)
            return super().run(inputs)

    def load(folder: VersionFolder) -> Model:
        time.sleep(SLOW_S)
        return Model(folder.name, folder.version, SlowAtFirst(), folder.document(), folder.details())

    write(1)
    repository = Repository(models, load)
    repository.refresh()
    with running_model_service(repository) as addresses:
        clients = Clients(addresses.url)
        yield clients
        clients.stop()


def test_no_request_waits_for_a_new_version(clients: Clients, write: Any) -> None:
    clients.wait_for("1")
    time.sleep(0.2)  # connections are opened
    begin = time.perf_counter()
    write(2)
    clients.wait_for("2")
    time.sleep(0.2)
    swapped = time.perf_counter()
    time.sleep(swapped - begin)  # as long without a swap
    end = time.perf_counter()
    clients.stop()
    assert clients.errors == []
    assert swapped - begin > 2 * SLOW_S, "it was not slow to load"
    during, without = clients.slowest_s(begin, swapped), clients.slowest_s(swapped, end)
    assert during < without + SLOW_S / 2, f"{during:.3f} s during the swap, {without:.3f} s without"
