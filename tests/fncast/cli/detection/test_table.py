"""The times and the names of a table's rows."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from fncast.cli.detection.table import DetectionTable
from fncast.series.step import Step, format_start
from fncast.series.time_series import TimeSeries

BERLIN = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("start", "step"),
    [
        (datetime(2026, 5, 1, 12, 0, 7, tzinfo=UTC), Step.seconds(300.0)),
        (datetime(2026, 5, 1, tzinfo=BERLIN), Step.seconds(86_400.0)),
        (datetime(2026, 5, 1, 0, 0, 0, 250_000, tzinfo=UTC), Step.seconds(1.0)),
        (datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(0.25)),
        (datetime(2026, 1, 31, tzinfo=BERLIN), Step.of_months(1)),
        (datetime(1, 1, 1, tzinfo=UTC), Step.seconds(60.0)),
    ],
)
def test_rows_have_the_times_of_the_readings(start: datetime, step: Step) -> None:
    series = TimeSeries("cpu", start, step, np.array([1.0, 2.0, np.nan, 4.0, 5.0]))
    out = io.StringIO()
    table = DetectionTable(out, is_json=False, has_names=False)
    for begin, end in ((0, 2), (2, 5)):
        zeros = np.zeros(end - begin)
        table.write(series, begin, np.full((end - begin, 3), np.nan), zeros, zeros.astype(np.bool_))
    times = [format_start(step.anchored(start).after(start, at), step) for at in (0, 1, 3, 4)]
    rows = zip(times, (1.0, 2.0, 4.0, 5.0), strict=True)
    assert out.getvalue().splitlines()[1:] == [f"{time},{value},,,,0,0" for time, value in rows]


@pytest.mark.parametrize(
    ("is_json", "shown"),
    [(False, "\N{REPLACEMENT CHARACTER}EVIL b,"), (True, r'{"series":"\u001b[2JEVIL\nb",')],
)
def test_a_name_of_a_series_cannot_steer_the_terminal(is_json: bool, shown: str) -> None:
    series = TimeSeries(
        "\x1b[2JEVIL\nb", datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(60.0), np.array([1.0])
    )
    out = io.StringIO()
    table = DetectionTable(out, is_json=is_json, has_names=True)
    table.write(series, 0, np.full((1, 3), np.nan), np.zeros(1), np.zeros(1, np.bool_))
    row = out.getvalue().splitlines()[-1]
    assert row.startswith(shown)
    assert row.isprintable()
