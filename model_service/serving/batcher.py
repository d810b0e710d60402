"""Merges concurrent requests into batches and runs the model on them.

Requests queue while a call runs, and the next call takes all of them. An idle model is called at once, so batches grow
with the load and no request waits for a timer. Requests that the event loop reads in the same turn share a call. If
following turns bring more requests, the call is deferred by up to MAX_TURNS turns. If the previous call had a single
request, and the next one is expected to be short, that request is run immediately.

A request with more rows than one call may have is scored in slices, see large_requests.py. The reasons and measurements
are in docs/decisions/060-batcher.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from model_service.serving.batch_runner import BatchRunner, Outcome, Run
from model_service.serving.call_cost import CallCost
from model_service.serving.large_requests import LargeRequests
from model_service.serving.request_queue import (
    MAX_CALL_ROWS,
    Overloaded,
    QueuedRequest,
    RequestQueue,
    RowShapes,
)
from model_service.serving.runtimes.runtime import Array
from model_service.serving.worker import ModelWorker

log = logging.getLogger(__name__)

# A call expected to take less than this runs in the event loop, because handing it to the thread and back would take
# longer than the call. Longer calls run in the thread, so that they do not delay health checks and other models.
INLINE_S = 0.001
# How many turns of the event loop a call is deferred while each turn brings more requests. The requests have to be read
# anyway. Reading them before the call turns several small calls into a large one.
MAX_TURNS = 4
# A call that takes longer is stuck. Its callers get an error, and new requests are rejected until it returns.
STUCK_S = 30.0


class Batcher:
    """Owns the queue in front of one model and the thread that runs it. Used from one event loop only."""

    def __init__(
        self,
        run: Run,
        merge: bool,
        observe: Callable[[int, float], None] = lambda rows, seconds: None,
        clock: Callable[[], float] = time.perf_counter,
        stuck_s: float = STUCK_S,
    ) -> None:
        """run: calls the model; never called concurrently. merge: whether requests may share a call, concatenated
        along the first dimension of all inputs and outputs. observe: called with the rows and seconds of each call.
        clock: in seconds. stuck_s: after this many seconds a call counts as stuck.
        """
        self._runner = BatchRunner(run, merge, clock)
        self._merge = merge
        self._observe = observe
        self._stuck_s = stuck_s
        self._queue = RequestQueue(merge)
        self._large = LargeRequests(self._submit_slice)
        self._cost = CallCost()
        # Whether the queue will be looked at in this turn of the loop, or a call is running.
        self._is_scheduled = False
        self._was_alone = False  # the last call had one request, so the next one is likely to be alone too
        self._turns = 0  # turns that the next call has been deferred so far
        self._waiting_before = 0  # requests in the queue at the last deferral
        self._is_stuck = False
        self._worker: ModelWorker | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def submit(
        self, inputs: Mapping[str, Array], rows: int, row_shapes: RowShapes | None = None
    ) -> asyncio.Future[Mapping[str, Array]]:
        """Queue a request.

        inputs: arrays by name. rows: length of their first dimension. row_shapes: the other dimensions of each input,
        if the caller knows them. Returns a future of the outputs by name, which raises what `run` raised, or
        Overloaded. Raises Overloaded, TooManyRows.
        """
        if self._is_stuck:
            raise Overloaded(f"a call of the model has taken more than {self._stuck_s:g} s")
        if row_shapes is None:
            row_shapes = tuple([value.shape[1:] for value in inputs.values()])
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Mapping[str, Array]] = loop.create_future()
        request = QueuedRequest(inputs, rows, row_shapes, future)
        if rows > MAX_CALL_ROWS and self._merge:
            self._large.start(request)
            return future
        if self._is_scheduled:
            self._queue.add(request)
            return future
        self._start(request)
        return future

    def _start(self, request: QueuedRequest) -> None:
        """Start with a request while the queue is empty and no call runs."""
        loop = asyncio.get_running_loop()
        self._is_scheduled = True
        self._idle.clear()
        if self._was_alone and self._cost.expected_s(request.rows) <= INLINE_S:
            self._resolve([request], *self._runner.outcomes([request]))  # at once, not in the next turn
        else:
            self._queue.add(request)
        loop.call_soon(self._gather)  # runs after all requests of this turn have been read

    def _submit_slice(
        self, inputs: Mapping[str, Array], row_shapes: RowShapes
    ) -> asyncio.Future[Mapping[str, Array]]:
        """Queue one slice of a large request. Raises Overloaded if the model is stuck."""
        if self._is_stuck:
            raise Overloaded(f"a call of the model has taken more than {self._stuck_s:g} s")
        future: asyncio.Future[Mapping[str, Array]] = asyncio.get_running_loop().create_future()
        part = QueuedRequest(inputs, len(next(iter(inputs.values()))), row_shapes, future)
        if self._is_scheduled:
            self._queue.add_slice(part)
        else:
            self._start(part)
        return future

    async def close(self) -> None:
        """Finish all waiting requests, then end the thread. Call `submit` no more afterwards."""
        await self._large.finish()
        await self._idle.wait()
        if self._worker is not None:
            self._worker.end()

    def _gather(self) -> None:
        """Start the next call once a turn of the loop brings no more requests."""
        waiting = len(self._queue)
        if self._merge and waiting > self._waiting_before and self._turns < MAX_TURNS:
            self._turns += 1
            self._waiting_before = waiting
            asyncio.get_running_loop().call_soon(self._gather)
        else:
            self._start_next()

    def _start_next(self) -> None:
        """Start the next call, in the event loop or in the thread; go idle if the queue is empty."""
        self._turns = self._waiting_before = 0
        batch = self._queue.take()
        if not batch:
            self._go_idle()
            return
        self._was_alone = len(batch) == 1
        loop = asyncio.get_running_loop()
        if self._cost.expected_s(sum(request.rows for request in batch)) <= INLINE_S:
            self._resolve(batch, *self._runner.outcomes(batch))
            if self._queue:
                loop.call_soon(self._gather)
            else:
                self._go_idle()
            return
        try:
            worker = self._worker = self._worker or ModelWorker()
        except RuntimeError as error:  # the system cannot start another thread
            log.error("a model cannot be run: %s", error)
            self._resolve(batch, [Overloaded(f"the model cannot be run: {error}")] * len(batch), 0.0)
            loop.call_soon(self._gather)
            return
        self._call_in_thread(batch, worker)

    def _call_in_thread(self, batch: Sequence[QueuedRequest], worker: ModelWorker) -> None:
        """Run a call in the thread, and start the next call when it is done."""
        loop = asyncio.get_running_loop()
        watch = loop.call_later(self._stuck_s, self._fail_stuck, batch)

        def done(outcomes: Sequence[Outcome], seconds: float) -> None:
            watch.cancel()
            self._is_stuck = False
            try:
                self._resolve(batch, outcomes, seconds)
            finally:
                self._start_next()  # without it, the queue would wait forever

        def work() -> None:
            outcomes, seconds = self._runner.outcomes(batch)
            with contextlib.suppress(RuntimeError):  # the loop has been closed, so no caller waits
                loop.call_soon_threadsafe(done, outcomes, seconds)

        worker.do(work)

    def _go_idle(self) -> None:
        self._is_scheduled = False
        self._idle.set()

    def _resolve(self, batch: Sequence[QueuedRequest], outcomes: Sequence[Outcome], seconds: float) -> None:
        """Resolve the futures of a batch. Never raises."""
        for request, outcome in zip(batch, outcomes, strict=True):
            if request.future.done():  # cancelled, or failed as stuck
                continue
            if isinstance(outcome, Exception):
                request.future.set_exception(outcome)
            else:
                request.future.set_result(outcome)
        rows = sum(request.rows for request in batch)
        self._cost.observe(rows, seconds)
        try:
            self._observe(rows, seconds)
        except Exception:
            log.exception("a call of a model could not be measured")

    def _fail_stuck(self, batch: Sequence[QueuedRequest]) -> None:
        """Fail the running call, which is stuck, and all queued requests, so that no caller waits forever."""
        self._is_stuck = True
        while batch:
            for request in batch:
                if not request.future.done():
                    request.future.set_exception(Overloaded(f"the model took more than {self._stuck_s:g} s"))
            batch = self._queue.take()
