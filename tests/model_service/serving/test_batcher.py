"""Merging, queueing, limits and failures of the batcher."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from model_service.serving import batcher as batcher_module
from model_service.serving.batch_runner import BatchRunner, Outcome
from model_service.serving.batcher import Batcher
from model_service.serving.call_cost import CallCost
from model_service.serving.request_queue import (
    MAX_CALL_ROWS,
    Overloaded,
    QueuedRequest,
)
from tests.model_service.serving.doubler import Doubler, row, until


async def test_waiting_requests_share_a_call() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    answers = await asyncio.gather(*(batcher.submit(row(i), 1) for i in range(10)))
    assert model.calls == [10]
    for i, answer in enumerate(answers):
        np.testing.assert_array_equal(answer["y"], 2 * row(i)["x"])
    await batcher.close()


async def test_requests_queue_while_a_call_runs_and_the_loop_is_not_blocked() -> None:
    model = Doubler()
    model.free.clear()
    batcher = Batcher(model, merge=True)
    first = batcher.submit(row(1), 1)
    await until(model.running)
    others = [batcher.submit(row(i, rows=3), 3) for i in range(5)]
    await asyncio.sleep(0)
    assert not first.done()
    model.free.set()
    await asyncio.gather(first, *others)
    assert model.calls == [1, 15]
    await batcher.close()


async def test_different_row_shapes_and_unmerged_models_do_not_share_a_call() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    requests = [row(1), row(2), row(3, columns=5), row(4)]
    await asyncio.gather(*(batcher.submit(request, 1) for request in requests))
    assert model.calls == [2, 1, 1]
    alone = Batcher(model, merge=False)
    model.calls.clear()
    await asyncio.gather(*(alone.submit(row(i), 1) for i in range(3)))
    assert model.calls == [1, 1, 1]
    await batcher.close()
    await alone.close()


async def test_calls_are_limited_and_large_requests_are_sliced() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    large = {"x": np.arange(2 * MAX_CALL_ROWS + 5, dtype=np.float32)[:, None]}
    small = [batcher.submit(row(i, rows=400, columns=1), 400) for i in range(4)]
    answer = await batcher.submit(large, len(large["x"]))
    np.testing.assert_array_equal(answer["y"], 2 * large["x"])
    await asyncio.gather(*small)
    assert model.calls == [800, 800, MAX_CALL_ROWS, MAX_CALL_ROWS, 5]
    await batcher.close()


async def test_a_cancelled_request_does_not_affect_others() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    gone, stays = batcher.submit(row(1), 1), batcher.submit(row(2), 1)
    gone.cancel()
    assert (await stays)["y"].tolist() == [[4, 4]]
    await batcher.close()


async def test_short_calls_run_in_the_loop_and_long_ones_in_the_thread() -> None:
    """The duration of the last calls decides. The test controls the clock."""
    model = Doubler()
    seconds = itertools.repeat(batcher_module.INLINE_S / 10)
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += next(seconds)
        return now

    batcher = Batcher(model, merge=True, clock=clock)
    await batcher.submit(row(1), 1)
    assert model.threads == {"model"}  # unknown yet: not in the loop
    model.threads.clear()
    await batcher.submit(row(1), 1)
    assert model.threads == {threading.current_thread().name}
    model.threads.clear()
    await batcher.submit(row(1, rows=64), 64)
    assert model.threads == {"model"}  # no call of this size has been measured
    seconds = itertools.repeat(batcher_module.INLINE_S * 10)
    for _ in range(CallCost.REMEMBERED_CALLS):  # slow now, so the next goes to the thread
        await batcher.submit(row(1), 1)
    model.threads.clear()
    await batcher.submit(row(1), 1)
    assert model.threads == {"model"}
    await batcher.close()


async def test_single_requests_are_scored_immediately() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    for _ in range(3):
        await batcher.submit(row(1), 1)
        await asyncio.sleep(0)
    assert batcher.submit(row(1), 1).done()
    together = [batcher.submit(row(value), 1) for value in (1, 2, 3)]  # in the same turn: one call for these
    calls = len(model.calls)
    await asyncio.gather(*together)
    assert len(model.calls) == calls + 1
    assert not batcher.submit(row(1), 1).done()  # they come together again
    await batcher.close()


async def test_a_call_is_deferred_a_few_turns_while_requests_arrive() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    answers = []
    for turn in range(3 * batcher_module.MAX_TURNS):
        answers.append(batcher.submit(row(turn), 1))
        await asyncio.sleep(0)
    await asyncio.gather(*answers)
    assert model.calls[0] == batcher_module.MAX_TURNS + 1
    await batcher.close()


async def test_a_stuck_model_fails_requests_until_it_returns() -> None:
    model = Doubler()
    model.free.clear()
    batcher = Batcher(model, merge=True, stuck_s=0.05)
    running = batcher.submit(row(1), 1)
    await until(model.running)
    waiting = batcher.submit(row(2), 1)
    for unanswered in (running, waiting):
        with pytest.raises(Overloaded, match=r"0\.05 s"):
            await unanswered
    with pytest.raises(Overloaded):
        batcher.submit(row(3), 1)
    model.free.set()
    async with asyncio.timeout(10):
        while True:
            try:
                answer = await batcher.submit(row(4), 1)
                break
            except Overloaded:  # until the call has returned
                await asyncio.sleep(0)
    assert answer["y"].tolist() == [[8, 8]]
    await batcher.close()


async def test_close_finishes_waiting_requests() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    answers = [batcher.submit(row(i, rows=1000), 1000) for i in range(5)]
    await batcher.close()
    assert all(answer.done() for answer in answers)


async def test_each_call_is_observed() -> None:
    seen: list[int] = []
    batcher = Batcher(Doubler(), merge=True, observe=lambda rows, seconds: seen.append(rows))
    await asyncio.gather(*(batcher.submit(row(i), 1) for i in range(3)))
    assert seen == [3]
    await batcher.close()


async def test_a_failing_observer_or_clock_does_not_stop_the_batcher(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> float:
        raise OSError("the disk is full")

    for batcher in (
        Batcher(Doubler(), merge=True, observe=fail),  # type: ignore[arg-type]
        Batcher(Doubler(), merge=True, clock=fail),
    ):
        for _ in range(3):
            async with asyncio.timeout(10):
                (answer,) = await asyncio.gather(batcher.submit(row(1), 1), return_exceptions=True)
        await batcher.close()
        assert isinstance(answer, RuntimeError) or answer["y"].tolist() == [[2, 2]]
    assert caplog.text.count("the disk is full") >= 6


async def test_the_queue_continues_after_an_error_in_the_batcher_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("model_service.serving.batcher.INLINE_S", -1.0)  # each call runs in the thread
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    real, failures = BatchRunner.outcomes, 1

    def outcomes(runner: BatchRunner, batch: Sequence[QueuedRequest]) -> tuple[Sequence[Outcome], float]:
        nonlocal failures
        if failures:
            failures -= 1
            return [], 0.0  # a bug: no outcome for the request
        return real(runner, batch)

    monkeypatch.setattr(BatchRunner, "outcomes", outcomes)
    batcher = Batcher(Doubler(), merge=True)
    lost = batcher.submit(row(1), 1)
    async with asyncio.timeout(10):
        while failures:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert (await batcher.submit(row(2), 1))["y"].tolist() == [[4, 4]]
        await batcher.close()
    lost.cancel()


async def test_without_a_thread_requests_fail_and_later_ones_succeed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def reject(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    batcher = Batcher(Doubler(), merge=True)
    monkeypatch.setattr(threading.Thread, "start", reject)
    with pytest.raises(Overloaded, match="can't start new thread"):
        await batcher.submit(row(1), 1)
    monkeypatch.undo()
    assert (await batcher.submit(row(1), 1))["y"].tolist() == [[2, 2]]
    assert "can't start new thread" in caplog.text
    await batcher.close()
