"""`fncast detect`: the monitor's anomalies of a file of readings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
import orjson

from fncast import models as base_models
from fncast.cli.models_folder import models_folder
from fncast.cli.series_files import FILES, add_reading_arguments, read_series
from fncast.failure import Failure
from fncast.foreign_text import clean
from fncast.monitor.detector import DEFAULT_ALPHA, DEFAULT_MIN_HISTORY, DetectorSettings
from fncast.series.step import format_start

if TYPE_CHECKING:
    from fncast.cli.local_model import Float64Array
    from fncast.monitor.episode import Episode
    from fncast.monitor.offline import Detection
    from fncast.series.series import Series

COLUMNS = ("time", "value", "expected", "low", "high", "score", "is_anomaly")
SHOWN_EPISODES = 5
MAX_NAME = 100  # characters of a series' name in a message

EXAMPLES = """
fncast detect your.csv
fncast detect your.csv --plot anomalies.png
fncast detect your.csv --models models --json --alpha 0.01
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "csv",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=f"files of readings, `timestamp,value`, wide or long: {FILES}",
    )
    parser.add_argument(
        "--models",
        type=models_folder,
        metavar="DIR",
        help="folder of models (default: the base model, which comes with fncast)",
    )
    parser.add_argument("--model", metavar="NAME", help="default: forecast, or base without --models")
    parser.add_argument("--version", type=int, metavar="N", help="default: the newest in service")
    parser.add_argument(
        "--alpha",
        type=float,
        default=DEFAULT_ALPHA,
        help="share of the readings of a normal series that may count as anomalies (default: %(default)s)",
    )
    parser.add_argument(
        "--min-history",
        type=int,
        default=DEFAULT_MIN_HISTORY,
        metavar="READINGS",
        help="readings of a series before its first anomaly (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of CSV")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the series with their anomalies")
    add_reading_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    if not 0 < arguments.alpha < 1:
        raise Failure(f"--alpha is {arguments.alpha}; it must be between 0 and 1")
    if arguments.min_history < 0:
        raise Failure(f"--min-history is {arguments.min_history}; it must not be negative")
    from fncast.cli.local_model import open_model
    from fncast.monitor.offline import detect

    series = read_series(arguments)
    name = arguments.model or (base_models.BASE if arguments.models is None else "forecast")
    model = open_model(arguments.models or base_models.FOLDER, name, arguments.version)
    settings = DetectorSettings(arguments.alpha, arguments.min_history)
    found: list[tuple[Series, Float64Array, Detection]] = []
    out = sys.stdout
    if not arguments.json:
        out.write(",".join(("series", *COLUMNS) if len(series) > 1 else COLUMNS) + "\n")
    for each_series in series:
        forecasts = model.forecasts(each_series.values)
        _check_length(each_series, forecasts.near, forecasts.far, settings)
        detection = detect(each_series.values, forecasts.near, forecasts.far, settings)
        write = _write_json if arguments.json else _write_csv
        write(out, each_series, forecasts.near, detection, len(series) > 1)
        _report(each_series, detection)
        if arguments.plot:
            found.append((each_series, forecasts.near, detection))
    if arguments.plot:
        from fncast.cli.detect_plot import save_plot

        save_plot(found, arguments.plot)
        _say(f"plot: {arguments.plot}")
    return 0


def _check_length(series: Series, near: Float64Array, far: Float64Array, settings: DetectorSettings) -> None:
    """Say so if no reading of the series can be an anomaly. near, far: (readings, 3), NaN without a forecast."""
    is_judged = ~np.isnan(series.values) & ~np.isnan(near[:, 0]) & ~np.isnan(far[:, 0])
    judged = int(is_judged.sum())
    readings = int((~np.isnan(series.values)).sum())
    if judged <= settings.min_history:
        _say(
            f"{clean(series.name, MAX_NAME)}: none of its {readings} readings can be an anomaly: {judged} have"
            f" forecasts, and the first {settings.min_history} of them only serve as history. Pass more readings"
            " or a smaller --min-history"
        )


def _rows(series: Series, near: Float64Array, detection: Detection) -> Iterator[tuple[object, ...]]:
    """The rows of the readings that are there: COLUMNS, None where there is no forecast."""
    step = series.step.anchored(series.start)
    scores, flags = detection.scores.tolist(), detection.is_anomaly.tolist()
    expected = near.tolist()
    for index, value in enumerate(series.values.tolist()):
        if value != value:  # missing
            continue
        band = [None if number != number else number for number in expected[index]]
        time = format_start(step.after(series.start, index), step)
        yield time, value, *band, scores[index], flags[index]


def _write_csv(out: TextIO, series: Series, near: Float64Array, detection: Detection, is_named: bool) -> None:
    name = _csv_text(series.name) + "," if is_named else ""
    for time, value, expected, low, high, score, flag in _rows(series, near, detection):
        band = ",".join("" if number is None else f"{number:.10g}" for number in (expected, low, high))
        out.write(f"{name}{time},{value!r},{band},{score:.6g},{1 if flag else 0}\n")


def _csv_text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def _write_json(
    out: TextIO, series: Series, near: Float64Array, detection: Detection, is_named: bool
) -> None:
    for row in _rows(series, near, detection):
        line = dict(zip(COLUMNS, row, strict=True))
        out.write(orjson.dumps({"series": series.name, **line}).decode() + "\n")


def _report(series: Series, detection: Detection) -> None:
    """Print the episodes of a series on stderr."""
    episodes = detection.episodes
    name = clean(series.name, MAX_NAME)
    if not episodes:
        _say(f"{name}: no anomaly in {int((~np.isnan(series.values)).sum())} readings")
        return
    _say(f"{name}: {len(episodes)} {'anomaly' if len(episodes) == 1 else 'anomalies'}")
    for episode in sorted(episodes, key=lambda each: -each.score)[:SHOWN_EPISODES]:
        _say(f"  {_sentence(series, episode)}")
    if len(episodes) > SHOWN_EPISODES:
        _say(f"  and {len(episodes) - SHOWN_EPISODES} less unusual ones")


def _sentence(series: Series, episode: Episode) -> str:
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


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
