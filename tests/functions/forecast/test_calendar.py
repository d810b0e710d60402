"""Monthly series from a CSV file through windows and the function to the page: all times are right."""

import calendar
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from events import BATCH_TYPE
from fncast.dashboard.events.grid import Grid
from fncast.produce.events import build_window_event, to_kafka_record
from fncast.produce.replay import readings
from fncast.produce.windows import SlidingWindow
from fncast.series.csv.file import read_csv
from fncast.series.rfc3339 import parse_time
from fncast.series.step import Step
from handler import Forecaster
from model import ForecastModel
from model_service.client import InferenceResult
from model_service.protocols.graphpipe import IOMetadata, MetadataResponse, Type

WINDOW, HORIZON, COUNT = 4, 3, 60


class LastValue:
    """A fake model that repeats the last reading."""

    def metadata(self) -> MetadataResponse:
        described = json.dumps({"window": WINDOW, "quantiles": [0.5]})
        inputs = (IOMetadata("windows", Type.Float32, (-1, WINDOW)),)
        return MetadataResponse("forecast", "1", "", described, inputs)

    def infer(self, windows: np.ndarray[Any, Any]) -> InferenceResult:
        return InferenceResult(np.repeat(windows[:, -1:, None], HORIZON, axis=1), "forecast", "1")

    def close(self) -> None:
        pass


def days(year: int, month: int, months: int, day: int) -> list[datetime]:
    """The same day of several months, or the last day of shorter ones. Computed without Step."""
    numbers = [year * 12 + month - 1 + months * index for index in range(COUNT + HORIZON)]
    return [
        datetime(n // 12, n % 12 + 1, min(day, calendar.monthrange(n // 12, n % 12 + 1)[1]), tzinfo=UTC)
        for n in numbers
    ]


@pytest.mark.parametrize("day", [1, 15, 28, 29, 30, 31])
@pytest.mark.parametrize("months", [1, 2, 3, 6, 12])
@pytest.mark.parametrize("month", [1, 2, 4, 11])
def test_each_forecast_begins_where_the_next_reading_would_be(
    tmp_path: Path, months: int, day: int, month: int
) -> None:
    times = days(2022, month, months, day)
    lines = [f"{time:%Y-%m-%d},{index}" for index, time in enumerate(times[:COUNT])]
    (tmp_path / "sales.csv").write_text("\n".join(["date,value", *lines]))
    [series] = read_csv(tmp_path / "sales.csv")
    sliding = SlidingWindow(WINDOW)
    windows = [window for reading in readings(series) if (window := sliding.add(reading))]
    records = [
        to_kafka_record(build_window_event(window, source="s", destination="forecast"), "structured")
        for window in windows
    ]
    body = b"[%b]" % b",".join(each.value or b"" for each in records)
    answer = Forecaster(ForecastModel(LastValue())).answer({"content-type": BATCH_TYPE}, body)
    forecasts = json.loads(answer.body)
    assert len(forecasts) == COUNT - WINDOW + 1
    page = Grid.of(json.loads(records[0].value or b"")["data"])
    for index, forecast in enumerate(forecasts):
        start = parse_time(forecast["data"]["start"])
        step = Step.of(forecast["data"]).anchored(start)
        begins = index + WINDOW
        assert [step.after(start, ahead) for ahead in range(HORIZON)] == times[begins : begins + HORIZON]
        assert page.index_of(start) == begins
        assert page.time_of(begins) == times[begins].timestamp()
