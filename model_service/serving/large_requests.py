"""Scores requests with more rows than one call of the model may have, slice by slice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import numpy as np

from model_service.serving.request_queue import (
    MAX_CALL_ROWS,
    Overloaded,
    QueuedRequest,
    RowShapes,
    TooManyRows,
)
from model_service.serving.runtimes.runtime import Array

# 128 calls. A larger request would take seconds; its caller can split it.
MAX_REQUEST_ROWS = 131_072
# Of all large requests together. Each keeps its tensors in memory until it is done.
MAX_LARGE_ROWS = 2 * MAX_REQUEST_ROWS

SubmitSlice = Callable[[Mapping[str, Array], RowShapes], asyncio.Future[Mapping[str, Array]]]


class LargeRequests:
    """The large requests of a `Batcher`, which owns it. Used from the batcher's event loop only.

    Each slice joins the end of the queue when the previous slice is done, so requests that arrived in the meantime are
    scored first.
    """

    def __init__(self, submit_slice: SubmitSlice) -> None:
        """submit_slice: queues one slice, returns a future of its outputs by name, raises Overloaded."""
        self._submit_slice = submit_slice
        self._tasks: set[asyncio.Task[None]] = set()
        self._rows = 0

    def start(self, request: QueuedRequest) -> None:
        """Start to score a request. Raises Overloaded, TooManyRows."""
        if request.rows > MAX_REQUEST_ROWS:
            raise TooManyRows(
                f"the request has {request.rows} windows; at most {MAX_REQUEST_ROWS} are accepted, so split it"
            )
        if self._rows + request.rows > MAX_LARGE_ROWS:
            raise Overloaded(f"{len(self._tasks)} large requests with {self._rows} windows are waiting")
        self._rows += request.rows
        task = asyncio.get_running_loop().create_task(self._score(request))
        self._tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._rows -= request.rows

        task.add_done_callback(done)

    async def finish(self) -> None:
        """Wait until all requests are scored."""
        await asyncio.gather(*self._tasks)

    async def _score(self, request: QueuedRequest) -> None:
        """Score a request slice by slice, and resolve its future."""
        parts = []
        try:
            for start in range(0, request.rows, MAX_CALL_ROWS):
                if request.future.done():  # the caller has disconnected
                    return
                inputs = {
                    name: value[start : start + MAX_CALL_ROWS] for name, value in request.inputs.items()
                }
                parts.append(await self._submit_slice(inputs, request.row_shapes))
            outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        except Exception as error:  # the caller gets whatever the model raises
            if not request.future.done():
                request.future.set_exception(error)
            return
        if not request.future.done():
            request.future.set_result(outputs)
