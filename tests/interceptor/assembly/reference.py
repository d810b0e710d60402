"""A plain reference of the assembler: it keeps every reading, and computes each window from all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

NS = 1_000_000_000
AGGREGATES = {
    "mean": lambda values: sum(values) / len(values),
    "sum": sum,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
}


@dataclass
class Setting:
    """Times and the step are in seconds."""

    step: int
    window: int
    needed: int
    every: int = 1
    grace: int = 10
    aggregate: str = "last"
    is_counter: bool = False

    @property
    def kept(self) -> int:
        return self.window + self.is_counter

    def is_future(self, time: float, record: float) -> bool:
        return time > record + max(self.grace, self.window * self.step)


Found = tuple[str, float, float, list[Any]]  # series, start, end, values with None for a missing one


@dataclass
class Series:
    """All readings of one series that are not from the future: (time, value), in the order of their records."""

    setting: Setting
    name: str
    readings: list[tuple[float, float]] = field(default_factory=list)
    emitted: int | None = None
    # Single readings only: (time, value, timestamp) until the grid is known, and then a time in the middle of a step.
    gathered: list[tuple[float, float, float]] = field(default_factory=list)
    middle: float | None = None
    # Aggregated steps only.
    closed: set[int] = field(default_factory=set)
    late: dict[int, list[float]] = field(default_factory=dict)
    event_at_last: float = -math.inf  # the partition's event time at the last reading of the newest step

    def index(self, time: float) -> int:
        if self.setting.aggregate == "last":
            assert self.middle is not None
            return math.floor((time - self.middle) / self.setting.step + 0.5)
        return math.floor(time / self.setting.step)

    def start(self, index: int) -> float:
        return index * self.setting.step + (self.middle or 0)

    def end(self, index: int) -> float:
        return self.start(index + 1) if self.setting.aggregate != "last" else self.start(index)

    def gather(self, time: float, value: float, record: float) -> list[Found]:
        """Keep a first reading. Once there are enough, the one that is nearest to the others is the middle."""
        setting = self.setting
        for place, (known, _, _) in enumerate(self.gathered):
            if known == time:
                if self.gathered[place][1] != value:
                    self.gathered[place] = (time, value, record)
                return []
        self.gathered.append((time, value, record))
        if len(self.gathered) < min(9, setting.needed + setting.is_counter):
            return []

        def distance(middle: float) -> float:
            phases = [(each[0] - middle) % setting.step for each in self.gathered]
            return sum(min(phase, setting.step - phase) for phase in phases)

        self.middle = min(sorted(each[0] for each in self.gathered), key=distance)
        heads = []
        for each in self.gathered:
            heads.append(self.head())
            if not setting.is_future(each[0], each[2]):
                self.readings.append(each[:2])
        head = self.head()
        return self.complete(head) if head is not None and head != heads[-1] else []

    def head(self) -> int | None:
        return max((self.index(time) for time, _ in self.readings), default=None)

    def value(self, index: int) -> float | None:
        """The value of a step; None if it has none."""
        setting = self.setting
        inside = [(time, value) for time, value in self.readings if self.index(time) == index]
        if setting.aggregate == "last":
            return inside[-1][1] if inside else None
        if index not in self.closed and index == self.head():
            return None
        values = [*dict(inside).values(), *self.late.get(index, [])]
        aggregate = "max" if setting.is_counter else setting.aggregate
        return AGGREGATES[aggregate](values) if values else None

    def complete(self, index: int) -> list[Found]:
        """The window whose newest step is `index`, if there are enough readings and it is its turn."""
        setting = self.setting
        values = [self.value(at) for at in range(index - setting.kept + 1, index + 1)]
        if setting.is_counter:
            values = rates(values, setting.step)
        present = [value for value in values if value is not None]
        if len(present) < setting.needed:
            return []
        if self.emitted is not None and index - self.emitted < setting.every:
            return []
        self.emitted = index
        return [(self.name, self.start(index - setting.window + 1), self.end(index), values)]


def rates(values: list[float | None], step: float) -> list[float | None]:
    """The rate of each value but the first."""
    found: list[float | None] = []
    for at, value in enumerate(values):
        before = [(earlier, values[earlier]) for earlier in range(at) if values[earlier] is not None]
        if value is None or not before:
            found.append(None)
            continue
        earlier, previous = before[-1]
        assert previous is not None
        found.append((value - previous if value >= previous else value) / ((at - earlier) * step))
    return found[1:]


class Partition:
    """Assembles records of (timestamp, readings of (series, time, value)), all in seconds."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.series: dict[str, Series] = {}
        self.event = 0.0

    def add(self, record: float, readings: list[tuple[str, float, float]]) -> list[Found]:
        found: list[Found] = []
        event = self.event
        for name, time, value in readings:
            series = self.series.setdefault(name, Series(self.setting, name))
            if abs(value) <= 1e18:
                if self.setting.aggregate == "last" and series.middle is None:
                    found += series.gather(time, value, record)
                elif not self.setting.is_future(time, record):
                    found += self._add(series, time, value, event)
            self.event = max(self.event, min(time, record))
        if self.event > event:
            found += self.close(self.event)
        return found

    def _add(self, series: Series, time: float, value: float, event: float) -> list[Found]:
        setting, head, index = self.setting, series.head(), series.index(time)
        if head is not None and index <= head - setting.kept:
            return []
        if setting.aggregate == "last":
            series.readings.append((time, value))
            return series.complete(index) if head is None or index > head else []
        if head is not None and (index < head or index in series.closed):
            series.late.setdefault(index, []).append(value)
            return []
        found = []
        if head is not None and index > head and head not in series.closed:
            series.closed.add(head)
            found = series.complete(head)
        if head is not None and index > head and index - head >= setting.kept:
            series.late.clear()
        series.readings.append((time, value))
        series.event_at_last = event
        return found

    def close(self, now: float) -> list[Found]:
        due = []
        for slot, series in enumerate(self.series.values()):
            head = series.head()
            if self.setting.aggregate != "last" and head is not None and head not in series.closed:
                at = max(series.end(head), series.event_at_last) + self.setting.grace
                if at <= now:
                    due.append((at, slot, series, head))
        found = []
        for _, _, series, head in sorted(due, key=lambda each: each[:2]):
            series.closed.add(head)
            found += series.complete(head)
        return found
