"""A partition with one series of single readings, fed reading by reading."""

from __future__ import annotations

from typing import Any

from fncast.series.step import Step
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.window import Window
from tests.interceptor.assembly.partitions import NEW_YEAR_S, Names, decoded, plain


class Feed:
    """A partition with one series, fed reading by reading. outcome: of the last reading."""

    def __init__(self, is_counter: bool = False, **rules: Any) -> None:
        defaults: dict[str, Any] = {"window": 6, "minimum": 2, "step": Step.seconds(10)}
        self.partition = PartitionWindows(Names(is_counter), Rules(**(defaults | rules)), "t")
        self.outcome = ""
        self._offset = 0

    def add(self, time: float, value: float, record: float | None = None) -> list[Window]:
        """time: seconds after NEW_YEAR_S. record: the record's timestamp; by default the reading's own time."""
        at = NEW_YEAR_S + (time if record is None else record)
        self.partition.outcomes.clear()
        found = self.partition.add(decoded([("s", NEW_YEAR_S + time, value)]), round(at * 1000), self._offset)
        self._offset += 1
        ((self.outcome, _),) = self.partition.outcomes.items()
        return found

    def values(self, *times: float) -> list[list[float | None]]:
        """Add readings whose value is their time. Returns the values of the windows that they complete."""
        return [values for time in times for *_, values in plain(self.add(time, time))]
