"""The thread in which a model runs its longer calls."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class ModelWorker:
    """Runs jobs in one daemon thread, so that a stuck model does not keep the process from exiting."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        """Run a job after those given before. Returns at once."""
        self._jobs.put(job)

    def end(self) -> None:
        """End the thread after the jobs given before. Returns at once."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except BaseException:  # the thread has to survive for later calls
                log.exception("a job of a model's thread failed")
