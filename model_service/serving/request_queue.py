"""Requests that wait for a model, and which of them go into its next call. Pure: no clock, no threads."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from model_service.serving.runtimes.runtime import Array

# From some 256 windows on, a window costs the same; more in one call would only make the others wait longer.
MAX_CALL_ROWS = 1024
# 64 calls, so 0.1-0.4 s of waiting with LiteRT: beyond it the caller is better told to come back.
MAX_WAITING_ROWS = 65_536
MAX_WAITING_REQUESTS = 4096
# A larger request takes seconds, in which its caller may as well send parts of it.
MAX_REQUEST_ROWS = 2 * MAX_WAITING_ROWS
# Requests of more than one call that are scored slice by slice beside the queue. Each holds its tensors meanwhile.
MAX_LARGE_ROWS = 2 * MAX_REQUEST_ROWS


class Overloaded(Exception):
    """The queue is full: come back later."""


class TooManyRows(Exception):
    """A request has more windows than a request may have: it must be split."""


RowShapes = tuple[tuple[int, ...], ...]


@dataclass(slots=True, eq=False)
class Waiting:
    """One request. inputs: by name; rows: the length of their first dimension, 1 where it is not merged;
    row_shapes: the other dimensions of each, equal for requests that may share a call."""

    inputs: Mapping[str, Array]
    rows: int
    row_shapes: RowShapes
    answer: asyncio.Future[Mapping[str, Array]]


class RequestQueue:
    """First come, first served; what waits together is called together."""

    def __init__(self, merge: bool) -> None:
        """merge: whether requests may share a call; a model whose rows influence each other must not."""
        self._merge = merge
        self._requests: deque[Waiting] = deque()
        self._rows = 0

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: Waiting) -> None:
        """Raises Overloaded. A request that is large by itself is taken if nothing else waits."""
        requests = len(self._requests)
        if requests and (requests >= MAX_WAITING_REQUESTS or self._rows + request.rows > MAX_WAITING_ROWS):
            raise Overloaded(f"{requests} requests with {self._rows} windows are waiting")
        self.add_slice(request)

    def add_slice(self, request: Waiting) -> None:
        """Add a slice of a request that was accepted as a whole: the bounds do not apply to it."""
        self._requests.append(request)
        self._rows += request.rows

    def take(self) -> list[Waiting]:
        """The next call's requests: the oldest and those behind it that fit, in order. Empty if none waits."""
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


class CallCost:
    """How long a call takes by itself, by the power of two of its rows.

    The least of the last few: what a busy machine or a fight for the GIL adds is not the model's. With their mean a
    model once called in its thread would look too slow for the event loop, and so stay in the thread for good."""

    LAST = 4  # follows a change in as many calls

    def __init__(self) -> None:
        self._seconds: dict[int, deque[float]] = {}

    def observe(self, rows: int, seconds: float) -> None:
        size = rows.bit_length()
        last = self._seconds.get(size)
        if last is None:
            last = self._seconds[size] = deque(maxlen=self.LAST)
        last.append(seconds)

    def expected_s(self, rows: int) -> float:
        """Seconds, infinite while no call of such a size was seen."""
        last = self._seconds.get(rows.bit_length())
        return min(last) if last else math.inf
