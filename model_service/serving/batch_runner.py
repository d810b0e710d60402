"""Runs a model on a batch of requests, and returns an outcome for each."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model_service.serving.request_queue import QueuedRequest
from model_service.serving.runtimes.runtime import Array

log = logging.getLogger(__name__)

Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]
Outcome = Mapping[str, Array] | Exception


class BatchRunner:
    """Runs one batch at a time. Owned by a `Batcher`, and used by one thread at a time."""

    def __init__(self, run: Run, merge: bool, clock: Callable[[], float]) -> None:
        """run, merge, clock: as in `Batcher`."""
        self._run = run
        self._merge = merge
        self._clock = clock

    def outcomes(self, batch: Sequence[QueuedRequest]) -> tuple[Sequence[Outcome], float]:
        """Run a batch. Returns one outcome per request, and the seconds taken.

        Never raises, because the requests in the queue would then wait forever.
        """
        try:
            return self._call(batch)
        except BaseException as error:  # the code of a model may even call exit()
            log.exception("a call of a model failed")
            failure = RuntimeError(f"the call failed: {type(error).__name__}: {error}")
            return [failure] * len(batch), 0.0

    def _call(self, batch: Sequence[QueuedRequest]) -> tuple[Sequence[Outcome], float]:
        """Run a batch; if that fails, run its requests one by one. Returns outcomes and the seconds taken."""
        started = self._clock()
        try:
            outcomes: Sequence[Outcome] = self._run_merged(batch)
        except Exception as error:  # a foreign model may raise anything
            # A faulty request must not fail the other requests of its batch.
            outcomes = [error] if len(batch) == 1 else [self._run_alone(request) for request in batch]
        return outcomes, self._clock() - started

    def _run_alone(self, request: QueuedRequest) -> Outcome:
        """The outputs of one request, or the error that the model raises for it."""
        try:
            return self._run_merged([request])[0]
        except Exception as error:
            return error

    def _run_merged(self, batch: Sequence[QueuedRequest]) -> Sequence[Outcome]:
        """The outputs of each request from one call of the model. Raises what the model raises."""
        first = batch[0]
        if not self._merge or len(batch) == 1:
            return [self._run(first.inputs)]
        rows = [request.rows for request in batch]
        inputs = {name: np.concatenate([each.inputs[name] for each in batch]) for name in first.inputs}
        outputs = self._run(inputs)
        ends = itertools.accumulate(rows)
        return [
            {name: value[end - count : end] for name, value in outputs.items()}
            for count, end in zip(rows, ends, strict=True)
        ]
