"""A counter becomes a rate per second."""

from fncast.dashboard.events.single_reading import SingleReading
from fncast.dashboard.series.counter_rate import CounterRate


def rates(*readings: tuple[float, float]) -> list[float | None]:
    """The rates at readings of a counter. readings: (time in seconds, value)."""
    counter = CounterRate()
    return [counter.next(SingleReading("requests", time_s, value)) for time_s, value in readings]


def test_the_rate_is_the_increase_per_second() -> None:
    assert rates((0, 10), (2, 16), (3, 16)) == [None, 3, 0]


def test_a_counter_that_was_reset_counts_from_0() -> None:
    assert rates((0, 100), (2, 8)) == [None, 4]


def test_a_reading_that_is_not_newer_has_no_rate() -> None:
    assert rates((5, 1), (5, 2), (4, 3)) == [None, None, None]
