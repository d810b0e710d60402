"""Measures the quality of forecasts: the model beside naive and classical methods, in one run.

`make quality`, or
`python -m benchmarks.quality.forecast [--data DIR] [--only nab,taxi,air,base] [--models DIR] [--no-classical]`.
docs/evaluation.md describes the protocol. The data come from the Numenta Anomaly Benchmark, in DIR/nab (or
$FNCAST_DATA/nab); AirPassengers comes with statsforecast. A missing data set is skipped with the reason, and the exit
code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality import base_model
from benchmarks.quality.figures import goals
from benchmarks.quality.public import TEST_SHARE, Absent, nab_files, passengers, taxi_file, zero_shot
from benchmarks.quality.target import Target, summary
from fncast.cli.evaluation.classical import add_classical, default_cache
from fncast.cli.main import main as fncast
from fncast.failure import Failure
from fncast.series.csv.file import read_csv
from fncast.series.time_series import TimeSeries
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.evaluation.evaluation import MODEL, Evaluation, add_base_model, add_model, prepare
from model_service.training.evaluation.report import overall_table, series_table
from model_service.training.model_folder import find_version, load_scorer

NAB_BAND = (0.76, 0.84)  # the goal for the coverage of the 80 % band


def nab(folder: Path, models: Path, classical: bool) -> Target:
    """Evaluate 19 series of 5 minutes: horizon 12, geometric mean of MAE relative to the last value's."""
    files = nab_files(folder)
    started_s = time.monotonic()
    _train(models, "nab", files, "--window", "48", "--horizon", "12")
    series = [found for path in files for found in read_csv(path)]
    evaluation = _evaluate(models, "nab", series, classical)
    print(series_table(evaluation))
    return _target(
        "NAB, 19 series", "relative_mae", evaluation, started_s, goal=0.62, share_goal=0.91, band=NAB_BAND
    )


def taxi(folder: Path, models: Path, classical: bool) -> Target:
    """Evaluate NYC taxi rides of 30 minutes: horizon 48, MASE with the season of a day."""
    file = taxi_file(folder)
    started_s = time.monotonic()
    _train(models, "taxi", [file], "--window", "672", "--horizon", "48")
    evaluation = _evaluate(models, "taxi", read_csv(file), classical)
    return _target("NYC taxi", "mase", evaluation, started_s, goal=0.85, share_goal=0.86)


def air(folder: Path, models: Path, classical: bool) -> Target:
    """Evaluate AirPassengers with a model that was trained on generated series: horizon 12, the last 25 origins."""
    series, share = passengers()
    started_s = time.monotonic()
    _train(models, "generated", [])
    evaluation = _evaluate(models, "generated", [series], classical, share, stride=1, seasons=(12,))
    return _target("AirPassengers", "mase", evaluation, started_s, goal=0.60, share_goal=0.97)


def _train(models: Path, name: str, files: Sequence[Path], *flags: str) -> None:
    command = [
        "train",
        *map(str, files),
        "--models",
        str(models),
        "--name",
        name,
        "--no-refit",
        *flags,
    ]
    print(f"\n$ fncast {' '.join(command)}", file=sys.stderr)
    if fncast(command) != 0:
        raise Failure(f"training {name} failed")


def _evaluate(
    models: Path,
    name: str,
    series: Sequence[TimeSeries],
    classical: bool,
    share: float = TEST_SHARE,
    stride: int | None = None,
    seasons: tuple[int, ...] | None = None,
) -> Evaluation:
    folder = find_version(models, name)
    details = json.loads((folder / "model.json").read_text())
    lengths = details["training"]["settings"] if "sizes" in details else details
    evaluation = prepare(
        series, lengths["window"], lengths["horizon"], test_share=share, stride=stride, seasons=seasons
    )
    if "sizes" in details:
        add_base_model(evaluation, BaseForecaster(folder))
    else:
        add_model(evaluation, load_scorer(folder, details["window"], details["horizon"]))
    print(f"{name}: the version is {details.get('choice', {}).get('chosen', 'scratch')}")
    if classical:
        add_classical(evaluation, default_cache())
    print(f"\n{name}: {evaluation.origins} origins, {len(evaluation.series)} series")
    print(overall_table(evaluation))
    for method, names in evaluation.incomplete.items():
        print(f"left out: {method}, which failed on {', '.join(names)}")
    return evaluation


def _target(
    data: str,
    measure: str,
    evaluation: Evaluation,
    started_s: float,
    *,
    goal: float,
    share_goal: float,
    band: tuple[float, float] | None = None,
) -> Target:
    """The goals of a data set beside its result. measure: a key of `Evaluation.overall`. Others: see `Target`."""
    values = {method: evaluation.overall(method)[measure] for method in evaluation.methods}
    known = {method: value for method, value in values.items() if value is not None}
    model = known.pop(MODEL)
    coverage = evaluation.overall(MODEL)["coverage"]
    return Target(data, measure, goal, share_goal, model, known, coverage, time.monotonic() - started_s, band)


DATA_SETS = {"nab": nab, "taxi": taxi, "air": air}
BASE = "base"  # the base model on generated series: tables without a Target
BASE_SERIES = 60


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.quality.forecast", description=__doc__)
    data = os.environ.get("FNCAST_DATA")
    parser.add_argument(
        "--data", type=Path, default=Path(data) if data else None, help="default: $FNCAST_DATA"
    )
    parser.add_argument(
        "--only",
        default=",".join([*DATA_SETS, BASE]),
        help="data sets, separated by commas (default: %(default)s)",
    )
    parser.add_argument(
        "--models", type=Path, help="folder that keeps the models (default: a temporary folder)"
    )
    parser.add_argument(
        "--no-classical", action="store_true", help="leave out the classical methods, which take minutes"
    )
    arguments = parser.parse_args(argv)
    chosen = arguments.only.split(",")
    for name in chosen:
        if name not in (*DATA_SETS, BASE):
            parser.error(f"{name!r} is not one of {', '.join([*DATA_SETS, BASE])}")
    targets, skipped = [], False
    with tempfile.TemporaryDirectory() as scratch:
        for name in chosen:
            if name == BASE:
                tables, figures = base_model.report(BASE_SERIES, not arguments.no_classical)
                public, of_public, absent = zero_shot(arguments.data, not arguments.no_classical)
                for why in absent:
                    print(f"the base model on public series: {why}", file=sys.stderr)
                    skipped = True
                print(f"\n{tables}\n\n{public}\n\n{goals([*figures, *of_public])}")
                continue
            try:
                models = arguments.models or Path(scratch)
                targets.append(DATA_SETS[name](arguments.data, models, not arguments.no_classical))
            except (Absent, Failure) as error:
                print(f"{name} is skipped: {error}", file=sys.stderr)
                skipped = True
    if targets:
        print("\n" + summary(targets))
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
