"""One reading per step: what becomes of each reading, and how the step is found."""

from __future__ import annotations

import math

import pytest

from fncast.series.step import Step
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import BEHIND
from interceptor.assembly.window import Window
from tests.interceptor.assembly.partitions import NS, Names, decoded, plain

T = 1_767_225_600  # 2026-01-01T00:00:00Z


class Feed:
    """A partition with one series, fed reading by reading. outcome: of the last reading."""

    def __init__(self, is_counter: bool = False, **rules: object) -> None:
        defaults: dict[str, object] = {"window": 6, "minimum": 2, "step": Step.seconds(10)}
        self.partition = PartitionWindows(Names(is_counter), Rules(**(defaults | rules)), "t")  # type: ignore[arg-type]
        self.outcome = ""
        self._offset = 0

    def add(self, time: float, value: float, record: float | None = None) -> list[Window]:
        """time: seconds after T. record: the record's timestamp; by default the reading's own time."""
        at = T + (time if record is None else record)
        self.partition.outcomes.clear()
        found = self.partition.add(decoded([("s", T + time, value)]), round(at * 1000), self._offset)
        self._offset += 1
        ((self.outcome, _),) = self.partition.outcomes.items()
        return found

    def values(self, *times: float) -> list[list[float | None]]:
        """Add readings whose value is their time. Returns the values of the windows that they complete."""
        return [values for time in times for *_, values in plain(self.add(time, time))]


def test_a_step_is_complete_with_its_reading() -> None:
    feed = Feed()
    assert feed.values(0, 10, 20) == [[None] * 4 + [0, 10], [None] * 3 + [0, 10, 20]]
    (window,) = feed.add(30, 30.0)
    assert (window.start, window.end_ns) == ("2025-12-31T23:59:40Z", (T + 30) * NS)
    assert (window.series, str(window.step), window.labels, window.unit) == ("s", "PT10S", {"name": "s"}, "B")


def test_a_late_reading_fills_its_step_without_a_forecast() -> None:
    feed = Feed(grace_ns=20 * NS)
    feed.values(0, 10, 30)
    assert feed.add(20, 2.0) == []
    assert feed.outcome == "corrected"
    assert feed.values(40) == [[None, 0, 10, 2, 30, 40]]
    feed.values(60)
    assert feed.add(30, 3.0) == []
    assert feed.outcome == "late"
    assert feed.values(70) == [[2, 3, 40, None, 60, 70]]


def test_a_repeat_changes_nothing_and_another_value_wins() -> None:
    feed = Feed()
    feed.values(0, 10)
    assert feed.add(10, 10.0) == []
    assert feed.outcome == "repeated"
    assert feed.add(10, 11.0) == []
    assert feed.outcome == "corrected"
    assert feed.values(20) == [[None, None, None, 0, 11, 20]]


def test_a_reading_before_the_window_is_dropped() -> None:
    feed = Feed()
    feed.values(0, 10, 100)
    assert feed.add(40, 1.0) == []
    assert feed.outcome == "too-old"


def test_a_wrong_clock_does_not_move_the_window() -> None:
    feed = Feed()
    feed.values(0, 10)
    assert feed.add(10**6, 1.0, record=20) == []
    assert feed.outcome == "future"
    assert feed.values(20) == [[None, None, None, 0, 10, 20]]


@pytest.mark.guarantee("a producer whose clock was ahead does not silence its series")
def test_a_series_whose_clock_was_ahead_begins_again() -> None:
    """The records had the wrong clock as well, so nothing could show it before the clock was corrected."""
    feed = Feed()
    feed.values(0, 10, 10**6, 10**6 + 10)
    for step in range(2, BEHIND + 1):
        assert feed.values(10 * step) == []
        assert feed.outcome == "too-old"
    assert feed.values(170) == []
    assert feed.outcome == "begun-again"
    assert feed.values(180, 190) == [[None] * 4 + [170, 180], [None] * 3 + [170, 180, 190]]


