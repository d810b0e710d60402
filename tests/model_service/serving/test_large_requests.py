"""Requests with more rows than one call may have: slices, limits and failures."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from model_service.serving.batcher import Batcher
from model_service.serving.large_requests import MAX_LARGE_ROWS, MAX_REQUEST_ROWS
from model_service.serving.request_queue import (
    MAX_CALL_ROWS,
    Overloaded,
    TooManyRows,
)
from tests.model_service.serving.doubler import Doubler, row, until


async def test_small_requests_are_scored_between_the_slices_of_a_large_one() -> None:
    model = Doubler()
    model.free.clear()
    batcher = Batcher(model, merge=True)
    rows = 20 * MAX_CALL_ROWS
    large = batcher.submit({"x": np.arange(rows, dtype=np.float32)[:, None]}, rows)
    await until(model.running)
    small = [batcher.submit(row(i, columns=1), 1) for i in range(5)]
    model.free.set()
    await asyncio.gather(*small)
    assert not large.done()
    assert model.calls[:2] == [MAX_CALL_ROWS, 5]
    np.testing.assert_array_equal((await large)["y"], 2 * np.arange(rows)[:, None])
    await batcher.close()


async def test_large_requests_alternate() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    rows = 4 * MAX_CALL_ROWS
    first, second = (batcher.submit(row(value, rows), rows) for value in (1, 2))
    turns = []
    first.add_done_callback(lambda _: turns.append(len(model.calls)))
    second.add_done_callback(lambda _: turns.append(len(model.calls)))
    assert (await first)["y"].shape == (await second)["y"].shape == (rows, 2)
    assert min(turns) > 4  # no request waited until the other one was done
    await batcher.close()


async def test_too_many_rows_are_rejected_and_large_requests_are_limited() -> None:
    model = Doubler()
    model.free.clear()
    batcher = Batcher(model, merge=True)
    with pytest.raises(
        TooManyRows, match=f"{MAX_REQUEST_ROWS + 1} windows; at most {MAX_REQUEST_ROWS} are accepted"
    ):
        batcher.submit(row(0, MAX_REQUEST_ROWS + 1), MAX_REQUEST_ROWS + 1)
    most = MAX_LARGE_ROWS // MAX_REQUEST_ROWS
    taken = [batcher.submit(row(i, MAX_REQUEST_ROWS), MAX_REQUEST_ROWS) for i in range(most)]
    with pytest.raises(Overloaded, match=f"{most} large requests"):
        batcher.submit(row(0, MAX_CALL_ROWS + 1), MAX_CALL_ROWS + 1)
    small = batcher.submit(row(1), 1)  # accepted nevertheless
    model.free.set()
    await small
    assert not any(answer.done() for answer in taken)
    await asyncio.gather(*taken)
    await batcher.submit(row(0, MAX_CALL_ROWS + 1), MAX_CALL_ROWS + 1)
    await batcher.close()


async def test_a_failed_or_cancelled_large_request_ends_at_once() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    rows = 10 * MAX_CALL_ROWS
    bad = row(1, rows)
    bad["x"][MAX_CALL_ROWS] = -1
    with pytest.raises(ValueError, match="negative"):
        await batcher.submit(bad, rows)
    assert len(model.calls) == 2
    gone = batcher.submit(row(1, rows), rows)
    gone.cancel()
    assert (await batcher.submit(row(2), 1))["y"].tolist() == [[4, 4]]
    await batcher.close()
    assert len(model.calls) <= 4


async def test_a_stuck_model_fails_a_large_request_too() -> None:
    model = Doubler()
    model.free.clear()
    batcher = Batcher(model, merge=True, stuck_s=0.05)
    with pytest.raises(Overloaded, match=r"0\.05 s"):
        await batcher.submit(row(1, 3 * MAX_CALL_ROWS), 3 * MAX_CALL_ROWS)
    model.free.set()
    await batcher.close()
