"""Queues requests for a model and selects those of its next call. Pure: no clock, no threads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from model_service.serving.runtimes.runtime import Array

# Larger calls do not reduce the cost of a window further; they only make other requests wait longer.
MAX_CALL_ROWS = 1024
# 64 calls. A caller that would wait longer is asked to retry later.
MAX_WAITING_ROWS = 65_536
MAX_WAITING_REQUESTS = 4096


class Overloaded(Exception):
    """The queue is full; the same request may succeed later."""


class TooManyRows(Exception):
    """A request has more windows than are accepted; its caller must split it."""


RowShapes = tuple[tuple[int, ...], ...]


@dataclass(slots=True, eq=False)
class QueuedRequest:
    """A request in the queue.

    inputs: arrays by name. rows: length of their first dimension, 1 if requests are not merged. row_shapes: the other
    dimensions of each input; requests share a call only if these are equal. future: resolved with the outputs.
    """

    inputs: Mapping[str, Array]
    rows: int
    row_shapes: RowShapes
    future: asyncio.Future[Mapping[str, Array]]


class RequestQueue:
    """First in, first out; requests that wait together share a call."""

    def __init__(self, merge: bool) -> None:
        """merge: whether requests may share a call. False for models whose rows influence each other."""
        self._merge = merge
        self._requests: deque[QueuedRequest] = deque()
        self._rows = 0

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: QueuedRequest) -> None:
        """Append a request. An empty queue accepts a request of any size. Raises Overloaded."""
        requests = len(self._requests)
        if requests and (requests >= MAX_WAITING_REQUESTS or self._rows + request.rows > MAX_WAITING_ROWS):
            raise Overloaded(f"{requests} requests with {self._rows} windows are waiting")
        self.add_slice(request)

    def add_slice(self, request: QueuedRequest) -> None:
        """Append a slice of a large request. No limits: the whole request was accepted before."""
        self._requests.append(request)
        self._rows += request.rows

    def take(self) -> list[QueuedRequest]:
        """Remove and return the requests of the next call: the oldest, then those behind it that fit, in order."""
        if not self._requests:
            return []
        waiting = self._requests
        first = waiting.popleft()
        taken, rows = [first], first.rows
        if self._merge:
            while waiting:
                request = waiting[0]
                if rows + request.rows > MAX_CALL_ROWS or request.row_shapes != first.row_shapes:
                    break
                rows += request.rows
                taken.append(waiting.popleft())
        self._rows -= rows
        return taken