def test_one_reading_near_the_newest_shows_that_its_clock_is_right() -> None:
    """Two producers: the clock of one is behind."""
    feed = Feed()
    for step in range(3 * BEHIND):
        feed.values(10**6 + 10 * (step // 8), 10 * step)
        assert feed.outcome == "too-old"


def test_old_readings_in_new_records_do_not_begin_again() -> None:
    feed = Feed()
    feed.values(0, 10, 10**6)
    for step in range(3 * BEHIND):
        assert feed.add(10 * step, 1.0, record=10**6 + step) == []
        assert feed.outcome == "too-old"
    assert feed.values(10**6 + 10) == [[None] * 4 + [10**6, 10**6 + 10]]


def test_a_gap_longer_than_the_window_empties_it() -> None:
    feed = Feed()
    feed.values(0, 10, 20)
    assert feed.values(80) == []
    assert feed.values(90) == [[None] * 4 + [80, 90]]


def test_every_second_step() -> None:
    assert [values[-1] for values in Feed(every=2).values(*range(0, 80, 10))] == [10, 30, 50, 70]
    # Steps without a reading count: a gap does not delay the next forecast.
    assert [values[-1] for values in Feed(every=2).values(0, 10, 50, 60, 70)] == [10, 50, 70]


@pytest.mark.parametrize("value", [1.1e18, -1.1e18, math.nan, math.inf])
def test_a_value_that_no_model_takes_is_dropped(value: float) -> None:
    feed = Feed()
    assert feed.add(0, value) == []
    assert feed.outcome == "too-large"


def test_a_counter_becomes_a_rate() -> None:
    feed = Feed(is_counter=True, window=4)
    feed.add(0, 100.0)
    feed.add(10, 150.0)
    ((*_, values),) = plain(feed.add(20, 170.0))
    assert values == [None, None, 5.0, 2.0]
    ((*_, values),) = plain(feed.add(30, 30.0))  # a reset: 30 since then
    assert values == [None, 5.0, 2.0, 3.0]
    (window,) = feed.add(50, 70.0)  # 40 in two steps
    assert plain([window])[0][3] == [2.0, 3.0, None, 2.0]
    assert window.unit == "B/s"


def test_a_counter_keeps_its_values_with_rate_off() -> None:
    feed = Feed(is_counter=True, rate="off")
    feed.add(0, 100.0)
    ((*_, values),) = plain(feed.add(10, 150.0))
    assert values[-2:] == [100.0, 150.0]


def test_calendar_months() -> None:
    feed = Feed(step=Step.parse("P1M"))
    days = [0, 31, 59, 90]  # the first days of January to April
    found = [window for day in days for window in feed.add(day * 86_400, float(day))]
    assert [(window.start, plain([window])[0][3][-3:]) for window in found] == [
        ("2025-09-01T00:00:00Z", [None, 0, 31]),
        ("2025-10-01T00:00:00Z", [0, 31, 59]),
        ("2025-11-01T00:00:00Z", [31, 59, 90]),
    ]
    assert b'"step":"P1M"' in found[0].to_json()


@pytest.mark.parametrize(
    ("gap", "step"),
    [
        *((1, "PT1S"), (9.4, "PT10S"), (59.9, "PT1M"), (900, "PT15M"), (86_400, "P1D"), (604_800, "P7D")),
        *((0.25, "PT0.25S"), (7, "PT7S"), (45, "PT45S"), (2_592_000, "P1M"), (31_536_000, "P1Y")),
    ],
)
def test_the_step_is_found_from_the_first_eight_gaps(gap: float, step: str) -> None:
    feed = Feed(step=None)
    found = [window for at in range(9) for window in feed.add(at * gap, float(at))]
    assert [str(window.step) for window in found] == [step]


def test_readings_that_jitter_have_the_step_between_them() -> None:
    feed = Feed(step=None)
    found = [window for at in range(30) for window in feed.add(10 * at + (-2, 0, 2, -1, 1)[at % 5], 1.0)]
    assert {str(window.step) for window in found} == {"PT10S"}
    assert set(found[-1].values) == {1.0}


def test_repeats_and_disorder_do_not_change_the_step() -> None:
    feed = Feed(step=None, window=9)
    assert feed.values(0, 0, 20, 10, 40, 30, 30, 60, 50, 80) == []
    assert feed.values(70) == []  # the newest step was complete before the grid was known
    assert feed.values(90) == [[10, 20, 30, 40, 50, 60, 70, 80, 90]]


def test_readings_lie_in_the_middle_of_their_steps() -> None:
    feed = Feed(step=None, window=12)
    times = [at * 10 + 7 for at in range(9)]
    feed.values(*times)
    # Up to half a step too early or too late, a reading still counts for its own step.
    assert feed.values(101.9)[0][-2:] == [87, 101.9]
    assert feed.values(112.1)[0][-2:] == [None, 112.1]


def test_the_step_is_found_again_when_the_producer_changes_it() -> None:
    feed = Feed(step=None, window=20)
    feed.values(*range(0, 600, 60))
    found = [window for at in range(600, 900, 10) for window in feed.add(at, float(at))]
    assert str(found[-1].step) == "PT10S"
    assert plain(found[-1:])[0][3][-9:] == [float(at) for at in range(810, 900, 10)]
    found = [window for at in range(900, 3000, 60) for window in feed.add(at, float(at))]
    assert str(found[-1].step) == "PT1M"


def test_an_irregular_series_keeps_its_step() -> None:
    feed = Feed(step=None, window=20)
    times = [at * 10 for at in range(10)]
    for at in range(60):
        times.append(times[-1] + (3 if at % 2 else 41))
    found = [window for time in times for window in feed.add(time, float(time))]
    assert {str(window.step) for window in found} == {"PT10S"}
    assert len(found) > 30


def test_readings_that_move_to_the_edge_of_their_steps_move_the_grid() -> None:
    feed = Feed(step=None, window=8)
    feed.values(*range(0, 200, 10))
    shifted = [205 + at * 10 + (-1, 1)[at % 2] for at in range(40)]
    found = feed.values(*shifted)
    assert None not in found[-1]
    assert found[-1] == shifted[-8:]


def test_a_step_that_never_comes_twice_at_once_has_no_forecast() -> None:
    feed = Feed(step=None)
    for _ in range(100):
        assert feed.add(0, 1.0) == []
    assert feed.outcome == "repeated"
