"""Logs the dead letters of each input topic, and pauses a topic whose records are all rejected.

Pure: the clock is passed in.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from consumer import metrics
from consumer.lane import Partition
from interceptor.delivery import Delivery
from interceptor.outcome import Assembled, DeadLetter

log = logging.getLogger("fncast.consumer")

LOG_S = 60.0
MAX_REASON = 300  # characters of a reason, which may quote an event


class Input:
    """The counts of one input topic. kind: of the last dead letter. is_mixed: whether outcomes differ."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.is_mixed = False
        self.refused = 0
        self.logged_kinds: set[str] = set()
        self.not_logged: Counter[str] = Counter()


class DeadLetterWatch:
    """Used by the loop's thread only. paused: by paused topic the reason, as a sentence."""

    def __init__(self, dead_letter_topic: str, pause_after: int, clock: Callable[[], float]) -> None:
        """pause_after: records, from the first, that must be rejected for one reason to pause a topic; 0: never."""
        self._dead_letter_topic = dead_letter_topic
        self._pause_after = pause_after
        self._clock = clock
        self._inputs: dict[str, Input] = {}
        self._last_offsets: dict[Partition, int] = {}
        self._log_at_s: float | None = None
        self.paused: dict[str, str] = {}

    def assigned(self, partitions: Iterable[Partition]) -> None:
        """Forget which offsets of these partitions were counted: reading them may begin at an earlier offset."""
        for partition in partitions:
            self._last_offsets.pop(partition, None)

    def is_paused(self, topic: str) -> bool:
        """Whether this input topic is paused."""
        return topic in self.paused

    def published(self, delivery: Delivery) -> bool:
        """Count an outcome, or those of a record's windows. Returns whether its topic is now paused."""
        record, outcome = delivery.record, delivery.outcome
        topic = record.topic
        seen = self._inputs.get(topic)
        if seen is None:
            seen = self._inputs[topic] = Input()
        seen.is_mixed |= type(outcome) is not DeadLetter
        settled = (delivery.windows or ()) if type(outcome) is Assembled else (delivery,)
        refused = [each for each in settled if type(each.outcome) is DeadLetter]
        if not refused:
            return False
        partition = (topic, record.partition)
        if record.offset <= self._last_offsets.get(partition, -1):
            # Counted before: its transaction was undone.
            return False
        self._last_offsets[partition] = record.offset
        for each in refused:
            self._count(seen, each)
        if not seen.is_mixed and seen.refused == self._pause_after and type(outcome) is DeadLetter:
            self._pause(topic, seen.refused, outcome)
        return topic in self.paused

    def _count(self, seen: Input, delivery: Delivery) -> None:
        outcome = delivery.outcome
        assert type(outcome) is DeadLetter
        metrics.DEAD_LETTERS.labels(delivery.record.topic, outcome.kind).inc()
        if outcome.kind not in seen.logged_kinds:
            seen.logged_kinds.add(outcome.kind)
            self._log_first(delivery, outcome)
        else:
            seen.not_logged[outcome.kind] += 1
        seen.is_mixed |= seen.kind not in (None, outcome.kind)
        seen.kind = outcome.kind
        seen.refused += 1

    def _log_first(self, delivery: Delivery, outcome: DeadLetter) -> None:
        record = delivery.record
        log.warning(
            "%s/%d, offset %d: the record becomes a dead letter on %s: %s."
            " More of this kind (%s) are counted once a minute",
            record.topic,
            record.partition,
            record.offset,
            self._dead_letter_topic,
            shown(outcome.reason),
            outcome.kind,
        )

    def _pause(self, topic: str, count: int, outcome: DeadLetter) -> None:
        sentence = (
            f"{topic}: the first {count:,} records are all dead letters of the kind {outcome.kind}, so this topic"
            f" is paused. The last reason: {shown(outcome.reason)}. Nothing more is rejected or committed. Fix the"
            " producer or the settings and restart. `fncast dead-letters replay` sends the rejected records again."
            " pause_after_refused = 0 in [kafka] disables this check"
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
        for topic, seen in self._inputs.items():
            if seen.not_logged:
                kinds = ", ".join(f"{kind}: {count:,}" for kind, count in seen.not_logged.most_common())
                log.warning("%s: more dead letters on %s (%s)", topic, self._dead_letter_topic, kinds)
                seen.not_logged.clear()
        for topic in self.paused:
            log.warning("%s is still paused: see the reason above or in /readyz", topic)


def shown(reason: str) -> str:
    """Foreign text for the log: one line, bounded."""
    clean = "".join(letter if letter.isprintable() else " " for letter in reason[: 4 * MAX_REASON])
    return clean if len(clean) <= MAX_REASON else clean[: MAX_REASON - 1] + "…"
