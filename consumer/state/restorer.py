"""Restores the state of assigned partitions in a thread, one partition after the other.

A partition that is not available now is tried again after the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from consumer.errors import ConsumerError
from consumer.state.partition_restore import PartitionRestore
from consumer.state.reader import Reader, Unavailable
from consumer.state.restoration import Cancelled, Restoration
from interceptor.errors import StateError

log = logging.getLogger("fncast.consumer")

RETRY_S = 1.0


class Restorer:
    """Owns the thread, which runs while there is something to restore. Any thread may call `submit`."""

    def __init__(
        self,
        restore: PartitionRestore,
        open_reader: Callable[[], Reader],
    ) -> None:
        """restore: restores one partition. open_reader: creates a Kafka client."""
        self._restore = restore
        self._open_reader = open_reader
        self._lock = threading.Lock()
        self._waiting: list[Restoration] = []
        self._is_running = False
        self._last_reason = ""  # why a partition could not be restored; empty once one was

    def submit(self, restorations: Sequence[Restoration]) -> None:
        """Restore these partitions after those that wait already. Returns at once."""
        with self._lock:
            self._waiting += restorations
            if self._waiting and not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="restore", daemon=True).start()

    def _run(self) -> None:
        reader: Reader | None = None
        while (restoration := self._next()) is not None:
            if restoration.is_cancelled:
                continue
            try:
                reader = reader or self._open_reader()
                self._finish(reader, restoration)
                self._last_reason = ""
            except Unavailable as reason:
                # The reason often applies to all partitions, so one log line is enough.
                restoration.wait_because(str(reason), is_known=str(reason) == self._last_reason)
                self._last_reason = str(reason)
                _close(reader)
                reader = None
                time.sleep(RETRY_S)
                self.submit([restoration])  # behind the others, which may be available
            except BaseException as error:
                restoration.done.set_exception(error)
        _close(reader)

    def _next(self) -> Restoration | None:
        with self._lock:
            if self._waiting:
                return self._waiting.pop(0)
            self._is_running = False
            return None

    def _finish(self, reader: Reader, restoration: Restoration) -> None:
        """Restore the partition, unless it is taken away meanwhile.

        Raises Unavailable to try again with a new reader, and any other error to end the consumer.
        """
        try:
            restored = self._restore.run(reader, restoration)
        except Cancelled:
            return
        except StateError as error:
            topic, number = restoration.partition
            raise ConsumerError(f"the state of {topic}/{number} cannot be read: {error}") from None
        restoration.done.set_result(restored)
        restoration.problem = ""


def _close(reader: Reader | None) -> None:
    """Close the reader. An error is only logged: without its thread, no partition would be restored."""
    try:
        if reader is not None:
            reader.close()
    except Exception:
        log.exception("the reader of the state was not closed")
