"""One series in a sample of records: its last value, its step and its partitions."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

NS = 1_000_000_000
NEAR = 0.02  # a step this close to whole seconds is rounded, because producers jitter


@dataclass
class ObservedSeries:
    """One series of a sample.

    times_ns: of its readings, in the order of the records. known_step: as the records state it, or empty.
    """

    name: str
    unit: str = ""
    last_value: float | None = None
    last_time_ns: int = -1
    times_ns: list[int] = field(default_factory=list)
    partitions: set[int] = field(default_factory=set)
    known_step: str = ""

    def add(self, partition: int, time_ns: int, value: float | None) -> None:
        """Add a reading. time_ns: since 1970 in UTC. value: None if it is not a number."""
        self.partitions.add(partition)
        self.times_ns.append(time_ns)
        if time_ns >= self.last_time_ns:
            self.last_time_ns, self.last_value = time_ns, value

    @property
    def is_spread(self) -> bool:
        """Whether its readings come from more than one partition."""
        return len(self.partitions) > 1

    @property
    def step_s(self) -> float | None:
        """The median time between two readings, in seconds. None if there are fewer than two different times."""
        times = sorted(set(self.times_ns))
        if len(times) < 2:
            return None
        between = median(later - earlier for earlier, later in pairwise(times)) / NS
        whole = round(between)
        return float(whole) if whole and abs(between - whole) <= NEAR * whole else round(between, 3)

    @property
    def step_text(self) -> str:
        """The step as settings take it, such as 10s or P1M. Empty if it is not known."""
        if self.known_step:
            return self.known_step
        return short_step(self.step_s) if self.step_s else ""


def short_step(seconds: float) -> str:
    """A step in seconds as settings take it, such as 10s or 5m."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"  # no exponent: settings do not take one


def usual_step(series: list[ObservedSeries]) -> str:
    """The most frequent step of the series. Empty if no step is known."""
    steps = [each.step_text for each in series if each.step_text]
    return max(dict.fromkeys(steps), key=steps.count) if steps else ""
