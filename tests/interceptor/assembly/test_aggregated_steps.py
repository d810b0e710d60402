"""Aggregated steps: when they close, and what their value is."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.series.step import Step
from interceptor.assembly import aggregated_steps
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import MAX_BEHIND
from tests.interceptor.assembly.partitions import NEW_YEAR_S, NS, Names, decoded, plain


class Feed:
    """A partition with steps of a minute, fed reading by reading."""

    def __init__(self, aggregate: str = "mean", is_counter: bool = False, **rules: Any) -> None:
        defaults: dict[str, Any] = {
            "window": 3,
            "minimum": 1,
            "step": Step.seconds(60),
            "aggregate": aggregate,
        }
        self.partition = PartitionWindows(Names(is_counter), Rules(**(defaults | rules)), "t")
        self._offset = 0

    def add(
        self, time: float, value: float, series: str = "s", record: float | None = None
    ) -> list[tuple[str, list[float | None]]]:
        """Returns series and values of the completed windows. time, record: seconds after NEW_YEAR_S."""
        at = NEW_YEAR_S + (time if record is None else record)
        found = self.partition.add(
            decoded([(series, NEW_YEAR_S + time, value)]), round(at * 1000), self._offset
        )
        self._offset += 1
        return [(name, values) for name, _, _, values in plain(found)]

    def tick(self, time: float) -> list[tuple[str, list[float | None]]]:
        return [
            (name, values)
            for name, _, _, values in plain(self.partition.close_by_clock(round((NEW_YEAR_S + time) * 1000)))
        ]


@pytest.mark.parametrize(
    ("aggregate", "value"), [("mean", 3.0), ("sum", 9.0), ("min", 1.0), ("max", 5.0), ("count", 3.0)]
)
def test_a_step_closes_when_a_later_one_begins(aggregate: str, value: float) -> None:
    feed = Feed(aggregate)
    assert [feed.add(time, number) for time, number in ((0, 5.0), (20, 1.0), (59, 3.0))] == [[], [], []]
    assert feed.add(60, 7.0) == [("s", [None, None, value])]


def test_the_start_is_that_of_the_first_step_and_the_id_has_the_end_of_the_last() -> None:
    feed = Feed()
    feed.add(0, 5.0)
    (window,) = feed.partition.add(decoded([("s", NEW_YEAR_S + 61, 1.0)]), (NEW_YEAR_S + 61) * 1000, 1)
    assert (window.start, window.end_ns) == ("2025-12-31T23:58:00Z", (NEW_YEAR_S + 60) * NS)


def test_a_quiet_series_closes_by_the_time_of_the_others() -> None:
    feed = Feed()
    feed.add(0, 5.0)
    assert feed.add(69, 1.0, "other") == []
    assert feed.add(70, 1.0, "other") == [("s", [None, None, 5.0])]


def test_a_series_whose_clock_was_ahead_begins_again_and_the_event_time_with_it() -> None:
    feed = Feed()
    feed.add(0, 5.0)
    assert feed.add(10**6, 9.0) == [("s", [None, None, 5.0])]
    for second in range(1, MAX_BEHIND):
        assert feed.add(60 + second, 1.0) == []
    assert feed.add(60 + MAX_BEHIND, 2.0) == []
    assert feed.partition.outcomes["begun-again"] == 1
    assert feed.partition.event_ns == (NEW_YEAR_S + 60 + MAX_BEHIND) * NS
    assert feed.add(100, 4.0) == []
    assert feed.add(130, 7.0, "other") == [("s", [None, None, 3.0])]
    assert feed.tick(190) == [("other", [None, None, 7.0])]


def test_a_step_is_due_by_the_event_time_after_it_went_back() -> None:
    feed = Feed(grace_ns=0)
    feed.add(0, 5.0)
    feed.add(10**6, 9.0, "ahead")
    feed.add(61, 1.0)  # due at the event time, far ahead
    for second in range(MAX_BEHIND):
        feed.add(100 + second, 1.0, "ahead")
    assert feed.partition.outcomes["begun-again"] == 1
    assert feed.add(121, 2.0)[0] == ("s", [None, 5.0, 1.0])
    assert feed.add(181, 1.0, "ahead") == [("s", [5.0, 1.0, 2.0])]


def test_a_clock_that_is_ahead_again_and_again_takes_no_memory() -> None:
    """Each time the window begins again, the end of a step far ahead stays scheduled."""
    partition = PartitionWindows(Names(), Rules(window=3, step=Step.seconds(60), aggregate="sum"), "t")
    times = [
        NEW_YEAR_S + 60 * number + (10**8 if number % (MAX_BEHIND + 2) == 0 else 0) for number in range(4000)
    ]
    for offset, time in enumerate(times):
        partition.add(decoded([("s", time, 1.0)]), time * 1000, offset)
    assert partition.outcomes["begun-again"] > 200
    assert partition.scheduled < 200
    assert partition.series[0].is_open


def test_a_silent_partition_closes_by_the_clock() -> None:
    feed = Feed()
    feed.add(0, 5.0)
    feed.add(1, 6.0, "other")
    assert feed.tick(69.9) == []
    assert feed.tick(70) == [("s", [None, None, 5.0]), ("other", [None, None, 6.0])]
    assert feed.tick(1000) == []


def test_a_wrong_clock_closes_nothing_of_the_others() -> None:
    feed = Feed()
    feed.add(0, 5.0)
    assert feed.add(100, 1.0, "other", record=10) == []
    assert feed.add(10**9, 1.0, "other", record=11) == []
    assert feed.add(30, 7.0) == []
    assert feed.add(60, 1.0) == [("s", [None, None, 6.0])]


def test_readings_that_were_held_back_still_fill_their_steps() -> None:
    """A producer that had no connection sends minutes of readings at once; others went on meanwhile."""
    feed = Feed("count", grace_ns=10 * NS)
    for at in range(0, 600, 10):
        feed.add(at, 1.0, "other")
    found = [
        values for at in range(300, 600, 10) for name, values in feed.add(at, 1.0, record=600) if name == "s"
    ]
    assert [values[-1] for values in found] == [6.0] * 4


def test_a_reading_of_a_closed_step_counts_without_a_forecast() -> None:
    feed = Feed()
    feed.add(0, 5.0)
    feed.add(60, 1.0)
    assert feed.add(30, 7.0) == []
    assert feed.partition.outcomes["late"] == 1
    assert feed.add(120, 1.0) == [("s", [None, 6.0, 1.0])]


def test_a_repeat_in_the_open_step_does_not_count() -> None:
    feed = Feed("sum")
    for value in (5.0, 5.0, 2.0):
        feed.add(0, value)
    assert feed.add(60, 1.0) == [("s", [None, None, 2.0])]
    assert feed.partition.outcomes == {"stored": 2, "repeated": 1, "corrected": 1}


def test_an_open_step_keeps_only_its_last_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregated_steps, "RECENT", 3)
    feed = Feed("sum")
    for time in range(50):
        feed.add(time, 1.0)
    (series,) = feed.partition.series
    assert isinstance(series, aggregated_steps.AggregatedSteps)
    assert len(series.recent) == 3
    assert feed.add(60, 1.0) == [("s", [None, None, 50.0])]


def test_a_counter_has_the_rate_of_the_whole_step() -> None:
    feed = Feed("mean", is_counter=True)
    for time, value in ((0, 100.0), (50, 160.0), (60, 170.0), (110, 220.0), (130, 250.0)):
        found = feed.add(time, value)
    assert found == [("s", [None, None, 1.0])]


def test_calendar_quarters_begin_in_january() -> None:
    feed = Feed("sum", step=Step.parse("P3M"), grace_ns=0)
    day = 86_400
    feed.add(0, 1.0)
    feed.add(80 * day, 2.0)
    (window,) = feed.partition.add(
        decoded([("s", NEW_YEAR_S + 90 * day, 4.0)]), (NEW_YEAR_S + 90 * day) * 1000, 9
    )
    assert (window.start, plain([window])[0][3]) == ("2025-07-01T00:00:00Z", [None, None, 3.0])
    assert window.to_json().startswith(b'{"start":"2025-07-01T00:00:00Z","step":"P3M"')
