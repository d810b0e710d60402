"""Scores the requests that wait together in one call of the model, without ever waiting for more to come.

While a call runs, requests gather; when it is done, all that gathered go into the next. An idle model is called at
once, so a lone request waits for nobody, and under load the batches grow by themselves. Requests that the event loop
reads in one turn share a call, and those of the next turns as long as each brings more; where requests have been coming
one by one, one does not even wait for the end of its turn.

A request of more rows than a call is scored in slices. Its next slice joins the end of the queue when the one before is
done, so whatever came meanwhile is scored first.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model_service.serving.request_queue import (
    MAX_CALL_ROWS,
    MAX_LARGE_ROWS,
    MAX_REQUEST_ROWS,
    CallCost,
    Overloaded,
    RequestQueue,
    RowShapes,
    TooManyRows,
    Waiting,
)
from model_service.serving.runtimes.runtime import Array

log = logging.getLogger(__name__)

Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]
Outcome = Mapping[str, Array] | Exception

# A call expected to be shorter than this runs in the event loop: handing it to the thread and back costs 100-300 µs and
# two fights for the GIL, and who waits meanwhile waits for the model anyway. 64 windows take 0.3-0.8 ms with LiteRT.
# Longer calls would hold up health checks and other models.
INLINE_S = 0.001
# Turns of the event loop that a call is put off while each brings more requests. Reading them is work that has to be
# done anyway; done before the call instead of after it, it makes one large call of several small ones: 55 windows
# instead of 24 in a trial of 64 connections.
MAX_TURNS = 4
# A call that takes longer is stuck: its callers are told so, and no new ones are taken until it returns.
STUCK_S = 30.0


class Batcher:
    """The queue in front of one model, and the one thread that runs it. Belongs to one event loop."""

    def __init__(
        self,
        run: Run,
        merge: bool,
        observe: Callable[[int, float], None] = lambda rows, seconds: None,
        clock: Callable[[], float] = time.perf_counter,
        stuck_s: float = STUCK_S,
    ) -> None:
        """run: the model, never called by two at once. merge: whether requests may share a call, along the first
        dimension of all inputs and outputs. observe: told rows and seconds of each call."""
        self._run = run
        self._merge = merge
        self._observe = observe
        self._clock = clock
        self._stuck_s = stuck_s
        self._queue = RequestQueue(merge)
        self._large: set[asyncio.Task[None]] = set()
        self._large_rows = 0
        self._cost = CallCost()
        self._scheduled = False  # a look at the queue is due in this turn of the loop, or a call is running
        self._came_alone = False  # the last request: so will the next, probably
        self._turns = 0  # that the next call has been put off
        self._seen = 0  # how many waited when it was
        self._stuck = False
        self._worker: _Worker | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def submit(
        self, inputs: Mapping[str, Array], rows: int, row_shapes: RowShapes | None = None
    ) -> asyncio.Future[Mapping[str, Array]]:
        """The outputs by name, once the model has run. row_shapes: the inputs' dimensions but the first, if they are
        known. Raises Overloaded, TooManyRows; the future raises what `run` raised, or Overloaded."""
        if self._stuck:
            raise Overloaded(f"a call of the model has taken more than {self._stuck_s:g} s")
        if row_shapes is None:
            row_shapes = tuple([value.shape[1:] for value in inputs.values()])
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Mapping[str, Array]] = loop.create_future()
        request = Waiting(inputs, rows, row_shapes, answer)
        if rows > MAX_CALL_ROWS and self._merge:
            self._start_large(request)
            return answer
        if self._scheduled:
            self._queue.add(request)
            return answer
        self._start(request)
        return answer

    def _start(self, request: Waiting) -> None:
        """Begin with a request while nothing waits and no call runs."""
        loop = asyncio.get_running_loop()
        self._scheduled = True
        self._idle.clear()
        if self._came_alone and self._cost.expected_s(request.rows) <= INLINE_S:
            self._settle([request], *self._outcomes([request]))  # sooner than by way of the loop
        else:
            self._queue.add(request)
        loop.call_soon(self._gather)  # after the other requests that this turn of the loop has read

    def _start_large(self, request: Waiting) -> None:
        """Begin with a request of more rows than a call. Raises Overloaded, TooManyRows."""
        if request.rows > MAX_REQUEST_ROWS:
            raise TooManyRows(f"{request.rows} windows; a request may have {MAX_REQUEST_ROWS}, so split it")
        if self._large_rows + request.rows > MAX_LARGE_ROWS:
            raise Overloaded(f"{len(self._large)} large requests with {self._large_rows} windows are waiting")
        self._large_rows += request.rows
        task = asyncio.get_running_loop().create_task(self._score_large(request))
        self._large.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._large.discard(task)
            self._large_rows -= request.rows

        task.add_done_callback(done)

    async def _score_large(self, request: Waiting) -> None:
        """Score a request slice by slice, one after the other."""
        parts = []
        try:
            for start in range(0, request.rows, MAX_CALL_ROWS):
                if request.answer.done():  # the caller went away
                    return
                inputs = {
                    name: value[start : start + MAX_CALL_ROWS] for name, value in request.inputs.items()
                }
                parts.append(await self._submit_slice(inputs, request.row_shapes))
            outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        except Exception as error:  # whatever the model raises is its request's answer
            if not request.answer.done():
                request.answer.set_exception(error)
            return
        if not request.answer.done():
            request.answer.set_result(outputs)

    def _submit_slice(
        self, inputs: Mapping[str, Array], row_shapes: RowShapes
    ) -> asyncio.Future[Mapping[str, Array]]:
        """Raises Overloaded where the model is stuck."""
        if self._stuck:
            raise Overloaded(f"a call of the model has taken more than {self._stuck_s:g} s")
        answer: asyncio.Future[Mapping[str, Array]] = asyncio.get_running_loop().create_future()
        part = Waiting(inputs, len(next(iter(inputs.values()))), row_shapes, answer)
        if self._scheduled:
            self._queue.add_slice(part)
        else:
            self._start(part)
        return answer

    async def close(self) -> None:
        """Answer what waits, then end the thread. Nothing may be submitted any more."""
        await asyncio.gather(*self._large)
        await self._idle.wait()
        if self._worker is not None:
            self._worker.end()

    def _gather(self) -> None:
        """Start the next call once a turn of the loop has brought no more requests."""
        waiting = len(self._queue)
        if self._merge and waiting > self._seen and self._turns < MAX_TURNS:
            self._turns += 1
            self._seen = waiting
            asyncio.get_running_loop().call_soon(self._gather)
        else:
            self._next()

    def _next(self) -> None:
        """Start the next call, inline or in the thread; or come to rest."""
        self._turns = self._seen = 0
        batch = self._queue.take()
        if not batch:
            self._rest()
            return
        self._came_alone = len(batch) == 1
        loop = asyncio.get_running_loop()
        if self._cost.expected_s(sum(request.rows for request in batch)) <= INLINE_S:
            self._settle(batch, *self._outcomes(batch))
            if self._queue:
                loop.call_soon(self._gather)
            else:
                self._rest()
            return
        try:
            if self._worker is None:
                self._worker = _Worker()
        except RuntimeError as error:  # the system has no thread left
            log.error("a model cannot be run: %s", error)
            self._settle(batch, [Overloaded(f"the model cannot be run: {error}")] * len(batch), 0.0)
            loop.call_soon(self._gather)
            return
        watch = loop.call_later(self._stuck_s, self._give_up, batch)

        def done(outcomes: Sequence[Outcome], seconds: float) -> None:
            watch.cancel()
            self._stuck = False
            self._settle(batch, outcomes, seconds)
            self._next()

        def work() -> None:
            outcomes, seconds = self._outcomes(batch)
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                loop.call_soon_threadsafe(done, outcomes, seconds)

        self._worker.do(work)

    def _rest(self) -> None:
        self._scheduled = False
        self._idle.set()

    def _outcomes(self, batch: Sequence[Waiting]) -> tuple[Sequence[Outcome], float]:
        """One outcome a request, and the seconds it took. Raises nothing: the requests behind would wait for ever."""
        try:
            return self._call(batch)
        except BaseException as error:  # a model's code may even call exit()
            log.exception("a call of a model failed")
            failure = RuntimeError(f"the call failed: {type(error).__name__}: {error}")
            return [failure] * len(batch), 0.0

    def _call(self, batch: Sequence[Waiting]) -> tuple[Sequence[Outcome], float]:
        """One outcome a request, and the seconds it took."""
        started = self._clock()
        try:
            outcomes: Sequence[Outcome] = self._run_merged(batch)
        except Exception as error:  # whatever a foreign model raises is its request's answer
            # One request must not fail those that happened to wait beside it.
            outcomes = [error] if len(batch) == 1 else [self._run_alone(request) for request in batch]
        return outcomes, self._clock() - started

    def _run_alone(self, request: Waiting) -> Outcome:
        try:
            return self._run_merged([request])[0]
        except Exception as error:
            return error

    def _run_merged(self, batch: Sequence[Waiting]) -> Sequence[Outcome]:
        first = batch[0]
        if not self._merge:
            return [self._run(first.inputs)]
        if len(batch) == 1:
            return [self._run(first.inputs)]
        rows = [request.rows for request in batch]
        inputs = {name: np.concatenate([each.inputs[name] for each in batch]) for name in first.inputs}
        outputs = self._run(inputs)
        ends = itertools.accumulate(rows)
        return [
            {name: value[end - count : end] for name, value in outputs.items()}
            for count, end in zip(rows, ends, strict=True)
        ]

    def _settle(self, batch: Sequence[Waiting], outcomes: Sequence[Outcome], seconds: float) -> None:
        """Answer a batch. Raises nothing."""
        for request, outcome in zip(batch, outcomes, strict=True):
            if request.answer.done():  # given up
                continue
            if isinstance(outcome, Exception):
                request.answer.set_exception(outcome)
            else:
                request.answer.set_result(outcome)
        rows = sum(request.rows for request in batch)
        self._cost.observe(rows, seconds)
        try:
            self._observe(rows, seconds)
        except Exception:
            log.exception("a call of a model could not be measured")

    def _give_up(self, batch: Sequence[Waiting]) -> None:
        """The running call is stuck: fail it and all behind it, so that nobody waits for ever."""
        self._stuck = True
        while batch:
            for request in batch:
                if not request.answer.done():
                    request.answer.set_exception(Overloaded(f"the model took more than {self._stuck_s:g} s"))
            batch = self._queue.take()


class _Worker:
    """One daemon thread: a model that is stuck must not keep the process from ending."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        self._jobs.put(job)

    def end(self) -> None:
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except BaseException:  # the thread serves every later call
                log.exception("a job of a model's thread failed")
