"""The window of a series whose readings are aggregated: a step has a value once it is over."""

from __future__ import annotations

from array import array

from fncast.series.window import MAX_MAGNITUDE
from interceptor.assembly.grid import periods
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import (
    BEGUN_AGAIN,
    CORRECTED,
    FUTURE,
    LATE,
    NAN,
    REPEATED,
    STORED,
    TOO_LARGE,
    TOO_OLD,
    SeriesWindow,
)
from interceptor.assembly.window import Window
from interceptor.readings.contract import Series

# Readings of the open step that are kept one by one, so that repeats are recognised and changed values replaced. In a
# step with more readings, the older ones are only in the total.
RECENT = 128


class Total:
    """The aggregate of some readings. count: how many. value: meaningless without readings."""

    __slots__ = ("count", "value")

    def __init__(self, value: float = 0.0, count: int = 0) -> None:
        self.value = value
        self.count = count

    def add(self, value: float, aggregate: str) -> None:
        """Add a reading. For "mean" the value is the sum."""
        if not self.count:
            self.value = 1.0 if aggregate == "count" else value
        elif aggregate == "count":
            self.value += 1.0
        elif aggregate == "min":
            self.value = min(self.value, value)
        elif aggregate == "max":
            self.value = max(self.value, value)
        else:
            self.value += value
        self.count += 1


class AggregatedSteps(SeriesWindow):
    """A step closes when a later step of the series begins, or by `close`. Only the newest step can be open.

    values: totals of closed steps, for "mean" the sums of the readings. counts: readings of closed steps. is_open:
    whether the newest step is open. due_ns: when it closes at the latest, in the partition's event time. scheduled_ns:
    when the partition looks at it next, None for never. recent: the open step's last readings, value by time,
    in the order of their records. older: total of its earlier readings.
    A counter's step has the largest reading of the step, whatever the aggregate.
    """

    __slots__ = ("aggregate", "counts", "due_ns", "is_open", "older", "recent", "scheduled_ns")

    def __init__(self, series: Series, labels_json: bytes, rules: Rules, slot: int) -> None:
        super().__init__(series, labels_json, rules, slot)
        assert rules.step is not None
        self.aggregate = "max" if self.is_counter else rules.aggregate
        self.counts = array("Q", [0]) * len(self.values)
        self.is_open = False
        self.due_ns = 0
        self.scheduled_ns: int | None = None
        self.older = Total()
        self.recent: dict[int, float] = {}
        self.set_grid(periods(rules.step))

    def add(
        self, time_ns: int, value: float, record_ns: int, event_ns: int, completed: list[Window], offset: int
    ) -> str:
        """See SeriesWindow.add."""
        if not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
            return TOO_LARGE
        if time_ns > record_ns + self.ahead_ns:
            return FUTURE
        index, outcome = self.index(time_ns), STORED
        ahead = index - self.head
        if ahead > 0:
            self.close(completed)
            self.advance(index)
            self.is_open = True
        elif -ahead >= len(self.values):
            if not self.begins_again(record_ns, offset):
                return TOO_OLD
            self.older, self.recent = Total(), {}
            self.advance(index)
            self.is_open, outcome = True, BEGUN_AGAIN
            event_ns = min(time_ns, record_ns)
        elif ahead or not self.is_open:
            return self._add_to_closed(index, ahead, value)
        assert self.grid is not None
        self.due_ns = max(self.grid.end_ns(index), event_ns) + self.rules.grace_ns
        known = self.recent.get(time_ns)
        if known == value:
            return REPEATED
        self.recent[time_ns] = value
        if known is not None:
            return CORRECTED
        if len(self.recent) > RECENT:
            first_ns = next(iter(self.recent))
            self.older.add(self.recent.pop(first_ns), self.aggregate)
        return outcome

    def close(self, completed: list[Window]) -> None:
        """Close the newest step, if it is open, and append its window."""
        if not self.is_open:
            return
        total = self.older
        for value in self.recent.values():
            total.add(value, self.aggregate)
        ring_index = self.head % len(self.values)
        self.values[ring_index], self.counts[ring_index] = total.value, total.count
        self.present += 1
        self.is_open, self.older, self.recent = False, Total(), {}
        self.complete(completed)

    def _add_to_closed(self, index: int, ahead: int, value: float) -> str:
        """Add a late reading to the total of its step. A repeat cannot be recognised there."""
        ring_index = index % len(self.values)
        total = Total(self.values[ring_index], self.counts[ring_index])
        if not total.count:
            self.present += 1
        total.add(value, self.aggregate)
        self.values[ring_index], self.counts[ring_index] = total.value, total.count
        return self.lateness(ahead)

    def lateness(self, ahead: int) -> str:
        """See SeriesWindow.lateness. The grace of a closed newest step is over."""
        return LATE if not ahead else super().lateness(ahead)

    def advance(self, index: int) -> None:
        """See SeriesWindow.advance."""
        head = self.head
        super().advance(index)
        for between in range(max(head + 1, index - len(self.counts) + 1), index + 1):
            self.counts[between % len(self.counts)] = 0

    def ordered(self) -> array[float]:
        """See SeriesWindow.ordered. For "mean" the sums are divided."""
        values = self.values
        if self.aggregate == "mean":
            pairs = zip(values, self.counts, strict=True)
            values = array("d", [value / count if count else NAN for value, count in pairs])
        cut = self.head % len(values) + 1
        return values[cut:] + values[:cut]
