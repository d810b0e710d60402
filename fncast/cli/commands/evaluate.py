"""`fncast evaluate`: backtests a model and compares it with naive and classical methods."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fncast import models as base_models
from fncast.cli.arguments.models_folder import models_folder
from fncast.cli.arguments.series_files import add_csv_arguments, read_series, report_filled_gaps
from fncast.cli.output.progress import Progress
from fncast.failure import Failure
from fncast.series.rfc3339 import format_time

if TYPE_CHECKING:
    from model_service.training.evaluation import Evaluation

# Generated series that are evaluated if no CSV file is given.
GENERATED_SERIES = 300
SHOWN_SERIES = 3  # names of series in a message

# The base model sees up to 512 readings before an origin; an origin needs this many.
BASE_WINDOW, BASE_HORIZON, LONGEST_HORIZON = 48, 12, 96

EXAMPLES = """
fncast evaluate your.csv
fncast evaluate --models models
fncast evaluate your.csv --models models --plots plots
fncast evaluate your.csv --models models --version 2 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_csv_arguments(parser)
    parser.add_argument(
        "--models", type=models_folder, metavar="DIR", help="folder of models (default: the base model)"
    )
    parser.add_argument("--name", default="forecast", help="name of the model (default: %(default)s)")
    parser.add_argument("--version", type=int, metavar="N", help="default: the latest")
    parser.add_argument(
        "--test-share",
        type=float,
        metavar="SHARE",
        help="last part of each series to forecast (default: as the model was trained)",
    )
    parser.add_argument(
        "--horizon",
        type=int,
        metavar="STEPS",
        help=f"steps to forecast with the base model, at most {LONGEST_HORIZON} (default: {BASE_HORIZON})",
    )
    parser.add_argument(
        "--stride",
        type=int,
        metavar="STEPS",
        help="steps from one forecast to the next (default: the horizon)",
    )
    parser.add_argument(
        "--season",
        type=int,
        action="append",
        metavar="STEPS",
        help="length of a season in readings; may be repeated; 0: none (default: found in each series)",
    )
    parser.add_argument(
        "--classical", action="store_true", help="also the classical methods of statsforecast (takes minutes)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder that keeps the results of classical methods for the next run",
    )
    parser.add_argument("--workers", type=int, help="processes for classical methods (default: one a core)")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write the plots there, as PNG and SVG")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")


