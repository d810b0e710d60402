"""Draws series with their expected band and anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from fncast.failure import Failure
from fncast.foreign_text import clean

if TYPE_CHECKING:
    from fncast.monitor.anomalies.offline import Detection
    from fncast.series.time_series import TimeSeries

READING, BAND, ANOMALY, MUTED = "#1f5fa8", "#9db7d5", "#c8322b", "#7a7a7a"
MAX_PANELS = 4  # more series are not legible on one page
MAX_NAME = 60
MAX_LABELS = 6  # anomalies that are labelled in a panel
_STYLE: Any = {
    "figure.dpi": 150,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.2,
    "legend.frameon": False,
}


def save_plot(found: Sequence[tuple[TimeSeries, np.ndarray[Any, Any], Detection]], path: Path) -> None:
    """Draw the series with the most unusual anomalies, at most MAX_PANELS. Raises Failure."""
    ranked = sorted(found, key=lambda each: -max((worst.score for worst in each[2].episodes), default=0.0))
    shown = ranked[:MAX_PANELS]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(12, 1.0 + 3.6 * len(shown)), layout="constrained")
        panels = figure.subplots(
            2 * len(shown), 1, squeeze=False, height_ratios=[3, 0.8] * len(shown), sharex=False
        )[:, 0]
        for number, (series, near, detection) in enumerate(shown):
            _draw(panels[2 * number], panels[2 * number + 1], series, near, detection)
        if len(found) > len(shown):
            figure.supxlabel(f"{len(shown)} of {len(found)} series", fontsize=9, color=MUTED)
        try:
            figure.savefig(path)
        except (OSError, ValueError) as error:
            raise Failure(f"--plot {path}: cannot be written: {error}") from None


def _draw(
    above: Any, below: Any, series: TimeSeries, near: np.ndarray[Any, Any], detection: Detection
) -> None:
    """Draw one series: readings with their band and anomalies in the panel above, scores in the panel below.

    near: (readings, 3), as in `StepForecasts`.
    """
    step = series.step.anchored(series.start)
    times = date2num([step.after(series.start, index) for index in range(len(series))])  # type: ignore[no-untyped-call]
    above.fill_between(
        times, near[:, 1], near[:, 2], color=BAND, alpha=0.6, linewidth=0, label="expected, 80 % band"
    )
    above.plot(times, series.values, color=READING, linewidth=0.9, label="readings")
    _draw_anomalies(above, below, times, detection)
    count = len(detection.episodes)
    title = f"{clean(series.name, MAX_NAME)}: {count} {'anomaly' if count == 1 else 'anomalies'}"
    # A dollar sign in a name or unit must not start a formula.
    above.set_title(title, loc="left", fontsize=12, parse_math=False)
    if series.unit:
        above.set_ylabel(clean(series.unit, MAX_NAME), parse_math=False)
    above.legend(loc="upper left", ncols=3, fontsize=9, bbox_to_anchor=(0.0, 1.0))
    below.fill_between(times, 0, detection.scores, color=MUTED, step="mid", linewidth=0)
    below.set_ylim(0, 1)
    below.set_ylabel("score")
    for panel in (above, below):
        panel.set_xlim(times[0], times[-1])
        locator = AutoDateLocator(tz=series.start.tzinfo)  # type: ignore[no-untyped-call]
        panel.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator, tz=series.start.tzinfo)  # type: ignore[no-untyped-call]
        panel.xaxis.set_major_formatter(formatter)
    above.tick_params(labelbottom=False)


def _draw_anomalies(above: Any, below: Any, times: np.ndarray[Any, Any], detection: Detection) -> None:
    """Mark the time of each anomaly in both panels, and label the most unusual ones. times: (readings,), in days."""
    half = step_width(times) / 2
    for number, episode in enumerate(detection.episodes):
        begin, end = times[int(episode.start)] - half, times[int(episode.end)] + half
        for panel in (above, below):
            panel.axvspan(begin, end, color=ANOMALY, alpha=0.22, linewidth=0)
        above.plot(
            times[int(episode.peak)],
            episode.value,
            "o",
            color=ANOMALY,
            markersize=5,
            label=None if number else "anomaly",
        )
    worst = sorted(detection.episodes, key=lambda each: -each.score)[:MAX_LABELS]
    for episode in worst:
        above.annotate(
            episode.kind if episode.kind != "outlier" else f"{episode.value:.4g}",
            (times[int(episode.peak)], episode.value),
            xytext=(6, 6),
            textcoords="offset points",
            fontsize=8,
            color=ANOMALY,
        )


def step_width(times: np.ndarray[Any, Any]) -> float:
    """The median time between two readings, in days. times: (readings,), in days, ascending."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 1.0
