"""Counts the demo's events, forecasts and dead letters, and measures delays."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque

from fncast.dashboard.events.event import NotAnEvent, parse
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.figures.delay import percentile
from fncast.foreign_text import clean
from fncast.wording.count import counted

# Inputs to remember until their outcome arrives: an hour and a half at the demo's rates.
MAX_OPEN = 100_000
# Delays to keep. After an hour at the demo's rates, the percentiles cover only the newest ones.
MAX_DELAYS = 100_000
# Reasons of dead letters to count, and to show. They may quote values, so their number is unlimited.
MAX_REASONS, SHOWN_REASONS = 1000, 3
MAX_REASON = 300  # characters

Key = tuple[str, str]


class DemoSummary:
    """Collects the records of the topics, in any order."""

    def __init__(
        self, input_topic: str, output_topic: str, dead_letter_topic: str, readings_topic: str = ""
    ) -> None:
        """input_topic: of window events. readings_topic: of single readings; empty for none."""
        self.events = 0
        self.readings = 0
        self.assembled = 0  # forecasts of windows that the consumer assembled from readings
        self.forecasts = 0
        self.repeats = 0  # more forecasts of the same input, as at-least-once delivery allows
        self.dead_letters = 0
        self._topics = (input_topic, output_topic, dead_letter_topic)
        self._readings_topic = readings_topic
        # By input, with the record's timestamp: inputs without an outcome, and forecasts whose input was not read yet.
        self._open: OrderedDict[Key, float | None] = OrderedDict()
        self._early: OrderedDict[Key, float | None] = OrderedDict()
        self._settled: OrderedDict[Key, None] = OrderedDict()  # inputs with an outcome
        self._delays_s: deque[float] = deque(maxlen=MAX_DELAYS)
        self._reasons: Counter[str] = Counter()

    @property
    def pending(self) -> int:
        """How many events have no outcome yet."""
        return len(self._open)

    def add(self, record: ReceivedRecord) -> None:
        """Add a record of one of the topics."""
        input_topic, output_topic, dead_letter_topic = self._topics
        if record.topic == input_topic:
            self.events += 1
            self._add_input(_key(record, "source", "id"), record.timestamp_s)
        elif record.topic == self._readings_topic:
            self.readings += 1
        elif record.topic == output_topic:
            key = _key(record, "causationsource", "causationid")
            if key is not None and key[0] == f"kafka:{self._readings_topic}":
                self._add_assembled(key)
            else:
                self._add_forecast(key, record.timestamp_s)
        elif record.topic == dead_letter_topic:
            self.dead_letters += 1
            reason = clean(record.header("fncast-reason") or "no reason given", MAX_REASON)
            if reason in self._reasons or len(self._reasons) < MAX_REASONS:
                self._reasons[reason] += 1
            self._settle(_key(record, "source", "id"), None)

    def lines(self) -> list[str]:
        """The summary, one line each."""
        forecasts = f"{counted(self.forecasts, 'forecast')} out"
        if self.repeats:
            forecasts += f" (and {counted(self.repeats, 'repeat')})"
        lines = [
            f"{counted(self.events, 'event')} in, {forecasts}, {counted(self.dead_letters, 'dead letter')}"
        ]
        if self.pending:
            lines[0] += f", {self.pending:,} still pending"
        if self.readings:
            lines.append(
                f"{counted(self.readings, 'single reading')} in,"
                f" {counted(self.assembled, 'forecast')} of their windows out"
            )
        lines += [f"  {count:,} × {reason}" for reason, count in self._reasons.most_common(SHOWN_REASONS)]
        ordered = sorted(self._delays_s)
        median_s, p99_s = percentile(ordered, 0.5), percentile(ordered, 0.99)
        if median_s is not None and p99_s is not None:
            lines.append(
                f"delay, record in to forecast out: median {median_s * 1000:.0f} ms, p99 {p99_s * 1000:.0f} ms"
            )
        return lines

    def _add_input(self, key: Key | None, timestamp_s: float | None) -> None:
        if key is None or key in self._settled:
            return
        if key in self._early:
            self._settle(key, self._early.pop(key), timestamp_s)
        else:
            self._open[key] = timestamp_s
            _bound(self._open)

    def _add_assembled(self, key: Key) -> None:
        if key in self._settled:
            self.repeats += 1
        else:
            self.assembled += 1
            self._settle(key, None)

    def _add_forecast(self, key: Key | None, timestamp_s: float | None) -> None:
        if key is not None and (key in self._settled or key in self._early):
            self.repeats += 1
            return
        self.forecasts += 1
        if key is None:
            return
        if key in self._open:
            self._settle(key, timestamp_s, self._open[key])
        else:
            self._early[key] = timestamp_s
            _bound(self._early)

    def _settle(self, key: Key | None, out_s: float | None, in_s: float | None = None) -> None:
        if key is None:
            return
        self._open.pop(key, None)
        self._settled[key] = None
        _bound(self._settled)
        if out_s is not None and in_s is not None:
            self._delays_s.append(max(0.0, out_s - in_s))


def _bound(table: OrderedDict[Key, float | None] | OrderedDict[Key, None]) -> None:
    if len(table) > MAX_OPEN:
        table.popitem(last=False)


def _key(record: ReceivedRecord, source: str, id: str) -> Key | None:
    """The values of two attributes of an event; None if the record lacks one of them."""
    try:
        event = parse(record)
    except NotAnEvent:
        return None
    found_source, found_id = event.text(source), event.text(id)
    return (found_source, found_id) if found_source and found_id else None
