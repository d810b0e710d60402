"""The log line about readings that were dropped because of their times."""

from __future__ import annotations

import pytest

from fncast.series.step import Step
from interceptor.assembly.dropped_readings import LOG_S, DroppedReadings, describe
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import NEVER
from tests.fake_clock import FakeClock
from tests.interceptor.assembly.partitions import NEW_YEAR_S, Names, decoded


@pytest.mark.parametrize(
    ("times", "record", "sentence"),
    [
        (
            (0, 10**6, 10),
            None,
            "'s' at 2026-01-01T00:00:10Z in a record of 2026-01-01T00:00:10Z: it is before the window, whose newest"
            " reading is of 2026-01-12T13:46:40Z. The newest one had a clock that was ahead: correct it. The series"
            " begins again after 16 such records in a row",
        ),
        (
            (0, 10**6, 10),
            10**6,
            "in a record of 2026-01-12T13:46:40Z: it is before the window, whose newest reading is of"
            " 2026-01-12T13:46:40Z. Send old readings before",
        ),
        (
            (0, 10**6),
            0,
            "in a record of 2026-01-01T00:00:00Z: it is further ahead of its record than the window is long."
            " Correct the producer's clock",
        ),
        (
            (0, 10**6, 10),
            10**12,
            "in a record whose timestamp, 1001767225600000 ms, is after the year 2261: it is before the window, whose",
        ),
    ],
)
def test_dropped_readings_are_logged_with_a_reason_at_most_every_ten_minutes(
    caplog: pytest.LogCaptureFixture, times: tuple[int, ...], record: int | None, sentence: str
) -> None:
    clock, partition = (
        FakeClock(100.0),
        PartitionWindows(Names(), Rules(window=4, step=Step.seconds(10)), "t"),
    )
    for offset, time in enumerate(times):
        partition.add(
            decoded([("s", NEW_YEAR_S + time, 1.0)]),
            (NEW_YEAR_S + (time if record is None else record)) * 1000,
            offset,
        )
    logged = DroppedReadings(clock)
    assert partition.dropped is not None
    for _ in range(3):
        logged.add("telegraf", partition.outcomes, partition.dropped)
    assert caplog.text.count("telegraf: readings dropped because of their time: 1, such as") == 1
    assert sentence in caplog.text
    clock.now_s += LOG_S
    logged.add("telegraf", partition.outcomes, partition.dropped)
    assert "telegraf: readings dropped because of their time: 3, such as" in caplog.text


def test_a_dropped_reading_is_described_as_it_was_dropped() -> None:
    """After it, the series finds a shorter step, and its window is empty: all readings are ahead of their records."""
    partition = PartitionWindows(Names(), Rules(window=4), "t")
    hours = [(time, time) for time in range(0, 20 * 3600, 3600)]
    ahead = [(hours[-1][0] + 7200 + time, hours[-1][0] + time) for time in range(60, 1200, 60)]
    for offset, (time, record) in enumerate([*hours, (0, hours[-1][1]), *ahead]):
        partition.add(decoded([("s", NEW_YEAR_S + time, time)]), (NEW_YEAR_S + record) * 1000, offset)
    assert partition.series[0].head == NEVER
    assert partition.dropped is not None
    assert "whose newest reading is of 2026-01-01T19:00:00Z" in describe(partition.dropped)
