"""Forecasts as lines of text: aligned, complete, and safe to print."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.dashboard.console import ConsoleFormatter, number
from fncast.dashboard.events.fields import UnreadableData


def test_a_line_shows_series_start_values_band_and_model(make: Any) -> None:
    event = make.forecast_event([37.251, 38, 39, 40], 2, low=[30, 31, 32, 33], high=[44, 45, 46, 47])
    line = ConsoleFormatter().format(event, 0.0)
    words = " ".join(line.split())
    assert "cpu 2024-05-01T00:10:00Z +0:05:00 37.25 [30 … 44] 38 [31 … 45] 39 [32 … 46] … 1 more" in words
    assert words.endswith("% forecast v1")


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("P1M", "+1 month "),
        ("P3M", "+3 months "),
        ("P1Y", "+1 year "),
        ("P24M", "+2 years "),
        ("P7D", "+7 days, "),
    ],
)
def test_a_calendar_step_is_written_in_words(make: Any, step: str, text: str) -> None:
    event = make.forecast_event([1.0], 0)
    event.data.pop("step_s")
    event.data.update(start="2024-01-31T00:00:00+02:00", step=step)
    line = ConsoleFormatter().format(event, 0.0)
    assert text in line
    assert step == "P7D" or "2024-01-31T00:00:00+02:00" in line


def test_lines_of_one_series_are_aligned(make: Any) -> None:
    formatter = ConsoleFormatter()
    found = [
        formatter.format(make.forecast_event([v], 0, low=[v - 1], high=[v + 1]), 0.0).index("[")
        for v in (1, 150, 7e6)
    ]
    assert len(set(found)) == 1


def test_large_numbers_keep_the_digits_that_differ(make: Any) -> None:
    value = 10**12 + 7
    line = ConsoleFormatter().format(make.forecast_event([value], 0, low=[value - 2], high=[value + 2]), 0.0)
    assert "1000000000007 [1000000000005 … 1000000000009]" in line


def test_a_name_cannot_control_the_terminal(make: Any) -> None:
    line = ConsoleFormatter().format(make.forecast_event([1.0], 0, series="\x1b[2Jname\n" + "x" * 100), 0.0)
    assert "\x1b" not in line
    assert "\n" not in line
    assert "x" * 70 not in line


def test_model_and_unit_cannot_control_the_terminal(make: Any) -> None:
    event = make.forecast_event([1.0], 0, model="\x1b[0m" + "y" * 100)
    event.attributes["modelname"] = "\x1b[2J\x1b[31mEVIL\x1b[0m\r\nx"
    event.data["unit"] = "\u202e°C\n\x07"
    line = ConsoleFormatter().format(event, 0.0)
    assert line.isprintable()
    assert "��EVIL� x v�yy" in line
    assert "�°C �" in line
    assert len(line) < 160


@pytest.mark.parametrize("timestamp_s", [None, (2**63 - 1) / 1000])
def test_a_timestamp_beyond_the_calendar_is_shown_as_none(make: Any, timestamp_s: float | None) -> None:
    assert ConsoleFormatter().format(make.forecast_event([1.0], 0), timestamp_s).startswith("--:--:--")


def test_a_forecast_without_values_raises(make: Any) -> None:
    with pytest.raises(UnreadableData):
        ConsoleFormatter().format(make.forecast_event([], 0), 0.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (37.2511, "37.25"),
        (-0.00012, "-0.00012"),
        (9999.6, "10k"),
        (999_960, "1M"),
        (3.4e6, "3.4M"),
        (None, "?"),
    ],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text
