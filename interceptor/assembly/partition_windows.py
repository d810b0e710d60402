"""The windows of all series of one input partition."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Hashable
from heapq import heapify, heappop, heappush

import orjson

from fncast.foreign_text import clean
from interceptor.assembly.aggregated_steps import AggregatedSteps
from interceptor.assembly.dropped_readings import DroppedReading
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_globs import Counters, Selection
from interceptor.assembly.series_window import BEGUN_AGAIN, FUTURE, STORED, TOO_OLD, SeriesWindow
from interceptor.assembly.single_readings import SingleReadings
from interceptor.assembly.window import Window
from interceptor.readings.contract import MAX_LABELS_BYTES, Decoded, Format, Series
from interceptor.readings.naming import is_unicode

log = logging.getLogger("fncast.assemble")

# What became of a reading that has no series. The values are labels of a metric, so the set is fixed.
EXCLUDED = "excluded"  # by include and exclude
NO_ROOM = "no-room"  # a new series beyond max_series
NO_SERIES = "no-series"  # its name is missing, too long, or not valid Unicode

_MAX_KEY_CHARACTERS = 2048  # for each series, of the keys in the cache
_NS_PER_MS = 1_000_000
_MAX_LEFT = 64  # entries of the heap, besides one for each series and as many again
# The timestamp of a record without one, or with one after the year 2261: no reading is ahead of it.
_NO_TIMESTAMP_NS = 1 << 63


class PartitionWindows:
    """Finds the series of each reading, adds the reading, and closes aggregated steps that are due.

    Used by one thread. Equal records in equal order give equal windows, however they are divided into calls.

    series: by slot. changed: slots since the last snapshot. event_ns: the partition's event time: the latest time of a
    reading, but no later than its record's timestamp. next_offset: of the first record that is not in the state.
    restored_until: by slot, for series whose restored state is newer than `next_offset`: its offset. Readings before
    that offset are in the state already. outcomes: what became of readings, since the caller cleared it. dropped: a
    reading that was dropped because of its time, for the log.
    """

    def __init__(self, format_: Format, rules: Rules, topic: str) -> None:
        self.series: list[SeriesWindow] = []
        self.changed: set[int] = set()
        self.event_ns = 0
        self.next_offset = 0
        self.restored_until: dict[int, int] = {}
        self.outcomes: Counter[str] = Counter()
        self.dropped: DroppedReading | None = None
        self.rules = rules
        self._format = format_
        self._topic = topic
        self._selection = Selection(rules.include, rules.exclude)
        self._counters = Counters(rules.counters)
        self._slots: dict[str, int] = {}  # by name
        # By key of the format: the series, or why there is none. A cache: it is emptied when it is too large.
        self._by_key: dict[Hashable, SeriesWindow | str] = {}
        self._key_characters = 0
        # A heap of due_ns and slot: an entry for each open step, and some for steps that a series has left.
        self._due: list[tuple[int, int]] = []
        self._has_logged_full = self._has_logged_failure = False

    @property
    def cached_keys(self) -> list[Hashable]:
        """The keys of the format whose series is remembered: a bounded number, with a bounded size."""
        return list(self._by_key)

    @property
    def scheduled(self) -> int:
        """How many ends of steps are scheduled."""
        return len(self._due)

    def add(self, decoded: Decoded, timestamp_ms: int, offset: int) -> list[Window]:
        """Add the readings of a record. Returns the windows that they complete, in order."""
        completed: list[Window] = []
        if self.restored_until:
            self._catch_up(offset)
        record_ns = timestamp_ms * _NS_PER_MS
        if not 0 < record_ns < _NO_TIMESTAMP_NS:
            record_ns = _NO_TIMESTAMP_NS
        latest_ns, event_ns = self.event_ns, self.event_ns
        is_aggregated = self.rules.is_aggregated
        by_key, changed, outcomes = self._by_key, self.changed, self.outcomes
        restored_until = self.restored_until
        stored = 0
        for key, time_ns, value in zip(decoded.keys, decoded.times_ns, decoded.values, strict=True):
            found = by_key.get(key)
            if found is None:
                found = self._find(key)
            if isinstance(found, str):
                outcomes[found] += 1
                continue
            if is_aggregated:
                latest_ns = max(latest_ns, min(time_ns, record_ns))
            if restored_until and found.slot in restored_until:
                if is_aggregated and found.begun == (offset, min(time_ns, record_ns)):
                    latest_ns = event_ns = self.event_ns = found.begun[1]
                continue
            changed.add(found.slot)
            outcome = found.add(time_ns, value, record_ns, event_ns, completed, offset)
            if outcome is STORED:
                stored += 1
            else:
                outcomes[outcome] += 1
                if outcome is BEGUN_AGAIN and is_aggregated:
                    latest_ns = event_ns = self.event_ns = min(time_ns, record_ns)
                    found.begun = (offset, event_ns)
                elif self.dropped is None and (outcome is TOO_OLD or outcome is FUTURE):
                    self.dropped = DroppedReading.of(found, outcome, time_ns, timestamp_ms)
            if is_aggregated:
                self._schedule_open(found)
        if stored:
            outcomes[STORED] += stored
        if latest_ns > event_ns:
            self.event_ns = latest_ns
            self._close_due(latest_ns, completed)
        return completed

    def close_by_clock(self, now_ms: int) -> list[Window]:
        """Close the steps that are due at this time. Returns their windows."""
        completed: list[Window] = []
        self._catch_up(None)
        self._close_due(now_ms * _NS_PER_MS, completed)
        return completed

    def _catch_up(self, offset: int | None) -> None:
        """Let series whose restored state the input has reached take readings again. offset: None for all series."""
        for slot in [slot for slot, end in self.restored_until.items() if offset is None or end <= offset]:
            del self.restored_until[slot]
            self._schedule_open(self.series[slot])

    def _close_due(self, now_ns: int, completed: list[Window]) -> None:
        """Close steps in the order of their due times, equal ones in the order of their slots."""
        due = self._due
        while due and due[0][0] <= now_ns:
            due_ns, slot = heappop(due)
            series = self.series[slot]
            assert isinstance(series, AggregatedSteps)
            if series.scheduled_ns == due_ns:
                series.scheduled_ns = None
            if not series.is_open:
                continue
            if series.due_ns > due_ns:  # a reading came meanwhile
                self._schedule_open(series)
                continue
            series.close(completed)
            self.changed.add(slot)

    def _schedule_open(self, series: SeriesWindow) -> None:
        """Remember when the series' open step is due, if it has one.

        A step may be due earlier than the one before: the event time goes back if another series begins again.
        """
        if not isinstance(series, AggregatedSteps) or not series.is_open:
            return
        if series.scheduled_ns is None or series.due_ns < series.scheduled_ns:
            series.scheduled_ns = series.due_ns
            heappush(self._due, (series.due_ns, series.slot))
            if len(self._due) > 2 * len(self.series) + _MAX_LEFT:
                self._drop_left()

    def _drop_left(self) -> None:
        """Drop entries for steps that their series has left: their times may be years ahead."""
        open_ = [each for each in self.series if isinstance(each, AggregatedSteps) and each.is_open]
        # In place: `_close_due` holds the list.
        self._due[:] = [(each.due_ns, each.slot) for each in open_ if each.scheduled_ns is not None]
        heapify(self._due)
        for due_ns, slot in self._due:
            series = self.series[slot]
            assert isinstance(series, AggregatedSteps)
            series.scheduled_ns = due_ns

    def _find(self, key: Hashable) -> SeriesWindow | str:
        """The series of a key that is not in the cache, created if it is new; or the reason why there is none."""
        most = self.rules.max_series
        if len(self._by_key) >= 2 * most or self._key_characters >= _MAX_KEY_CHARACTERS * most:
            self._by_key.clear()
            self._key_characters = 0
        self._key_characters += _characters(key)
        found = self._by_key[key] = self._lookup(key)
        return found

    def _lookup(self, key: Hashable) -> SeriesWindow | str:
        try:
            series = self._format.series(key)
        except Exception:  # a user's format: one record must not stop the consumer
            if not self._has_logged_failure:
                self._has_logged_failure = True
                log.warning("%s: its format cannot name a series", self._topic, exc_info=True)
            return NO_SERIES
        if series is None or (not series.name.isascii() and not is_unicode(series.name)):
            return NO_SERIES
        slot = self._slots.get(series.name)
        if slot is not None:
            return self.series[slot]
        if not self._selection.takes(series.name):
            return EXCLUDED
        if len(self.series) >= self.rules.max_series:
            if not self._has_logged_full:
                self._has_logged_full = True
                log.warning(
                    "a partition of %s has more than max_series = %d series: %r and other new series are not"
                    " forecast. Raise max_series, or exclude series",
                    self._topic,
                    self.rules.max_series,
                    clean(series.name, 200),
                )
            return NO_ROOM
        added = self.new_series(self._counters.marked(series), _labels_json(series.labels))
        self.insert(added)
        return added

    def has(self, name: str) -> bool:
        """Whether there is a series of this name."""
        return name in self._slots

    def new_series(self, series: Series, labels_json: bytes) -> SeriesWindow:
        """A series for the next slot."""
        kind = AggregatedSteps if self.rules.is_aggregated else SingleReadings
        return kind(series, labels_json, self.rules, len(self.series))

    def insert(self, series: SeriesWindow) -> None:
        """Add a series with the next slot."""
        self._slots[series.name] = len(self.series)
        self.series.append(series)
        if series.slot not in self.restored_until:
            self._schedule_open(series)


def _characters(key: Hashable) -> int:
    """The characters and bytes of the texts in a key."""
    if isinstance(key, tuple):
        return sum([_characters(part) for part in key])
    return len(key) if isinstance(key, str | bytes) else 0


def _labels_json(labels: dict[str, str]) -> bytes:
    """The labels as a JSON object; empty if there are none, or too many."""
    try:
        text = orjson.dumps(labels) if labels else b""
    except (TypeError, orjson.JSONEncodeError):  # a lone surrogate
        return b""
    # A copy: orjson's bytes have room to grow.
    return bytes(memoryview(text)) if len(text) <= MAX_LABELS_BYTES else b""
