"""`fncast evaluate`: backtests a model and compares it with naive and classical methods."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fncast.cli.arguments.models_folder import models_folder
from fncast.cli.arguments.season import add_season_argument, given_seasons
from fncast.cli.arguments.series_files import (
    add_files_argument,
    add_reading_arguments,
    read_series,
    report_filled_gaps,
)
from fncast.cli.evaluation.horizon import BASE_HORIZON, LONGEST_HORIZON
from fncast.cli.output.messages import say
from fncast.failure import Failure

if TYPE_CHECKING:
    from fncast.cli.evaluation.model import EvaluatedModel
    from fncast.series.time_series import TimeSeries
    from model_service.training.evaluation.evaluation import Evaluation

DEFAULT_TEST_SHARE = 0.3

EXAMPLES = """
fncast evaluate your.csv
fncast evaluate --models models
fncast evaluate your.csv --models models --plots plots
fncast evaluate your.csv --models models --version 2 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_files_argument(parser, nargs="*")
    parser.add_argument(
        "--models",
        type=models_folder,
        metavar="DIR",
        help="folder of models (default: the base model, which comes with fncast)",
    )
    parser.add_argument(
        "--name", default="forecast", help="name of the model in --models (default: %(default)s)"
    )
    parser.add_argument(
        "--version", type=int, metavar="N", help="version of the model (default: the newest in service)"
    )
    _add_backtest_arguments(parser)
    _add_classical_arguments(parser)
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="write plots to this folder, as PNG and SVG"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    add_reading_arguments(parser)


def _add_backtest_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say what is forecast, and how often."""
    parser.add_argument(
        "--test-share",
        type=float,
        metavar="SHARE",
        help="share of each series, at its end, that is forecast, above 0 and at most 0.9 (default: the share of the"
        " model's training, or 0.3)",
    )
    parser.add_argument(
        "--horizon",
        type=int,
        metavar="READINGS",
        help=f"readings to forecast with the base model, at most {LONGEST_HORIZON} (default: {BASE_HORIZON})",
    )
    parser.add_argument(
        "--stride",
        type=int,
        metavar="READINGS",
        help="readings from the start of one forecast to the start of the next (default: the horizon)",
    )
    add_season_argument(parser, default="found in each series")


def _add_classical_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags for the classical methods."""
    parser.add_argument(
        "--classical",
        action="store_true",
        help="also evaluate the classical methods of statsforecast, which takes minutes",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder that keeps the results of classical methods for the next run (default: fncast in the user's"
        " cache folder)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes for classical methods (default: one for each core)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the errors of the model and of the methods that it is compared with. Raises Failure."""
    series = read_series(arguments)
    _check(arguments)
    seasons = given_seasons(arguments)
    from fncast.cli.evaluation.classical import add_classical, default_cache
    from fncast.cli.evaluation.model import find_model
    from fncast.cli.evaluation.report import (
        print_evaluation,
        warn_about_long_seasons,
        warn_about_training_data,
    )
    from model_service.serving.runtimes.runtime import UnusableModel
    from model_service.training.model_folder import InvalidModelFolder

    try:
        model = find_model(arguments)
        evaluation = _prepare(series, model, arguments, seasons)
        warn_about_training_data(evaluation, model.folder)
        warn_about_long_seasons(evaluation, model.longest_window)
        model.add_forecasts(evaluation)
    except (InvalidModelFolder, UnusableModel) as error:
        raise Failure(str(error)) from None
    if arguments.plots:  # fail before the classical methods, which take minutes
        _create_folder(arguments.plots)
    if arguments.classical:
        add_classical(evaluation, arguments.cache or default_cache(), arguments.workers)
    if arguments.plots:
        from model_service.training.evaluation.plots import save_backtest_plots

        save_backtest_plots(evaluation, arguments.plots)
        say(f"plots: {arguments.plots}")
    print_evaluation(evaluation, model.described, model.folder, model.longest_window, as_json=arguments.json)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Check the ranges of the flags. Raises Failure."""
    if arguments.stride is not None and arguments.stride < 1:
        raise Failure(f"--stride is {arguments.stride}; it must be at least 1")
    if arguments.test_share is not None and not 0 < arguments.test_share <= 0.9:
        raise Failure(f"--test-share is {arguments.test_share}; it must be above 0 and at most 0.9")
    if arguments.workers is not None and arguments.workers < 1:
        raise Failure(f"--workers is {arguments.workers}; it must be at least 1")


def _prepare(
    series: list[TimeSeries],
    model: EvaluatedModel,
    arguments: argparse.Namespace,
    seasons: tuple[int, ...] | None,
) -> Evaluation:
    """The evaluation of the test parts, without forecasts. Generates series if there are none. Raises Failure.

    seasons: in steps; None to find them in each series.
    """
    from model_service.training.evaluation.evaluation import prepare

    test_share = arguments.test_share or model.trained.get("test_share") or DEFAULT_TEST_SHARE
    if not series:
        series = _generated(model)
        say(f"no CSV given: evaluating on the test part of {len(series)} generated series")
    report_filled_gaps(series, model.window)
    evaluation = prepare(
        series,
        model.window,
        model.horizon,
        test_share=test_share,
        stride=arguments.stride,
        seasons=seasons,
    )
    if not evaluation.series:
        raise Failure("; ".join(f"{name}: {why}" for name, why in list(evaluation.left_out.items())[:3]))
    return evaluation


def _generated(model: EvaluatedModel) -> list[TimeSeries]:
    """The first of the series that a model with this window and seed is trained on where no file is given."""
    from model_service.training.generated.generator import (
        EVALUATED_SERIES,
        generate,
        generated_size,
        longest_season,
    )

    count, length = generated_size(model.window, model.horizon)
    longest, seed = longest_season(model.window), int(model.trained.get("seed", 0))
    return generate(count, length, longest, seed)[:EVALUATED_SERIES]


def _create_folder(plots: Path) -> None:
    """Raises Failure."""
    try:
        plots.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"--plots {plots}: cannot be created: {error.strerror}") from None
