"""The times of a file become moments in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from fncast.series.csv.error import CsvError
from fncast.series.csv.times.moments import Moments
from fncast.series.csv.times.parser import read_times
from tests.fncast.series.csv.tables import table

BERLIN = ZoneInfo("Europe/Berlin")


def moments(*times: str, timezone: tzinfo | None = BERLIN) -> Moments:
    found = table("time,x\n" + "".join(f"{time},1\n" for time in times))
    return Moments(found, 0, read_times(found, 0, "text"), timezone)


def test_local_times_are_converted_to_utc() -> None:
    found = moments("2026-07-01 12:00", "2026-07-01 13:00")
    seconds, _ = found.of(slice(None), np.ones(2))
    assert seconds[0] == datetime(2026, 7, 1, 10, tzinfo=UTC).timestamp()
    assert (found.is_converted, found.zone) == (True, BERLIN)


def test_dates_are_not_converted() -> None:
    found = moments("2026-07-01", "2026-07-02")
    seconds, _ = found.of(slice(None), np.ones(2))
    assert seconds[0] == datetime(2026, 7, 1, tzinfo=UTC).timestamp()
    assert not found.is_converted


def test_times_that_are_all_midnight_are_read_as_dates_with_a_note() -> None:
    found = moments("2026-07-01 00:00", "2026-07-02 00:00", "2026-07-03 00:00")
    assert not found.is_converted
    assert "the same time of day" in found.notes[0]


def test_a_local_time_that_does_not_exist_is_dropped_if_it_has_no_reading() -> None:
    found = moments("2026-03-29 01:00", "2026-03-29 02:00", "2026-03-29 03:00")
    seconds, values = found.of(slice(None), np.array([1.0, np.nan, 3.0]))
    assert (np.diff(seconds).tolist(), values.tolist()) == ([3600.0], [1.0, 3.0])
    with pytest.raises(CsvError, match="line 3: '2026-03-29 02:00' does not exist in Europe/Berlin"):
        found.of(np.array([0, 1]), np.array([1.0, 2.0]))
