"""`fncast detect`: finds the anomalies in files of readings, with the code of the monitor."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import operator
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fncast import models as base_models
from fncast.cli.arguments.models_folder import models_folder
from fncast.cli.arguments.series_files import add_files_argument, add_reading_arguments, read_series
from fncast.cli.detection.table import DetectionTable
from fncast.cli.output.messages import say
from fncast.failure import Failure
from fncast.foreign_text import clean
from fncast.monitor.anomalies.detector import DEFAULT_ALPHA, DEFAULT_MIN_HISTORY, DetectorSettings
from fncast.monitor.anomalies.offline import Detection, OfflineDetector
from fncast.series.step import format_start
from fncast.wording.count import counted

if TYPE_CHECKING:
    from fncast.cli.detection.step_forecasts import StepForecasts
    from fncast.monitor.anomalies.episode import Episode
    from fncast.series.time_series import TimeSeries
    from fncast.series.window import Float64Array

SHOWN_EPISODES = 5
MAX_NAME = 100  # characters of a series' name in a message

EXAMPLES = """
fncast detect your.csv
fncast detect your.csv --plot anomalies.png
fncast detect your.csv --models models --json --alpha 0.01
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_files_argument(parser, nargs="+")
    parser.add_argument(
        "--models",
        type=models_folder,
        metavar="DIR",
        help="folder of models (default: the base model, which comes with fncast)",
    )
    parser.add_argument(
        "--model", metavar="NAME", help="name of the model (default: forecast, or base without --models)"
    )
    parser.add_argument(
        "--version", type=int, metavar="N", help="version of the model (default: the newest in service)"
    )
    parser.add_argument(
        "--alpha",
        type=float,
        default=DEFAULT_ALPHA,
        metavar="SHARE",
        help="share of the readings of a normal series that may count as anomalies, between 0 and 1 (default:"
        " %(default)s)",
    )
    parser.add_argument(
        "--min-history",
        type=int,
        default=DEFAULT_MIN_HISTORY,
        metavar="READINGS",
        help="readings with a forecast that a series needs before its first anomaly (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of CSV")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw the series with their anomalies to this file"
    )
    add_reading_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a row for each reading, and the anomalies on stderr. Returns the exit code. Raises Failure."""
    if not 0 < arguments.alpha < 1:
        raise Failure(f"--alpha is {arguments.alpha}; it must be between 0 and 1")
    if arguments.min_history < 0:
        raise Failure(f"--min-history is {arguments.min_history}; it must not be negative")
    from fncast.cli.detection.local_model import open_model
    from fncast.cli.detection.step_forecasts import forecast_parts

    series = read_series(arguments)
    name = arguments.model or (base_models.BASE if arguments.models is None else "forecast")
    model = open_model(arguments.models or base_models.FOLDER, name, arguments.version)
    settings = DetectorSettings(arguments.alpha, arguments.min_history)
    found: list[tuple[TimeSeries, Float64Array, Detection]] = []
    table = DetectionTable(sys.stdout, is_json=arguments.json, has_names=len(series) > 1)
    with contextlib.closing(forecast_parts(model, [each.values for each in series])) as forecasts:
        for number, parts in itertools.groupby(forecasts, key=operator.itemgetter(0)):
            each_series, detector = series[number], OfflineDetector(settings)
            near, detection = _judge(each_series, (part for _, part in parts), detector, table)
            _warn_if_too_short(each_series, detector.with_forecast, settings)
            _report(each_series, detection.episodes)
            if arguments.plot:
                found.append((each_series, near, detection))
    if arguments.plot:
        from fncast.cli.detection.plot import save_plot

        save_plot(found, arguments.plot)
        say(f"plot: {arguments.plot}")
    return 0


def _judge(
    series: TimeSeries, parts: Iterable[StepForecasts], detector: OfflineDetector, table: DetectionTable
) -> tuple[Float64Array, Detection]:
    """Judge a series part by part, and write its rows.

    Returns the last forecast before each reading, (readings, 3): median, low and high; and what was found.
    """
    near, scores, flags, begin = [], [], [], 0
    for part in parts:
        values = series.values[begin : begin + len(part.near)]
        score, flag = detector.judge(values, part.near, part.far)
        table.write(series, begin, part.near, score, flag)
        near.append(part.near)
        scores.append(score)
        flags.append(flag)
        begin += len(values)
    detection = Detection(np.concatenate(scores), np.concatenate(flags), detector.episodes)
    return np.concatenate(near), detection


def _warn_if_too_short(series: TimeSeries, judged: int, settings: DetectorSettings) -> None:
    """Warn if no reading of the series can be an anomaly. judged: how many of its readings have forecasts."""
    readings = int((~np.isnan(series.values)).sum())
    have = "has a forecast" if judged == 1 else "have forecasts"
    if judged <= settings.min_history:
        say(
            f"{clean(series.name, MAX_NAME)}: none of its {readings:,} readings can be an anomaly: {judged:,}"
            f" {have}, and the first {settings.min_history:,} only serve as history. Pass more readings"
            " or a smaller --min-history"
        )


def _report(series: TimeSeries, episodes: Sequence[Episode]) -> None:
    """Print the episodes of a series on stderr."""
    name = clean(series.name, MAX_NAME)
    if not episodes:
        say(f"{name}: no anomaly in {counted(int((~np.isnan(series.values)).sum()), 'reading')}")
        return
    say(f"{name}: {len(episodes)} {'anomaly' if len(episodes) == 1 else 'anomalies'}")
    for episode in sorted(episodes, key=lambda each: -each.score)[:SHOWN_EPISODES]:
        say(f"  {_sentence(series, episode)}")
    if len(episodes) > SHOWN_EPISODES:
        say(f"  and {len(episodes) - SHOWN_EPISODES} less unusual ones")


def _sentence(series: TimeSeries, episode: Episode) -> str:
    step = series.step.anchored(series.start)
    start, end, peak = (
        format_start(step.after(series.start, int(at)), step)
        for at in (episode.start, episode.end, episode.peak)
    )
    until = "still open" if episode.is_open else f"to {end}"
    return (
        f"{start} {until}, {episode.kind}: {episode.value:g} at {peak}, expected {episode.expected:g}"
        f" ({episode.low:g} to {episode.high:g}), score {episode.score:.2f}"
    )
