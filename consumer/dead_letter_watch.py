"""Logs the dead letters of each input topic, and pauses a topic whose records are all rejected.

Pure: the clock is passed in.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from consumer import metrics
from consumer.lanes.lane import Partition
from fncast.foreign_text import clean
from interceptor.contract import Offsets
from interceptor.delivery import Delivery, Tick
from interceptor.outcome import Assembled, DeadLetter

log = logging.getLogger("fncast.consumer")

LOG_S = 60.0
MAX_REASON = 300  # characters of a reason, which may quote an event

Position = tuple[int, int | None]  # an offset and, for a tick at this offset, its time


class TopicCounts:
    """The dead letters of one input topic.

    rejected: how many dead letters there were. kind: the kind of the last one. is_mixed: whether there were other kinds
    or other outcomes. logged_kinds: kinds of which one dead letter has been logged. not_logged: by kind, how many dead
    letters there were since the last log line.
    """

    def __init__(self) -> None:
        self.kind: str | None = None
        self.is_mixed = False
        self.rejected = 0
        self.logged_kinds: set[str] = set()
        self.not_logged: Counter[str] = Counter()


class DeadLetterWatch:
    """Used by the loop's thread only. paused: by paused topic the reason, as a sentence."""

    def __init__(self, dead_letter_topic: str, pause_after: int, clock: Callable[[], float]) -> None:
        """pause_after: a topic is paused if so many records, from its first, are rejected for one reason; 0: never.

        clock: monotonic, in seconds.
        """
        self._dead_letter_topic = dead_letter_topic
        self._pause_after = pause_after
        self._clock = clock
        self._inputs: dict[str, TopicCounts] = {}
        # By partition, what was counted and is not committed: it may be published again.
        self._uncommitted: dict[Partition, set[Position]] = {}
        self._log_at_s: float | None = None
        self.paused: dict[str, str] = {}

    def assigned(self, partitions: Iterable[Partition]) -> None:
        """Forget which records of these partitions were counted: reading them may begin at an earlier offset."""
        for partition in partitions:
            self._uncommitted.pop(partition, None)

    def committed(self, offsets: Offsets) -> None:
        """Forget which records before these offsets were counted: committed records are not published again."""
        for partition, offset in offsets.items():
            if counted := self._uncommitted.get(partition):
                counted -= {position for position in counted if position[0] < offset}

    def is_paused(self, topic: str) -> bool:
        """Whether this input topic is paused."""
        return topic in self.paused

    def published(self, delivery: Delivery) -> bool:
        """Count the outcome of a published delivery, or those of its windows. Returns whether its topic is paused."""
        record, outcome = delivery.record, delivery.outcome
        topic = record.topic
        counts = self._inputs.get(topic)
        if counts is None:
            counts = self._inputs[topic] = TopicCounts()
        if type(outcome) is DeadLetter:
            settled: Sequence[Delivery] = (delivery,)
        else:
            counts.is_mixed |= type(record) is not Tick
            if type(outcome) is not Assembled:
                return False
            settled = delivery.windows or ()
        rejected = [each for each in settled if type(each.outcome) is DeadLetter]
        if not rejected:
            return False
        counted = self._uncommitted.setdefault((topic, record.partition), set())
        position = record.offset, record.timestamp_ms if type(record) is Tick else None
        if position in counted:
            return False  # its transaction was undone, and it is published again
        counted.add(position)
        for each in rejected:
            self._count(counts, each)
        if not counts.is_mixed and counts.rejected == self._pause_after and type(outcome) is DeadLetter:
            self._pause(topic, counts.rejected, outcome)
        return topic in self.paused

    def _count(self, counts: TopicCounts, delivery: Delivery) -> None:
        outcome = delivery.outcome
        assert type(outcome) is DeadLetter
        metrics.DEAD_LETTERS.labels(delivery.record.topic, outcome.kind).inc()
        if outcome.kind not in counts.logged_kinds:
            counts.logged_kinds.add(outcome.kind)
            self._log_first(delivery, outcome)
        else:
            counts.not_logged[outcome.kind] += 1
        counts.is_mixed |= counts.kind not in (None, outcome.kind)
        counts.kind = outcome.kind
        counts.rejected += 1

    def _log_first(self, delivery: Delivery, outcome: DeadLetter) -> None:
        record = delivery.record
        log.warning(
            "%s/%d, offset %d: the record becomes a dead letter on %s: %s."
            " More of this kind (%s) are counted once a minute",
            record.topic,
            record.partition,
            record.offset,
            self._dead_letter_topic,
            clean(outcome.reason, MAX_REASON),
            outcome.kind,
        )

    def _pause(self, topic: str, count: int, outcome: DeadLetter) -> None:
        sentence = (
            f"{topic}: the first {count:,} records are all dead letters of the kind {outcome.kind}, so this topic"
            f" is paused. The last reason: {clean(outcome.reason, MAX_REASON)}. Nothing more is rejected or committed."
            " Fix the producer or the settings and restart. `fncast dead-letters replay` sends the rejected records"
            " again. pause_after_refused = 0 in [kafka] disables this check"
        )
        self.paused[topic] = sentence
        metrics.PAUSED.labels(topic).set(1)
        log.error("%s", sentence)

    def log_counts(self) -> None:
        """Log one line a minute for each paused topic, and for each topic with more dead letters."""
        now_s = self._clock()
        if self._log_at_s is None:
            self._log_at_s = now_s + LOG_S
        if now_s < self._log_at_s:
            return
        self._log_at_s = now_s + LOG_S
        for topic, counts in self._inputs.items():
            if counts.not_logged:
                kinds = ", ".join(f"{kind}: {count:,}" for kind, count in counts.not_logged.most_common())
                log.warning("%s: more dead letters on %s (%s)", topic, self._dead_letter_topic, kinds)
                counts.not_logged.clear()
        for topic in self.paused:
            log.warning("%s is still paused: see the reason above or in /readyz", topic)
