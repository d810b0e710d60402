"""The window of one series, as a ring of its last steps: what windows of single readings and of aggregates share."""

from __future__ import annotations

from array import array

from interceptor.assembly.counter import rates
from interceptor.assembly.grid import Grid
from interceptor.assembly.rules import Rules, length_ns
from interceptor.assembly.window import Window
from interceptor.readings.contract import MAX_UNIT_CHARACTERS, MetricKind, Series
from interceptor.readings.naming import is_unicode

NAN = float("nan")
NEVER = -(1 << 62)  # an index before all others

# What became of a reading. The values are labels of a metric, so the set is fixed.
STORED = "stored"  # the newest of its series, or part of the open step
CORRECTED = "corrected"  # came late, within the grace, or changed a value: it is in later windows
LATE = "late"  # came later than the grace, but inside the window: it is in later windows
REPEATED = "repeated"  # known already
TOO_OLD = "too-old"  # before the window
FUTURE = "future"  # further ahead of its record's timestamp than the window is long
TOO_LARGE = "too-large"  # a model cannot use it
BEGUN_AGAIN = "begun-again"  # the window begins again with this reading: the earlier ones had a wrong clock

# The newest reading had a wrong clock if this many records in a row have readings that are too old, and are older than
# the newest reading themselves.
MAX_BEHIND = 16
_NOT_BEHIND = (NEVER, 0)
_NOT_BEGUN = (-1, 0)


class SeriesWindow:
    """The last readings of a series. Readings come in any order; each step keeps the one that came last.

    Subclasses decide when a step is complete: then the window is completed.
    slot: position of the series in the partition. values: ring of float64, NaN for a missing step, addressed by the
    step's index modulo its length. head: index of the newest step. present: steps with a value. emitted: index of the
    last step whose window was completed. base_ns, step_ns: of the grid; step_ns is 0 for calendar steps. ahead_ns: how
    far a reading may be ahead of its record's timestamp. behind: the head, and how many records in a row were far
    behind it; behind_offset: offset of the last of them; see `begins_again`. begun: offset and event time of the record
    with which the window began again last.
    """

    __slots__ = (
        "ahead_ns",
        "base_ns",
        "begun",
        "behind",
        "behind_offset",
        "emitted",
        "grid",
        "head",
        "is_counter",
        "labels_json",
        "name",
        "present",
        "rules",
        "slot",
        "step_ns",
        "unit",
        "values",
    )

    def __init__(self, series: Series, labels_json: bytes, rules: Rules, slot: int) -> None:
        self.name = series.name
        self.labels_json = labels_json
        self.is_counter = series.kind is MetricKind.CUMULATIVE and rules.rate == "auto"
        has_unit = len(series.unit) <= MAX_UNIT_CHARACTERS and is_unicode(series.unit)
        self.unit = series.unit if has_unit else ""
        self.rules = rules
        self.slot = slot
        self.grid: Grid | None = None
        self.base_ns = self.step_ns = self.ahead_ns = 0
        # A counter needs one value more: each rate needs the value before.
        self.values = array("d", [NAN]) * (rules.window + self.is_counter)
        self.head = self.emitted = NEVER
        self.present = 0
        self.behind = _NOT_BEHIND
        self.behind_offset = -1
        self.begun = _NOT_BEGUN

    def set_grid(self, grid: Grid) -> None:
        """Begin with an empty window on this grid."""
        self.grid = grid
        self.base_ns, self.step_ns = grid.base_ns, grid.step_ns
        self.ahead_ns = max(self.rules.grace_ns, self.rules.window * length_ns(grid.step))
        self.head = self.emitted = NEVER
        self._clear()

    def add(
        self, time_ns: int, value: float, record_ns: int, event_ns: int, completed: list[Window], offset: int
    ) -> str:
        """Add a reading, and append the window that it completes. Returns what became of the reading.

        record_ns: the record's timestamp. A reading far ahead of it has a wrong clock. event_ns: the partition's event
        time before this record. offset: of the record.
        """
        raise NotImplementedError

    def index(self, time_ns: int) -> int:
        """The step of a time."""
        if self.step_ns:
            return (time_ns - self.base_ns) // self.step_ns
        assert self.grid is not None
        return self.grid.index(time_ns)

    def place(self, index: int, value: float) -> str:
        """Put the value of a step into the ring. Returns what became of it."""
        values = self.values
        ahead = index - self.head
        if ahead > 0:
            self.advance(index)
            values[index % len(values)] = value
            self.present += 1
            return STORED
        if -ahead >= len(values):
            return TOO_OLD
        ring_index = index % len(values)
        old = values[ring_index]
        if old == value:
            return REPEATED
        if old != old:  # NaN
            self.present += 1
        values[ring_index] = value
        return self.lateness(ahead)

    def begins_again(self, record_ns: int, offset: int) -> bool:
        """Whether the window must begin again with a reading that is too old, because the newest one had a wrong clock.

        That is so if the newest reading is further ahead of this record's timestamp than the window is long. One record
        may itself have a wrong timestamp, so MAX_BEHIND records in a row must agree. The window is then emptied.
        record_ns, offset: timestamp and offset of the record.
        """
        assert self.grid is not None
        if self.grid.start_ns(self.head) <= record_ns + self.ahead_ns:
            return False
        head, count = self.behind
        if head != self.head:
            count = 0
        elif offset == self.behind_offset:  # another reading of the same record
            return False
        self.behind, self.behind_offset = (self.head, count + 1), offset
        if self.behind[1] < MAX_BEHIND:
            return False
        self.set_grid(self.grid)
        return True

    def lateness(self, ahead: int) -> str:
        """The outcome of a reading that changed a step. ahead: steps from the newest one, 0 or negative."""
        if not ahead:
            return CORRECTED
        assert self.grid is not None
        return LATE if -ahead * length_ns(self.grid.step) > self.rules.grace_ns else CORRECTED

    def advance(self, index: int) -> None:
        """Make a later step the newest. Its value and those between are missing."""
        values, head = self.values, self.head
        if index - head >= len(values):
            self._clear()
        else:
            for between in range(head + 1, index + 1):
                ring_index = between % len(values)
                if values[ring_index] == values[ring_index]:
                    self.present -= 1
                    values[ring_index] = NAN
        self.head = index

    def complete(self, completed: list[Window]) -> None:
        """Append the window whose newest step is complete, if the series has enough readings and it is its turn."""
        rules = self.rules
        if self.present - self.is_counter >= rules.needed and self.head - self.emitted >= rules.every:
            self.emitted = self.head
            completed.append(self.window())

    def window(self) -> Window:
        """The window whose newest step is `head`."""
        grid, rules = self.grid, self.rules
        unit = rules.unit or (f"{self.unit}/s" if self.unit and self.is_counter else self.unit)
        assert grid is not None
        first = self.head - rules.window + 1
        values = self.ordered()
        if self.is_counter:
            values = rates(values, first - 1, grid)
        return Window(
            self.name,
            grid.start_ns(first),
            grid.end_ns(self.head),
            grid.step,
            values,
            unit,
            self.labels_json,
            rules.low,
            rules.high,
        )

    def ordered(self) -> array[float]:
        """The values, oldest first."""
        cut = self.head % len(self.values) + 1
        return self.values[cut:] + self.values[:cut]

    def _clear(self) -> None:
        self.values[:] = array("d", [NAN]) * len(self.values)  # in place: callers hold the array
        self.present = 0
