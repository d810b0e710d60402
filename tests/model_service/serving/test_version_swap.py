"""Versions that change under load. test_swap_delay.py has versions that load slowly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_service.client import GraphPipeClient, InvalidShape
from tests.waiting import eventually

pytestmark = pytest.mark.integration

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
CALLERS = 8
OFFSETS = {"1": 0, "2": 1000, "4": 2000}  # what each version adds to the mean of a window
Start = Callable[..., Any]  # of conftest.py


class Callers:
    """Threads that call all the time. Used as a context manager, which ends them."""

    def __init__(self, url: str) -> None:
        self.errors: list[Exception] = []
        self.versions: set[str | None] = set()
        self.answered: list[tuple[float, float]] = []  # when each call began, how long it took
        self._url = url
        self._calls = [0] * CALLERS
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _call(self, number: int) -> None:
        client = GraphPipeClient(self._url, timeout_s=10)
        windows = WINDOWS
        while not self._stop.wait(0.005):  # the service needs the processor, too
            began = time.perf_counter()
            try:
                answer = client.infer(windows)
                self.answered.append((began, time.perf_counter() - began))
                offset = OFFSETS[answer.model_version or ""]
                np.testing.assert_allclose(answer.outputs[:, 0, 0], windows.mean(1) + offset, rtol=1e-5)
            except InvalidShape:  # a version with another window: ask for its shape, as the function does
                windows = np.zeros((2, client.metadata().inputs[0].shape[1]), np.float32)
                continue
            except Exception as error:
                self.errors.append(error)
                return
            self._calls[number] += 1
            self.versions.add(answer.model_version)

    def wait_for_a_call_of_each(self) -> None:
        before = list(self._calls)
        eventually(
            lambda: self.errors or all(now > then for now, then in zip(self._calls, before, strict=True)),
            10,
            "a call of each caller",
        )

    def slowest(self, begin: float, end: float) -> float:
        """The longest duration of a call that began between the two times, in seconds."""
        return max(seconds for began, seconds in list(self.answered) if begin <= began < end)


def test_versions_swap_under_load_without_an_error(start: Start, place: Any, models: Path) -> None:
    """A version, a broken version and one with another shape are added, and one is retired.

    The calls are compared with those of an equally long time without changes.
    """
    place("ours", 1)
    service = start("--models", models)
    with Callers(service.url) as callers:
        begin = time.perf_counter()
        place("ours_later", 2)
        service.wait_for("forecast/2 is in service")
        place("broken", 3)
        assert "not finite" in service.wait_for("forecast/3 is rejected")
        four = place("ours_wider", 4)
        service.wait_for("forecast/4 is in service")
        (four / "retired").touch()
        service.wait_for("forecast/4 is out of service")
        callers.wait_for_a_call_of_each()
        changed = time.perf_counter()
        time.sleep(changed - begin)
    assert callers.errors == []
    assert callers.versions >= {"1", "2", "4"}
    during = callers.slowest(begin, changed)
    without = callers.slowest(changed, float("inf"))
    assert during < without + 1, (during, without)
    assert service.stop() == 0
    assert not any("Traceback" in line for line in service.lines)
