"""Public series that are free to use, and the base model on them without training."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.quality.figures import Figure
from fncast import models as base_models
from fncast.cli.evaluation.classical import add_classical, default_cache
from fncast.series.csv.file import read_csv
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.evaluation.evaluation import MODEL, Evaluation, prepare
from model_service.training.evaluation.report import table
from model_service.training.model_folder import find_version

TEST_SHARE = 0.3
AIR_ORIGINS = 25
SHOWN_METHODS = ("last value", "seasonal naive", "AutoETS", "Theta")


class Absent(Exception):
    """A data set is not on this machine. The text says why."""


def _nab_folder(folder: Path | None) -> Path:
    if folder is None:
        raise Absent("there are no data: set FNCAST_DATA or --data to a folder that contains nab/*.csv")
    if not (folder / "nab").is_dir():
        raise Absent(f"the folder {folder / 'nab'} does not exist")
    return folder / "nab"


def nab_files(folder: Path | None) -> list[Path]:
    """The files of NAB's 19 series of 5 minutes. Raises Absent."""
    files = sorted(path for path in _nab_folder(folder).glob("*.csv") if path.stem != "nyc_taxi")
    if len(files) != 19:
        raise Absent(f"{folder}/nab holds {len(files)} series of 5 minutes, not 19")
    return files


def taxi_file(folder: Path | None) -> Path:
    """The file of NAB's taxi rides in New York. Raises Absent."""
    file = _nab_folder(folder) / "nyc_taxi.csv"
    if not file.is_file():
        raise Absent(f"the file {file} does not exist")
    return file


def passengers() -> tuple[TimeSeries, float]:
    """AirPassengers, and the share of it that is tested. Raises Absent."""
    try:
        from statsforecast.utils import AirPassengers
    except ModuleNotFoundError:
        raise Absent(
            "AirPassengers comes with statsforecast: pip install '.[evaluation]' in fncast's repository"
        ) from None
    values = np.asarray(AirPassengers, dtype=np.float64)
    first = len(values) - 12 - AIR_ORIGINS + 1
    series = TimeSeries("AirPassengers", datetime(1949, 1, 1, tzinfo=UTC), Step.calendar("P1M"), values)
    return series, (len(values) - first) / len(values)


def zero_shot(folder: Path | None, classical: bool) -> tuple[str, list[Figure], list[str]]:
    """The base model on the test parts of public series, which it is not trained on.

    Returns the table, the figures with a goal, and why series are left out.
    """
    rows, figures, absent = [], [], []
    sources: tuple[tuple[str, str, Callable[[], Evaluation]], ...] = (
        ("NAB, 19 series", "relative_mae", lambda: _nab(folder)),
        ("NYC taxi", "mase", lambda: _taxi(folder)),
        ("AirPassengers", "mase", _air),
    )
    for name, measure, found in sources:
        try:
            evaluation = found()
        except Absent as why:
            absent.append(str(why))
            continue
        forecaster = BaseForecaster(find_version(base_models.FOLDER, base_models.BASE))
        for series in evaluation.series:
            at = series.backtest.at.tolist()
            series.add(MODEL, forecaster.at_origins(series.backtest.series.values, at, evaluation.horizon))
        if classical:
            add_classical(evaluation, default_cache())
        base = evaluation.overall(MODEL)
        others = [
            evaluation.overall(method)[measure] if method in evaluation.methods else None
            for method in SHOWN_METHODS
        ]
        rows.append(
            [name, measure.replace("_", " "), *map(_shown, (base[measure], *others, base["coverage"]))]
        )
        error = base[measure]
        if measure == "relative_mae" and error is not None:
            figures.append(Figure("NAB, 19 series, without training: relative MAE", error, 0.64))
    title = "Public series, the base model without training"
    return (
        f"{title}\n\n" + table(["data", "measure", "base model", *SHOWN_METHODS, "80 % band"], rows),
        figures,
        absent,
    )


def _nab(folder: Path | None) -> Evaluation:
    series = [each for path in nab_files(folder) for each in read_csv(path)]
    return prepare(series, 48, 12, test_share=TEST_SHARE)


def _taxi(folder: Path | None) -> Evaluation:
    return prepare(read_csv(taxi_file(folder)), 672, 48, test_share=TEST_SHARE)


def _air() -> Evaluation:
    series, share = passengers()
    return prepare([series], 48, 12, test_share=share, stride=1, seasons=(12,))


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
