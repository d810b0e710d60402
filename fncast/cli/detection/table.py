"""Writes the readings of series with their forecasts and scores, as CSV or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TextIO

import numpy as np
import orjson
from numpy.typing import NDArray

from fncast.foreign_text import clean, escaped
from fncast.series.step import format_start
from fncast.series.time_series import TimeSeries
from fncast.series.window import Float64Array

COLUMNS = ("time", "value", "expected", "low", "high", "score", "is_anomaly")
Row = tuple[str, float, list[float], float, bool]


class DetectionTable:
    """A table with COLUMNS, which begins with the name of the series if `has_names`. JSON lines always have it."""

    def __init__(self, out: TextIO, *, is_json: bool, has_names: bool) -> None:
        self._out = out
        self._is_json = is_json
        self._has_names = has_names
        if not is_json:
            out.write(",".join(("series", *COLUMNS) if has_names else COLUMNS) + "\n")

    def write(
        self,
        series: TimeSeries,
        begin: int,
        expected: Float64Array,
        scores: Float64Array,
        is_anomaly: NDArray[np.bool_],
    ) -> None:
        """Write the readings of a series from `begin` on that are not missing.

        expected: (readings, 3) median, low and high, NaN where there is no forecast. scores, is_anomaly: (readings,).
        """
        values = series.values[begin : begin + len(scores)]
        known = np.flatnonzero(~np.isnan(values))
        rows = zip(
            _times(series, begin + known),
            values[known].tolist(),
            expected[known].tolist(),
            scores[known].tolist(),
            is_anomaly[known].tolist(),
            strict=True,
        )
        lines = _json_lines(series.name, rows) if self._is_json else self._csv_lines(series.name, rows)
        self._out.write("".join(lines))

    def _csv_lines(self, series: str, rows: Iterator[Row]) -> list[str]:
        name = _csv_text(clean(series, len(series))) + "," if self._has_names else ""
        return [
            f"{name}{time},{value!r},{_csv_numbers(expected)},{score:.6g},{flag:d}\n"
            for time, value, expected, score, flag in rows
        ]


def _json_lines(series: str, rows: Iterator[Row]) -> list[str]:
    # orjson writes NaN as null.
    return [
        escaped(
            orjson.dumps(
                {"series": series, **dict(zip(COLUMNS, (time, value, *expected, score, flag), strict=True))}
            ).decode()
        )
        + "\n"
        for time, value, expected, score, flag in rows
    ]


def _csv_numbers(expected: list[float]) -> str:
    median, low, high = expected
    # NaN is not equal to itself. This is faster than isnan, and most rows have all three numbers.
    if median == median and low == low and high == high:
        return f"{median:.10g},{low:.10g},{high:.10g}"
    return ",".join("" if number != number else f"{number:.10g}" for number in expected)


def _csv_text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def _times(series: TimeSeries, indices: NDArray[np.int64]) -> list[str]:
    """The times of some readings as RFC 3339. indices: (readings,), ascending."""
    step = series.step.anchored(series.start)
    is_whole = step.period_s is not None and step.period_s.is_integer() and not series.start.microsecond
    if step.period_s is None or not is_whole:
        return [format_start(step.after(series.start, index), step) for index in indices.tolist()]
    start = np.datetime64(series.start.astimezone(UTC).replace(tzinfo=None), "s")
    times = np.datetime_as_string(start + indices * np.timedelta64(int(step.period_s), "s")).tolist()
    return [f"{time}Z" for time in times]
