"""Takes records from Kafka into the lanes, and waits while there is nothing else to do."""

from __future__ import annotations

import threading
import time

from consumer.kafka.source.source import KafkaSource
from consumer.lanes.batches import Batches
from consumer.lanes.lanes import Lanes
from consumer.publishing.commits import Commits

IDLE_POLL_S = 0.2  # wait for a record while nothing is in flight
# Wait for a result while something is in flight. Only a result ends this wait, so a new record waits as well.
BUSY_WAIT_S = 0.001
CHAIN_WAIT_S = 0.003  # the same while the chain has a batch: a new record has to wait for that batch anyway
POLL_EVENTS = 500


class Intake:
    """Used by the loop's thread only.

    polled_at_s: the monotonic time of the last poll; before the first one, of the last attempt to reach the broker.
    """

    def __init__(
        self,
        source: KafkaSource,
        lanes: Lanes,
        batches: Batches,
        commits: Commits,
        result_arrived: threading.Event,
    ) -> None:
        """result_arrived: set by other threads when a batch or a commit has ended, or the loop must stop."""
        self._source = source
        self._lanes = lanes
        self._batches = batches
        self._commits = commits
        self._result_arrived = result_arrived
        self.polled_at_s = time.monotonic()

    def receive(self) -> None:
        """Poll into the lanes. If they have no room, or nothing came, wait for a result. Raises ConsumerError."""
        now_s = time.monotonic()
        flow = self._lanes.flow(now_s)
        if flow.pause:
            self._source.pause(flow.pause)
        if flow.resume:
            self._source.resume(flow.resume)
        # Full lanes wait for a commit, whose answer may need a poll. So poll, for one record at most.
        most = POLL_EVENTS if flow.has_room else int(self._commits.ends_in_poll)
        if most:
            idle_s = 0 if self._is_busy() else self._batches.idle_s(now_s, IDLE_POLL_S)
            records = self._source.poll(most, idle_s)
            self.polled_at_s = now_s
            if records:
                self._source.clear_problem()
                self._lanes.add(records)
                self._batches.records_arrived()
                return
        if self._is_busy():
            self.wait_for_result()

    def complete_commits(self) -> None:
        """Poll, so that commits of offsets end. A record that arrives is dropped here, and read again later."""
        self._source.poll(1, 0)

    def wait_for_result(self) -> None:
        """Return once a batch or a commit has ended, or a moment has passed."""
        wait_s = BUSY_WAIT_S
        if not self._batches.is_empty:
            wait_s = max(wait_s, min(CHAIN_WAIT_S, self._commits.due_in_s))
        self._result_arrived.wait(wait_s)
        self._result_arrived.clear()

    def _is_busy(self) -> bool:
        return not self._batches.is_empty or self._commits.holds_results or self._lanes.published() > 0
