"""Readings wait for their forecast, but not for long."""

from __future__ import annotations

from fncast.monitor.joining.pending import NONE
from fncast.monitor.joining.waiting_readings import MAX_WAITING, WaitingReadings


def waiting(*indices: int) -> WaitingReadings:
    found = WaitingReadings()
    for index in indices:
        found.add(index, float(index), is_new=True)
    return found


def test_a_reading_is_ready_once_a_forecast_starts_at_its_step_or_later() -> None:
    readings = waiting(1, 2)
    assert list(readings.ready(NONE)) == []
    assert list(readings.ready(1)) == [(1, 1.0)]
    assert (readings.judged, readings.values) == (1, {2: 2.0})


def test_the_earliest_reading_stops_waiting_once_too_many_wait() -> None:
    readings = waiting(*range(MAX_WAITING + 1, 0, -1))
    assert list(readings.ready(NONE)) == [(1, 1.0)]


def test_a_reading_that_waits_can_be_corrected_and_one_that_was_judged_cannot() -> None:
    readings = waiting(1, 2)
    readings.add(1, 7.0, is_new=False)
    assert list(readings.ready(1)) == [(1, 7.0)]
    readings.add(1, 8.0, is_new=True)
    assert readings.values == {2: 2.0}


def test_a_correction_of_a_reading_that_does_not_wait_is_not_judged() -> None:
    readings = waiting()
    readings.add(1, 7.0, is_new=False)
    assert readings.values == {}