def run(arguments: argparse.Namespace) -> int:
    series = read_series(arguments)
    if arguments.stride is not None and arguments.stride < 1:
        raise Failure(f"--stride is {arguments.stride}; it must be at least 1")
    if arguments.test_share is not None and not 0 < arguments.test_share <= 0.9:
        raise Failure(f"--test-share is {arguments.test_share}; it must be above 0 and at most 0.9")
    if arguments.workers is not None and arguments.workers < 1:
        raise Failure(f"--workers is {arguments.workers}; it must be at least 1")
    from model_service.serving.runtimes.runtime import UnusableModel
    from model_service.training.base.forecaster import BaseForecaster
    from model_service.training.evaluation import MODEL, add_base_model, add_model, prepare
    from model_service.training.generator import generate, generated_size
    from model_service.training.model_folder import (
        InvalidModelFolder,
        find_version,
        load_scorer,
        object_in,
        read_model_json,
    )

    try:
        is_base = arguments.models is None
        if is_base:
            folder = find_version(base_models.FOLDER, base_models.BASE, arguments.version)
            described = read_model_json(folder)
            window, horizon = BASE_WINDOW, _base_horizon(arguments)
        else:
            folder = find_version(arguments.models, arguments.name, arguments.version)
            described = read_model_json(folder)
            is_sized = "sizes" in described  # of any window: a copy of the base model, or fine-tuned
            sized = object_in(object_in(described, "training"), "settings") if is_sized else described
            window, horizon = _steps(sized, "window", folder), _steps(sized, "horizon", folder)
            if arguments.horizon not in (None, horizon):
                raise Failure(f"--horizon is for the base model; {folder} forecasts {horizon} steps")
        trained = object_in(object_in(described, "training"), "settings")
        test_share = arguments.test_share or trained.get("test_share") or 0.3
        if not series:
            count, length = generated_size(window, horizon)
            longest, seed = max(4, window // 2), int(trained.get("seed", 0))
            series = generate(count, length, longest, seed)[:GENERATED_SERIES]
            _say(f"no CSV given: evaluating on the test part of {len(series)} generated series")
        report_filled_gaps(series, window)
        if any(season < 0 for season in arguments.season or ()):
            raise Failure("--season must be a number of readings, or 0 for none")
        seasons = None if arguments.season is None else tuple(s for s in arguments.season if s > 1)
        evaluation = prepare(
            series, window, horizon, test_share=test_share, stride=arguments.stride, seasons=seasons
        )
        if not evaluation.series:
            raise Failure("; ".join(f"{name}: {why}" for name, why in list(evaluation.left_out.items())[:3]))
        _warn_about_training_data(evaluation, folder)
        _warn_about_long_seasons(evaluation)
        if is_base:
            forecaster = BaseForecaster(folder)
            for each in evaluation.series:
                backtest = each.backtest
                each.add(MODEL, forecaster.at_origins(backtest.series.values, backtest.at.tolist(), horizon))
        elif is_sized:
            add_base_model(evaluation, BaseForecaster(folder))
        else:
            add_model(evaluation, load_scorer(folder, window, horizon))
    except (InvalidModelFolder, UnusableModel) as error:
        raise Failure(str(error)) from None
    if arguments.plots:  # fail before the classical methods, which take minutes
        try:
            arguments.plots.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(f"--plots {arguments.plots}: cannot be created: {error.strerror}") from None
    if arguments.classical:
        add_classical(evaluation, arguments.cache or default_cache(), arguments.workers)
    if arguments.plots:
        from model_service.training.plots import save_backtest_plots

        save_backtest_plots(evaluation, arguments.plots)
        _say(f"plots: {arguments.plots}")
    _print(evaluation, described, folder, as_json=arguments.json)
    return 0


def _base_horizon(arguments: argparse.Namespace) -> int:
    horizon: int = BASE_HORIZON if arguments.horizon is None else arguments.horizon
    if not 1 <= horizon <= LONGEST_HORIZON:
        raise Failure(f"--horizon is {horizon}; it must be between 1 and {LONGEST_HORIZON}")
    return horizon


def _steps(described: dict[str, Any], name: str, folder: Path) -> int:
    value = described.get(name)
    if type(value) is not int or value < 1:
        raise Failure(
            f"{folder}/model.json: has no positive integer {name!r}; evaluate a model that fncast trained"
        )
    return value


def _warn_about_training_data(evaluation: Evaluation, folder: Path) -> None:
    """Print a warning for each series whose test part the model was trained or validated on."""
    from model_service.training.lineage import Lineage

    lineage = Lineage(folder)
    for each in evaluation.series:
        begin = each.backtest.series.time(int(each.backtest.at[0]))
        until = lineage.until(each.backtest.series)
        if until is not None and begin < until:
            _say(
                f"{each.name}: the forecasts begin at {format_time(begin)}, but the model was trained on the readings"
                f" until {format_time(until)}: its real errors are larger"
            )


def _warn_about_long_seasons(evaluation: Evaluation) -> None:
    """Print a warning for the series whose season is longer than the window: the model cannot see it."""
    long = {
        each.name: each.seasons[-1] for each in evaluation.series if each.seasons[-1:] > (evaluation.window,)
    }
    if long:
        shown = ", ".join(f"{name} ({season})" for name, season in list(long.items())[:SHOWN_SERIES])
        more = f" and {len(long) - SHOWN_SERIES} more" if len(long) > SHOWN_SERIES else ""
        _say(
            f"the season is longer than the model's window of {evaluation.window} readings: {shown}{more};"
            " train with --window auto for a window that holds it"
        )


def add_classical(evaluation: Evaluation, cache: Path, workers: int | None = None) -> None:
    """Add the forecasts of the classical methods, with progress and failed methods on stderr.

    cache: folder for their results. workers: number of processes, None for one a core. Raises Failure.
    """
    from importlib.util import find_spec

    if find_spec("statsforecast") is None:
        raise Failure(
            "classical methods need statsforecast: pip install '.[evaluation]' in fncast's repository"
        )
    from model_service.training.classical import METHODS, tasks
    from model_service.training.classical_runs import run_all

    wanted = tasks([(each.backtest, each.seasons) for each in evaluation.series])
    by_name = {each.name: each for each in evaluation.series}
    progress = Progress("classical methods", "forecasts")
    results = list(run_all(wanted, cache, workers or os.cpu_count() or 1, progress))
    results.sort(key=lambda result: METHODS.index(result[0].method))  # the order of the tables
    for task, forecast in results:
        if isinstance(forecast, str):
            _say(f"{task.method} on {task.name} failed: {forecast}")
        else:
            by_name[task.name].add(task.method, forecast)
    for each in evaluation.series:  # without a season, MSTL is its trend method alone
        for method, trend in (("MSTL", "AutoETS"), ("MSTL+ARIMA", "AutoARIMA")):
            if not each.seasons and trend in each.scores:
                each.add(method, each.forecasts[trend])


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fncast"


def _print(evaluation: Evaluation, described: dict[str, Any], folder: Path, as_json: bool) -> None:
    if as_json:
        model = {"name": described.get("name"), "version": described.get("version"), "path": str(folder)}
        print(json.dumps({"model": model, **evaluation.as_json()}))
        return
    from model_service.training.report import overall_table, series_tables

    for name, why in evaluation.left_out.items():
        _say(f"left out: {name}: {why}")
    for method, names in evaluation.incomplete.items():
        _say(f"left out: {method}: it failed on {', '.join(names[:SHOWN_SERIES])}")
    print(
        f"{described.get('name')} version {described.get('version')}: {evaluation.origins} forecasts of"
        f" {evaluation.horizon} steps from {evaluation.window} readings, every {evaluation.stride} steps\n"
    )
    print(series_tables(evaluation) + "\n")
    print("Overall (geometric mean of relative MAE, mean of the others):")
    print(overall_table(evaluation))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
