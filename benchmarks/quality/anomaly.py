"""How well anomalies are found: the detector beside simple baselines on generated series with labelled incidents.

`python -m benchmarks.quality.anomaly [--models DIR] [--series N] [--seed N]`. Each method's threshold is the one at
which it opens one false episode a series a month of 5-minute readings. The detector is also shown at its default alpha.
The seeds below 1000 and the seed 8000 are for tuning.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.lib.arguments import positive_integer
from benchmarks.lib.exit_code import run_to_exit_code
from benchmarks.quality.labelled_series import MONTH, QUIET, RECOVERY, LabelledSeries, labelled_series
from fncast import models as base_models
from fncast.cli.detection.local_model import LocalModel, open_model
from fncast.cli.detection.step_forecasts import StepForecasts, step_forecasts
from fncast.monitor.anomalies.detector import DEFAULT_ALPHA, DetectorSettings
from fncast.monitor.anomalies.episode import CALM_READINGS
from fncast.monitor.anomalies.offline import detect
from fncast.series.window import Float64Array

SEED, SERIES = 1_000, 64
FALSE_A_MONTH = 1.0
HISTORY = 500
# The detector's alphas: the first that opens at most FALSE_A_MONTH counts.
ALPHAS = (DEFAULT_ALPHA, 7e-4, 5e-4, 3e-4, 1e-4)
# The history of the windowed Gaussian, as in the Numenta Anomaly Benchmark.
WINDOW = 8_000
SEASONS = (6, 12, 24)
Opened = list[int]  # the readings at which the episodes of a series open


@dataclass(frozen=True)
class Result:
    """The result of one method.

    recall: share of incidents found. delay: median, in readings. false: false episodes a series a month. by_kind: the
    recall by kind of incident.
    """

    recall: float
    delay: float
    false: float
    by_kind: dict[str, float]


def evaluate(series: Sequence[LabelledSeries], opened: Sequence[Opened]) -> Result:
    """Compare the openings of each series with its incidents."""
    found: dict[str, list[bool]] = {}
    delays: list[int] = []
    false, months = 0, 0.0
    for labelled, openings in zip(series, opened, strict=True):
        months += (len(labelled.values) - QUIET) / MONTH
        for incident in labelled.incidents:
            hits = [at - incident.begin for at in openings if incident.begin <= at < incident.until]
            found.setdefault(incident.kind, []).append(bool(hits))
            delays += hits[:1]
        false += sum(
            not any(each.begin <= at < each.end + RECOVERY for each in labelled.incidents) for at in openings
        )
    every = [hit for hits in found.values() for hit in hits]
    by_kind = {kind: float(np.mean(hits)) for kind, hits in sorted(found.items())}
    delay = float(np.median(delays)) if delays else float("nan")
    return Result(float(np.mean(every)), delay, false / months, by_kind)


def openings(scores: Float64Array, threshold: float) -> Opened:
    """Where episodes open: at a score above the threshold after CALM_READINGS scores that are not above it."""
    above = np.flatnonzero(scores > threshold)
    above = above[above >= HISTORY]
    first = np.diff(above, prepend=-(10**9)) > CALM_READINGS
    found: Opened = above[first].tolist()
    return found


def at_false_rate(series: Sequence[LabelledSeries], scores: Sequence[Float64Array]) -> Result:
    """The result at the threshold that opens FALSE_A_MONTH false episodes a series a month."""
    every = np.concatenate([each[HISTORY:] for each in scores])
    low, high = 0, len(every) - 1
    ordered = np.sort(every)
    while low < high:  # fewer false episodes with a higher threshold
        middle = (low + high) // 2
        result = evaluate(series, [openings(each, ordered[middle]) for each in scores])
        if result.false <= FALSE_A_MONTH:
            high = middle
        else:
            low = middle + 1
    return evaluate(series, [openings(each, ordered[low]) for each in scores])


def detector_openings(
    series: Sequence[LabelledSeries], forecasts: Sequence[StepForecasts], settings: DetectorSettings
) -> list[Opened]:
    """Where the detector opens episodes."""
    found = []
    for labelled, each in zip(series, forecasts, strict=True):
        detection = detect(labelled.values, each.near, each.far, settings)
        found.append([int(episode.start) for episode in detection.episodes])
    return found


def windowed_gaussian(series: LabelledSeries, forecasts: StepForecasts) -> Float64Array:
    """Distance of a reading from the mean of the readings before it, in their standard deviations."""
    values = series.values
    sums, squares = np.concatenate([[0.0], values.cumsum()]), np.concatenate([[0.0], (values**2).cumsum()])
    at = np.arange(len(values))
    begin = np.maximum(0, at - WINDOW)
    count = np.maximum(1, at - begin)
    mean = (sums[at] - sums[begin]) / count
    variance = np.maximum(0.0, (squares[at] - squares[begin]) / count - mean**2)
    return np.asarray(np.abs(values - mean) / (np.sqrt(variance) + 1e-12))


def band_sigma(series: LabelledSeries, forecasts: StepForecasts) -> Float64Array:
    """Error of the one-step forecast, in standard deviations that its 80 % band implies."""
    median, low, high = forecasts.near.T
    sigma = np.maximum(high - low, 0.0) / 2.563 + 1e-9 * np.abs(median) + 1e-12
    return np.asarray(np.nan_to_num(np.abs(series.values - median) / sigma))


def seasonal_z(series: LabelledSeries, forecasts: StepForecasts) -> Float64Array:
    """Distance from the reading one season before, in standard deviations of the last WINDOW such distances.

    The season is that of SEASONS with the smallest distances in the first QUIET readings.
    """
    values = series.values
    season = min(
        SEASONS, key=lambda steps: float(np.abs(values[steps:QUIET] - values[: QUIET - steps]).mean())
    )
    distance = np.zeros(len(values))
    distance[season:] = values[season:] - values[:-season]
    shifted = LabelledSeries(series.name, distance, distance, ())
    return windowed_gaussian(shifted, forecasts)


# Each returns the score of each reading, (readings,): the higher, the more unusual.
BASELINES: dict[str, Callable[[LabelledSeries, StepForecasts], Float64Array]] = {
    "windowed Gaussian": windowed_gaussian,
    "sigma of the band": band_sigma,
    "seasonal z-score": seasonal_z,
}


def results(series: Sequence[LabelledSeries], model: LocalModel) -> dict[str, Result]:
    """The result of each method."""
    forecasts = [step_forecasts(model, each.values) for each in series]
    found: dict[str, Result] = {}
    readings = sum(len(each.values) for each in series)
    for alpha in ALPHAS:
        began_s = time.process_time()
        opened = detector_openings(series, forecasts, DetectorSettings(alpha))
        spent_s = time.process_time() - began_s
        print(f"alpha {alpha}: {readings / spent_s:,.0f} readings a CPU second", file=sys.stderr, flush=True)
        result = evaluate(series, opened)
        if alpha == DEFAULT_ALPHA:
            found["fncast, default alpha"] = result
        found["fncast"] = result
        if result.false <= FALSE_A_MONTH:
            break
    for name, baseline in BASELINES.items():
        scores = [baseline(labelled, each) for labelled, each in zip(series, forecasts, strict=True)]
        found[name] = at_false_rate(series, scores)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", type=Path, metavar="DIR", help="default: the base model")
    parser.add_argument("--series", type=positive_integer, default=SERIES, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    return run_to_exit_code("anomaly", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    """Measure and print the result. Returns the exit code. Raises Failure."""
    base = arguments.models is None
    model = open_model(
        base_models.FOLDER if base else arguments.models, base_models.BASE if base else "forecast"
    )
    found = results(labelled_series(arguments.series, arguments.seed), model)
    if arguments.json:
        print(json.dumps({name: vars(result) for name, result in found.items()}, indent=2))
        return 0
    kinds = list(next(iter(found.values())).by_kind)
    width = max(map(len, found))
    print(f"{'':{width}}  recall  delay  false a month  " + "  ".join(kinds))
    for name, result in found.items():
        each = "  ".join(f"{result.by_kind[kind]:{len(kind)}.2f}" for kind in kinds)
        print(f"{name:{width}}  {result.recall:6.3f}  {result.delay:5.1f}  {result.false:13.2f}  {each}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
