"""The load of the monitor: for each reading a window event and the forecast that follows it, with known outliers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.lib.broker import CREATE_TIME
from benchmarks.lib.load import Record
from benchmarks.lib.testbed import Testbed
from benchmarks.monitor import events
from fncast.series.rfc3339 import format_time

SPIKE = 60.0  # added to the reading of an outlier; other readings change by about 1 from step to step
HORIZON = 24


async def create_topics(testbed: Testbed) -> tuple[str, str, str]:
    """Create the topics of windows, forecasts and accuracy.

    Records have the producer's times. The broker gives a whole batch the same time, which would lose the order between
    the two topics.
    """
    [windows, forecasts, accuracy] = await testbed.create_topics(
        "windows", "forecasts", "accuracy", timestamps=CREATE_TIME
    )
    return windows, forecasts, accuracy


@dataclass(frozen=True)
class Outlier:
    """A reading that is far from its forecast. time: as in the anomaly's `start`."""

    number: int
    step: int

    @property
    def reading_id(self) -> str:
        """The id of the window event whose last reading it is."""
        return f"window-{self.number}-{self.step}"

    @property
    def series(self) -> str:
        return events.series_name(self.number)

    @property
    def time(self) -> str:
        return format_time(events.time_of(self.step))


class MonitorLoad:
    """Random walks with at most one outlier for each series. topics: of windows and of forecasts."""

    def __init__(self, series: int, steps: int, topics: tuple[str, str]) -> None:
        self.series = series
        self._topics: Mapping[str, str] = dict(zip(events.TOPICS, topics, strict=True))
        self._values = events.random_walks(series, steps)
        self.outliers: list[Outlier] = []

    def add_outliers(self, first: int, last: int) -> None:
        """Give each series an outlier at one of the steps `first` to `last` - 1."""
        for number in range(self.series):
            outlier = Outlier(number, first + number % (last - first))
            self._values[number, events.WINDOW + outlier.step] += SPIKE
            self.outliers.append(outlier)

    def records(self, steps: range) -> Iterator[tuple[str, Record]]:
        """Yield the records of these steps with their topics, in the order of time: two records for each reading."""
        for record in events.records(self._values, steps, HORIZON):
            key = dict(record.headers)["ce_subject"]
            yield self._topics[record.topic], (key, record.value, list(record.headers))
