"""The benchmark of the monitor: its load, its outliers, its files and its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.delay.reader import ArrivalTimes
from benchmarks.monitor import contestants, delay, files, monitor
from benchmarks.monitor.events import WINDOW, random_walks
from benchmarks.monitor.load import HORIZON, SPIKE, MonitorLoad
from benchmarks.readings.rates import Rate


class FakeMessage:
    def __init__(self, offset: int, series: str, **data: str) -> None:
        self._offset, self._data = offset, data
        self._headers = [("ce_type", b"io.fncast.anomaly.v1"), ("ce_subject", series.encode())]

    def headers(self) -> list[tuple[str, bytes]]:
        return self._headers

    def value(self) -> bytes:
        return orjson.dumps(self._data)

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


def test_a_reading_is_a_window_and_the_forecast_that_follows_it() -> None:
    load = MonitorLoad(2, 3, ("windows", "forecasts"))
    records = list(load.records(range(3)))
    assert [topic for topic, _ in records] == ["windows", "forecasts"] * 6
    (_, (key, value, _)), (_, (forecast_key, forecast, _)) = records[:2]
    assert key == forecast_key == b"web-0.cpu"
    known, expected = orjson.loads(value or b""), orjson.loads(forecast or b"")
    assert len(known["values"]) == WINDOW
    assert len(expected["values"]) == HORIZON
    assert expected["values"][0] == known["values"][-1]


def test_an_outlier_is_in_the_window_that_its_id_and_time_name() -> None:
    load = MonitorLoad(3, 10, ("windows", "forecasts"))
    load.add_outliers(4, 6)
    assert [(each.series, each.step) for each in load.outliers] == [
        ("web-0.cpu", 4),
        ("web-1.cpu", 5),
        ("web-2.cpu", 4),
    ]
    [value] = [
        value
        for _, (_, value, headers) in load.records(range(10))
        if dict(headers)["ce_id"] == load.outliers[1].reading_id.encode()
    ]
    usual = random_walks(3, 10)[1, WINDOW + 5]
    assert orjson.loads(value or b"")["values"][-1] == pytest.approx(usual + SPIKE)
    assert load.outliers[1].time == "2026-05-01T00:05:00Z"


def test_only_anomalies_that_open_count(tmp_path: Path) -> None:
    file = tmp_path / "seen"
    file.write_text("0 0 1.5\n0 2 2.5\n")
    messages: list[Any] = [
        FakeMessage(0, "a", state="open", start="t1"),
        FakeMessage(1, "a", state="closed", start="t1"),
        FakeMessage(2, "b", state="open", start="t2"),
    ]
    assert delay.opening_times_s(messages, ArrivalTimes(file)) == {("a", "t1"): 1.5, ("b", "t2"): 2.5}


def test_the_loop_over_a_file_must_see_all_readings(tmp_path: Path) -> None:
    file = tmp_path / "wide.csv"
    files.write(file, 2, 3)
    assert files.copy(file, 6).readings == 6
    with pytest.raises(files.ProcessFailed, match="6 lines for 7 readings"):
        files.copy(file, 7)


async def nothing() -> Rate:
    raise NotImplementedError


def test_tables_leave_out_what_was_not_measured() -> None:
    ours, loop = (
        contestants.MonitorContestant(name, nothing) for name in (contestants.MONITOR, contestants.DECODING)
    )
    assert monitor.rates_table([ours, loop]).rows == []
    ours.runs = [Rate(10, 100.0, {"monitor": 30.0}, 0)]
    assert monitor.ratios_table([ours, loop]).rows == []
    loop.runs = [Rate(10, 400.0, {"loop": 10.0}, 0)]
    [(_, _, ratio)] = monitor.ratios_table([ours, loop]).rows
    assert str(ratio) == "3.00"
    empty, live = monitor.DelayRuns(100), monitor.DelayRuns(1_000)
    live.runs = [delay.Delays([0.1, 0.2], 4, 1, 5.0)]
    [(name, *cells)] = monitor.delays_table([empty, live]).rows
    assert name == "anomalies at 1,000 readings/s"
    assert list(map(str, cells)) == ["0.20", "0.20", "0.50", "1.00", "5.00"]
