from __future__ import annotations

import asyncio

import numpy as np
import pytest

from model_service.serving.request_queue import (
    MAX_CALL_ROWS,
    MAX_WAITING_REQUESTS,
    MAX_WAITING_ROWS,
    Overloaded,
    QueuedRequest,
    RequestQueue,
)
from model_service.serving.runtimes.runtime import Array


def row(value: float, rows: int = 1, columns: int = 2) -> dict[str, Array]:
    return {"x": np.full((rows, columns), value, np.float32)}


async def test_the_queue_is_limited_by_rows_and_requests() -> None:
    def waiting(rows: int) -> QueuedRequest:
        return QueuedRequest(row(0, rows), rows, ((2,),), asyncio.get_running_loop().create_future())

    queue = RequestQueue(merge=True)
    queue.add(waiting(MAX_WAITING_ROWS * 2))  # alone, so it is accepted with any size
    with pytest.raises(Overloaded):
        queue.add(waiting(1))
    queue.take()
    for _ in range(MAX_WAITING_REQUESTS):
        queue.add(waiting(1))
    with pytest.raises(Overloaded, match=f"{MAX_WAITING_REQUESTS} requests"):
        queue.add(waiting(1))
    assert len(queue.take()) == MAX_CALL_ROWS
    queue.add(waiting(1))
