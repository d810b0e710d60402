"""Generated events for the monitor: at each step the window of each series, and the forecast that follows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
from numpy.typing import NDArray

from fncast.series.rfc3339 import format_time
from interceptor.delivery import Record
from interceptor.outcome import Headers

START, STEP_S = datetime(2026, 5, 1, tzinfo=UTC), 60
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TOPICS = ("metrics", "forecasts")
WINDOW = 48

FloatArray = NDArray[np.float64]


def random_walks(series: int, steps: int, seed: int = 0) -> FloatArray:
    """Return readings of each series, (series, WINDOW + steps). The first WINDOW of them precede step 0."""
    rng = np.random.default_rng(seed)
    return np.round(50 + rng.normal(size=(series, WINDOW + steps)).cumsum(axis=1), 3)


def records(values: FloatArray, steps: range, horizon: int) -> Iterator[Record]:
    """Yield the window and the forecast of each series at each step, in the order of time.

    values: of all steps, with WINDOW readings before them, (series, WINDOW + steps). horizon: steps of a forecast.
    """
    band = np.linspace(-1.2, 1.2, len(LEVELS))[:, None] * np.sqrt(np.arange(1, horizon + 1))
    for step in steps:
        at_ms = int(START.timestamp() * 1000) + step * STEP_S * 1000
        start = format_time(time_of(step - WINDOW + 1))
        following = format_time(time_of(step + 1))
        for number in range(len(values)):
            known = values[number, step + 1 : step + 1 + WINDOW]
            window = {"start": start, "step_s": STEP_S, "values": known.tolist()}
            rows = np.round(known[-1] + band, 3)
            quantiles = {str(level): row for level, row in zip(LEVELS, rows.tolist(), strict=True)}
            median = quantiles["0.5"]
            forecast = {"start": following, "step_s": STEP_S, "values": median, "quantiles": quantiles}
            for topic, type_, data in zip(TOPICS, ("window", "forecast"), (window, forecast), strict=True):
                headers: Headers = [
                    ("ce_specversion", b"1.0"),
                    ("ce_id", f"{type_}-{number}-{step}".encode()),
                    ("ce_source", b"benchmark"),
                    ("ce_type", f"io.fncast.{type_}.v1".encode()),
                    ("ce_subject", series_name(number).encode()),
                    ("ce_modelname", b"base"),
                    ("ce_modelversion", b"1"),
                    ("content-type", b"application/json"),
                ]
                offset = step * len(values) + number
                yield Record(topic, 0, offset, at_ms, None, orjson.dumps(data), headers)


def time_of(step: int) -> datetime:
    """Return the time of the newest reading of a step's windows."""
    return START + timedelta(seconds=STEP_S * step)


def series_name(number: int) -> str:
    return f"web-{number}.cpu"
