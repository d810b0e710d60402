"""Formats forecasts as lines of text for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.forecast import ShownForecast, parse_forecast
from fncast.dashboard.events.grid import Grid
from fncast.foreign_text import clean
from fncast.series.step import Step, format_start

SHOWN_STEPS = 3
# The widest columns, in characters. Longer names are cut.
MAX_NAME, MAX_UNIT, MAX_MODEL = 64, 10, 40
SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
SMALLEST_SCALED = 1e4  # smaller numbers have four digits without a prefix


class ConsoleFormatter:
    """Formats forecasts as aligned columns: time, series, the next steps, model."""

    def __init__(self) -> None:
        self._name_width = 12

    def format(self, event: ReceivedEvent, timestamp_s: float | None) -> str:
        """Format one forecast: `15:04:05  cpu  2024-05-01T12:00:00Z +0:05:00  37.2 [30 … 44]  … 9 more  forecast v1`.

        timestamp_s: the record's, in seconds since 1970. Raises UnreadableData.
        """
        forecast = parse_forecast(event, 0)
        grid = Grid.of(event.data)
        name = clean(event.subject, MAX_NAME)
        self._name_width = max(self._name_width, len(name))
        unit = event.data.get("unit")
        columns = [
            _clock(timestamp_s),
            name.ljust(self._name_width),
            _when(grid).ljust(29),
            "  ".join(_value(forecast, step) for step in range(min(SHOWN_STEPS, len(forecast.values)))),
        ]
        if (more := len(forecast.values) - SHOWN_STEPS) > 0:
            columns.append(f"… {more} more")
        if isinstance(unit, str):
            columns.append(clean(unit, MAX_UNIT))
        return "  ".join([*columns, clean(forecast.model, MAX_MODEL)]).rstrip()


def _when(grid: Grid) -> str:
    if grid.anchor is None or grid.step is None:
        return "next steps"
    return f"{format_start(_truncate(grid.anchor, grid.step), grid.step)} +{_format_step(grid.step)}"


def _truncate(moment: datetime, step: Step) -> datetime:
    """Drop the fraction of a second if the step is at least a second, else keep milliseconds."""
    if step.period_s is None or step.period_s >= 1:
        return moment.replace(microsecond=0)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _format_step(step: Step) -> str:
    if step.period_s is None:
        return _months(step.months or 0)
    return str(timedelta(seconds=step.period_s)) if step.period_s >= 60 else f"{step.period_s:g} s"


def _months(months: int) -> str:
    count, unit = (months, "month") if months % 12 else (months // 12, "year")
    return f"{count} {unit}" + ("s" if count > 1 else "")


def _value(forecast: ShownForecast, step: int) -> str:
    value = forecast.values[step]
    if forecast.band is None:
        return number(value).rjust(8)
    low, high = forecast.low[step], forecast.high[step]
    width = high - low if low is not None and high is not None else 0.0
    return f"{number(value, width).rjust(8)} [{number(low, width)} … {number(high, width)}]".ljust(27)


def number(value: float | None, width: float = 0.0) -> str:
    """Format with four digits and an SI prefix: 37.25, 1.234M. As an integer if a band of `width` needs more digits."""
    if value is None:
        return "?"
    rounded = float(f"{value:.4g}")  # 9999.6 needs the prefix that 10,000 has
    if abs(value) >= SMALLEST_SCALED and 0 < width < abs(value) / 1000:
        return f"{value:.0f}"
    for floor, suffix in SUFFIXES:
        if abs(rounded) >= max(floor, SMALLEST_SCALED):
            return f"{rounded / floor:.4g}{suffix}"
    return f"{rounded:.4g}"


def _clock(timestamp_s: float | None) -> str:
    """The local time of day; dashes without a timestamp, and for one beyond the calendar."""
    try:
        if timestamp_s is not None:
            return datetime.fromtimestamp(timestamp_s, UTC).astimezone().strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        pass
    return "--:--:--"
