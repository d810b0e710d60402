"""Forecasts as lines of text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fncast.dashboard.event import ReceivedEvent
from fncast.dashboard.forecast import ShownForecast, parse_forecast
from fncast.dashboard.readings import Grid
from fncast.foreign_text import clean
from fncast.series.step import Step, format_start

SHOWN_STEPS = 3
# Columns grow with what they hold, up to this; a longer name is cut.
MAX_NAME, MAX_UNIT, MAX_MODEL = 32, 10, 40
SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
SMALLEST_SCALED = 1e4  # 4321 has four digits as it is


class ConsoleFormatter:
    """Writes forecasts as aligned columns: when, series, what the next steps bring, model."""

    def __init__(self) -> None:
        self._name_width = 12

    def line(self, event: ReceivedEvent, timestamp_s: float | None) -> str:
        """One line, such as `15:04:05  cpu  2024-05-01T12:00:00Z every 300 s  37.2 [30…44] …  forecast v1`.

        timestamp_s: the record's. Raises UnreadableData."""
        forecast = parse_forecast(event, 0)
        grid = Grid.of(event.data)
        name = clean(event.subject, MAX_NAME)
        self._name_width = max(self._name_width, len(name))
        unit = event.data.get("unit")
        words = [
            _clock(timestamp_s),
            name.ljust(self._name_width),
            _when(grid).ljust(29),
            "  ".join(_value(forecast, step) for step in range(min(SHOWN_STEPS, len(forecast.values)))),
        ]
        if (more := len(forecast.values) - SHOWN_STEPS) > 0:
            words.append(f"… {more} more")
        if isinstance(unit, str):
            words.append(clean(unit, MAX_UNIT))
        return "  ".join([*words, clean(forecast.model, MAX_MODEL)]).rstrip()


def _when(grid: Grid) -> str:
    if grid.anchor is None or grid.step is None:
        return "next steps"
    return f"{format_start(_whole(grid.anchor, grid.step), grid.step)} +{_step(grid.step)}"


def _whole(moment: datetime, step: Step) -> datetime:
    """Without the fraction of a second where the step is of whole seconds."""
    if step.period_s is None or step.period_s >= 1:
        return moment.replace(microsecond=0)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _step(step: Step) -> str:
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
    """Four digits and an SI letter, such as 37.25 or 1.234M; whole, where a band of `width` needs more digits."""
    if value is None:
        return "?"
    if abs(value) >= SMALLEST_SCALED and 0 < width < abs(value) / 1000:
        return f"{value:.0f}"
    for floor, suffix in SUFFIXES:
        if abs(value) >= max(floor, SMALLEST_SCALED):
            return f"{value / floor:.4g}{suffix}"
    return f"{value:.4g}"


def _clock(timestamp_s: float | None) -> str:
    if timestamp_s is None:
        return "--:--:--"
    return datetime.fromtimestamp(timestamp_s, UTC).astimezone().strftime("%H:%M:%S")
