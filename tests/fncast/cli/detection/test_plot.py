"""The plot of series with their expected band and anomalies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib

from fncast.cli.detection.plot import MAX_LABELS, MAX_PANELS, save_plot, step_width
from fncast.failure import Failure
from fncast.monitor.anomalies.episode import Episode
from fncast.monitor.anomalies.offline import Detection
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries

READINGS = 30
Found = tuple[TimeSeries, np.ndarray, Detection]


def found(name: str, *scores: float, kind: str = "outlier", unit: str | None = None) -> Found:
    """A series with an anomaly for each score."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    series = TimeSeries(name, start, Step.seconds(60), np.arange(float(READINGS)), unit)
    near = np.stack([series.values, series.values - 1, series.values + 1], axis=1)
    episodes = [
        Episode(kind, at, at, at + 1, 1231.0 + at, at, at - 1, at + 1, score)
        for at, score in enumerate(scores)
    ]
    return series, near, Detection(np.zeros(READINGS), np.zeros(READINGS, dtype=bool), episodes)


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """texts(found...): the SVG that is drawn, with its texts as texts."""
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")

    def draw(*series: Found) -> str:
        save_plot(series, tmp_path / "plot.svg")
        return (tmp_path / "plot.svg").read_text()

    return draw


def test_a_panel_has_the_name_unit_and_number_of_anomalies_of_its_series(texts) -> None:
    drawn = texts(found("oven", 0.9, unit="°C"), found("pump", 0.5, 0.6))
    assert "oven: 1 anomaly<" in drawn
    assert "pump: 2 anomalies<" in drawn
    assert "°C<" in drawn
    assert " series<" not in drawn


def test_dollar_signs_in_a_name_and_a_unit_are_drawn_as_they_are(texts) -> None:
    drawn = texts(found("a$\\frac$b", 0.9, unit="$x_{$"))
    assert r"a$\frac$b: 1 anomaly<" in drawn
    assert "$x_{$<" in drawn


def test_only_the_most_unusual_series_are_drawn(texts) -> None:
    drawn = texts(*(found(f"s{number}", number / 10) for number in range(1, 7)))
    assert f"{MAX_PANELS} of 6 series<" in drawn
    assert [f"s{number}:" in drawn for number in range(1, 7)] == [False, False, True, True, True, True]


def test_only_the_worst_anomalies_are_labelled(texts) -> None:
    drawn = texts(found("oven", *(number / 10 for number in range(MAX_LABELS + 1))))
    assert [f">{1231 + number}<" in drawn for number in range(MAX_LABELS + 1)] == [False] + [
        True
    ] * MAX_LABELS


def test_a_stuck_sensor_is_labelled_with_its_kind(texts) -> None:
    assert ">stuck<" in texts(found("oven", 0.9, kind="stuck"))


def test_names_are_drawn_without_control_characters(texts) -> None:
    assert "\x1b" not in texts(found("\x1b[2Joven", 0.9))


@pytest.mark.parametrize("name", ["absent/plot.png", "plot.unknown"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(Failure, match=rf"^--plot {tmp_path / name}: cannot be written: "):
        save_plot([found("oven", 0.9)], tmp_path / name)


def test_the_usual_distance_of_readings_is_that_of_most() -> None:
    assert step_width(np.array([0.0, 1.0, 2.0, 50.0])) == 1.0
    assert step_width(np.array([7.0])) == 1.0
