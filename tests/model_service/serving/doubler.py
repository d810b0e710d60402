"""A model that doubles, and requests for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

import numpy as np

from model_service.serving.runtimes.runtime import Array


class Doubler:
    """A model that doubles `x` and rejects negative numbers. Clear `free` to block it."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.threads: set[str] = set()
        self.running = threading.Event()
        self.free = threading.Event()
        self.free.set()

    def __call__(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        x = inputs["x"]
        self.calls.append(len(x))
        self.threads.add(threading.current_thread().name)
        self.running.set()
        assert self.free.wait(10)
        if (x < 0).any():
            raise ValueError("negative")
        return {"y": 2 * x}


def row(value: float, rows: int = 1, columns: int = 2) -> dict[str, Array]:
    return {"x": np.full((rows, columns), value, np.float32)}


async def until(condition: threading.Event) -> None:
    assert await asyncio.to_thread(condition.wait, 10)
