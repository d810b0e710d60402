"""Bounds calls of Kafka's client that may never end, although they take a timeout.

For example `send_offsets_to_transaction` of confluent-kafka 2.16 can hang after a broker failed, or while the group has
no coordinator.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

from confluent_kafka import KafkaError, KafkaException

LATE_S = 2.0  # librdkafka checks its timeouts once a second

Job = tuple[Callable[[], None], Future[None]]


class CallWorker:
    """Runs calls in one long-lived thread, one at a time. A thread that hangs in a call is abandoned and replaced.

    The thread is a daemon: it does not keep the process alive. Any thread may use a worker.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Job | None] | None = None  # None without a thread
        self._last: Future[None] | None = None

    def submit(self, call: Callable[[], None]) -> Future[None]:
        """Start the call at once. Returns its result. A call that still runs is abandoned: its thread ends with it."""
        ended: Future[None] = Future()
        with self._lock:
            if self._last is not None and not self._last.done():
                self._dismiss()
            if self._jobs is None:
                self._jobs = SimpleQueue()
                threading.Thread(target=_work, args=(self._jobs,), name=self._name, daemon=True).start()
            self._last = ended
            self._jobs.put((call, ended))
        return ended

    def run(self, call: Callable[[], None], timeout_s: float, late_s: float | None = None) -> None:
        """Make a call that promises to end within `timeout_s`, and wait for it. late_s: how much longer to wait.

        Raises what the call raises, or KafkaException where it does not end.
        """
        ended = self.submit(call)
        try:
            ended.result(timeout_s + (LATE_S if late_s is None else late_s))
        except TimeoutError:
            raise KafkaException(
                KafkaError(KafkaError._TIMED_OUT, "the client's call does not end")
            ) from None

    def close(self) -> None:
        """End the thread once its current call has ended. Does not wait for it."""
        with self._lock:
            self._dismiss()

    def _dismiss(self) -> None:
        if self._jobs is not None:
            self._jobs.put(None)
        self._jobs = self._last = None


def _work(jobs: SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        call, ended = job
        try:
            call()
        except BaseException as error:
            ended.set_exception(error)
        else:
            ended.set_result(None)
        del job, call, ended  # an idle thread must not keep a replaced client alive
