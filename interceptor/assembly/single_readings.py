"""The window of a series with one reading per step. Its grid is found from its first readings."""

from __future__ import annotations

from fncast.series.window import MAX_MAGNITUDE
from interceptor.assembly.grid import Grid
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import (
    BEGUN_AGAIN,
    CORRECTED,
    FUTURE,
    NEVER,
    REPEATED,
    STORED,
    TOO_LARGE,
    TOO_OLD,
    SeriesWindow,
)
from interceptor.assembly.step_finder import NEEDED, find_grid, find_step, is_regular
from interceptor.assembly.window import Window
from interceptor.readings.contract import Series

# The step is determined again if this many of the last 16 readings do not fit the grid.
_MISFITS = 8
_HISTORY = (1 << 16) - 1
_LEAST = -MAX_MAGNITUDE

Reading = tuple[int, float, int]  # time_ns, value, record_ns


class SingleReadings(SeriesWindow):
    """A step is complete with its first reading.

    gathered: readings at different times from which the grid is found, in the order of their records; None if the grid
    is known and fits. misfits: a bit for each of the last readings, 1 if it did not fit, newest last.
    """

    __slots__ = ("gathered", "misfits")

    def __init__(self, series: Series, labels_json: bytes, rules: Rules, slot: int) -> None:
        super().__init__(series, labels_json, rules, slot)
        self.gathered: list[Reading] | None = []
        self.misfits = 0

    def add(
        self, time_ns: int, value: float, record_ns: int, event_ns: int, completed: list[Window], offset: int
    ) -> str:
        """See SeriesWindow.add."""
        if not _LEAST <= value <= MAX_MAGNITUDE:
            return TOO_LARGE
        if self.grid is None:
            return self._add_first(time_ns, value, record_ns, completed)
        if time_ns > record_ns + self.ahead_ns:
            return FUTURE
        step_ns = self.step_ns
        index = (time_ns - self.base_ns) // step_ns if step_ns else self.grid.index(time_ns)
        if index != self.head + 1 or self.misfits or self.gathered is not None:
            return self._add_unusual(time_ns, index, value, record_ns, completed, offset)
        # Nearly all readings are the next step of a series that fits its grid. This does the same as `place` and
        # `complete`, in less time.
        values = self.values
        ring_index = index % len(values)
        if values[ring_index] != values[ring_index]:  # NaN
            self.present += 1
        values[ring_index] = value
        self.head = index
        rules = self.rules
        if index - self.emitted >= rules.every and self.present - self.is_counter >= rules.needed:
            self.emitted = index
            completed.append(self.window())
        return STORED

    def _add_unusual(
        self, time_ns: int, index: int, value: float, record_ns: int, completed: list[Window], offset: int
    ) -> str:
        """Add a reading for any step, and note whether it fits the grid."""
        head = self.head
        outcome = self.place(index, value)
        if outcome is TOO_OLD:
            if not self.begins_again(record_ns, offset):
                return outcome
            self.gathered, self.misfits = None, 0
            self.place(index, value)
            self.complete(completed)
            return BEGUN_AGAIN
        if self.rules.step is None and index >= head and outcome is not REPEATED:
            has_new_step = self._note_fit(time_ns, value, record_ns, index != head + 1, completed)
            if has_new_step:
                return STORED
        if self.head != head:
            self.complete(completed)
        return outcome

    def _note_fit(
        self, time_ns: int, value: float, record_ns: int, is_misfit: bool, completed: list[Window]
    ) -> bool:
        """Note whether a reading fits. If too many do not, gather readings to find the step again.

        Returns whether the series has moved to a grid with another step.
        """
        self.misfits = (self.misfits << 1 | is_misfit) & _HISTORY
        if self.gathered is not None:
            self._gather(time_ns, value, record_ns)
            return len(self.gathered) == NEEDED and self._find_step_again(completed)
        if is_misfit and self.misfits.bit_count() >= _MISFITS:
            self.gathered = [(time_ns, value, record_ns)]
        return False

    def _add_first(self, time_ns: int, value: float, record_ns: int, completed: list[Window]) -> str:
        """Add a reading of a series without a grid."""
        outcome = self._gather(time_ns, value, record_ns)
        assert self.gathered is not None
        needed = NEEDED if self.rules.step is None else min(NEEDED, self.rules.needed + self.is_counter)
        if outcome is STORED and len(self.gathered) >= needed:
            times_ns = sorted([reading[0] for reading in self.gathered])
            step = self.rules.step or find_step(times_ns)
            if not self.rules.has_span(step):  # wrong clocks
                del self.gathered[0]
                return outcome
            self.set_grid(find_grid(step, times_ns))
            return self._start_over(completed)
        return outcome

    def _gather(self, time_ns: int, value: float, record_ns: int) -> str:
        gathered = self.gathered
        assert gathered is not None
        for number, (known_ns, known, _) in enumerate(gathered):
            if known_ns == time_ns:
                if known == value:
                    return REPEATED
                gathered[number] = (time_ns, value, record_ns)
                return CORRECTED
        gathered.append((time_ns, value, record_ns))
        return STORED

    def _find_step_again(self, completed: list[Window]) -> bool:
        """Move to a new grid if the gathered readings have another, regular one. Returns whether the step differs."""
        assert self.gathered is not None
        assert self.grid is not None
        newest_ns = self.gathered[-1][0]
        times_ns = sorted([reading[0] for reading in self.gathered])
        step = find_step(times_ns)
        self.misfits = 0
        if not is_regular(times_ns, step) or not self.rules.has_span(step):
            self.gathered = None
            return False
        if step == self.grid.step:
            self.gathered = None
            if self.step_ns and self.index(newest_ns) == self.head:
                self._move_to(find_grid(step, times_ns), newest_ns)
            return False
        self.set_grid(find_grid(step, times_ns))
        self._start_over(completed)
        return True

    def _move_to(self, grid: Grid, newest_ns: int) -> None:
        """Keep the values on a grid with the same step. newest_ns: a time in the newest step on both grids."""
        ordered, head = self.ordered(), self.head
        self.grid, self.base_ns = grid, grid.base_ns
        self.head = self.index(newest_ns)
        if self.emitted != NEVER:
            self.emitted += self.head - head
        cut = len(ordered) - 1 - self.head % len(ordered)
        self.values = ordered[cut:] + ordered[:cut]

    def _start_over(self, completed: list[Window]) -> str:
        """Put the gathered readings on the new grid. Returns what became of the last one; it may complete a window."""
        readings, self.gathered = self.gathered or [], None
        head, outcome = self.head, STORED
        for time_ns, value, record_ns in readings:
            head = self.head
            outcome = (
                FUTURE if time_ns > record_ns + self.ahead_ns else self.place(self.index(time_ns), value)
            )
        if self.head != head:
            self.complete(completed)
        return outcome
