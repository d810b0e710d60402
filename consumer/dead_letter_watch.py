"""Says which dead letters an input topic causes, and stops a topic whose records are all refused; pure, the clock is
passed in."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from consumer import metrics
from consumer.lane import Partition
from interceptor.delivery import Delivery
from interceptor.outcome import DeadLetter

log = logging.getLogger("fncast.consumer")

TELL_S = 60.0
MAX_REASON = 300  # characters of a reason, which may quote an event


class Input:
    """What is known of one input topic. kind: of the first dead letter; None once something else has come."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.is_mixed = False
        self.refused = 0
        self.told_kinds: set[str] = set()
        self.untold: Counter[str] = Counter()


class DeadLetterWatch:
    """Used by the loop's thread alone. `paused`: the sentence by topic of those that are not read on."""

    def __init__(self, dead_letter_topic: str, pause_after: int, clock: Callable[[], float]) -> None:
        """pause_after: records of a topic that are all refused for the same kind of reason; 0 for never."""
        self._dead_letter_topic = dead_letter_topic
        self._pause_after = pause_after
        self._clock = clock
        self._inputs: dict[str, Input] = {}
        self._last_offsets: dict[Partition, int] = {}
        self._tell_at_s: float | None = None
        self.paused: dict[str, str] = {}

    def assigned(self, partitions: Iterable[Partition]) -> None:
        """These are read from the group's offsets, or from their beginning: an offset may come again."""
        for partition in partitions:
            self._last_offsets.pop(partition, None)

    def is_paused(self, topic: str) -> bool:
        return topic in self.paused

    def published(self, delivery: Delivery) -> bool:
        """Take note of an outcome. Returns whether its topic is paused from here on."""
        record, outcome = delivery.record, delivery.outcome
        topic = record.topic
        seen = self._inputs.get(topic)
        if seen is None:
            seen = self._inputs[topic] = Input()
        if type(outcome) is not DeadLetter:
            seen.is_mixed = True
            return False
        partition = (topic, record.partition)
        if record.offset <= self._last_offsets.get(partition, -1):  # its transaction was undone
            return False
        self._last_offsets[partition] = record.offset
        metrics.DEAD_LETTERS.labels(topic, outcome.kind).inc()
        if outcome.kind not in seen.told_kinds:
            seen.told_kinds.add(outcome.kind)
            self._tell_first(delivery, outcome)
        else:
            seen.untold[outcome.kind] += 1
        seen.is_mixed |= seen.kind not in (None, outcome.kind)
        seen.kind = outcome.kind
        seen.refused += 1
        if not seen.is_mixed and seen.refused == self._pause_after:
            self._pause(topic, seen.refused, outcome)
        return topic in self.paused

    def _tell_first(self, delivery: Delivery, outcome: DeadLetter) -> None:
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
            f" is not read on. The last reason: {shown(outcome.reason)}. Nothing more is refused or committed. Fix the"
            " producer or the settings and restart. `fncast dead-letters replay` sends the refused ones again."
            " pause_after_refused = 0 in [kafka] reads on without this check"
        )
        self.paused[topic] = sentence
        metrics.PAUSED.labels(topic).set(1)
        log.error("%s", sentence)

    def tell(self) -> None:
        """One line a minute for each topic with more dead letters, or that is paused. Called again and again."""
        now_s = self._clock()
        if self._tell_at_s is None:
            self._tell_at_s = now_s + TELL_S
        if now_s < self._tell_at_s:
            return
        self._tell_at_s = now_s + TELL_S
        for topic, seen in self._inputs.items():
            if seen.untold:
                kinds = ", ".join(f"{kind}: {count:,}" for kind, count in seen.untold.most_common())
                log.warning("%s: more dead letters on %s (%s)", topic, self._dead_letter_topic, kinds)
                seen.untold.clear()
        for topic in self.paused:
            log.warning("%s is still not read on: see the reason above or in /readyz", topic)


def shown(reason: str) -> str:
    """Foreign text for the log: on one line, and bounded."""
    clean = "".join(letter if letter.isprintable() else " " for letter in reason[: 4 * MAX_REASON])
    return clean if len(clean) <= MAX_REASON else clean[: MAX_REASON - 1] + "…"
