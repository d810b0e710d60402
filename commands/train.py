"""`fncast train`: train a model and write it as the next version."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.interrupt import PutOffInterrupt
from commands.series_files import add_csv_arguments, read_series, tell_filled
from fncast import Failure

if TYPE_CHECKING:
    from model_service.training.evaluation import Evaluation
    from model_service.training.settings import TrainingSettings
    from model_service.training.trainer import Epoch, Trained
    from series.series import Series

BAR_WIDTH = 20
# The longest window that is chosen unasked: two weeks of half hours.
MAX_FOUND_WINDOW = 700
# What is trained on holds a chosen window so often, laid side by side.
LEAST_WINDOWS = 4
# Generated series that the closing evaluation looks at; more change its second digit.
EVALUATED_GENERATED_SERIES = 300
AUTO = "auto"  # for --window
# Beside the model, in its version's folder.
PLOTS = "plots"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_csv_arguments(parser)
    parser.add_argument("--models", type=Path, required=True, metavar="DIR", help="folder of models")
    parser.add_argument("--name", default="forecast", help="name of the model (default: %(default)s)")
    parser.add_argument(
        "--window",
        type=_window_flag,
        metavar="READINGS|auto",
        help="readings that the model sees, as many as an event has to bring; auto: two of the longest season found"
        " (default: 48, or that of --from-version)",
    )
    parser.add_argument(
        "--horizon", type=int, help="readings that it forecasts (default: 12, or that of --from-version)"
    )
    parser.add_argument("--units", type=int, help="hidden units (default: 64)")
    parser.add_argument(
        "--cell", choices=("gru", "lstm", "rnn"), help="kind of recurrent cell (default: gru)"
    )
    parser.add_argument("--learning-rate", type=float, default=0.002, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=20, help="at most so many (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="equal seeds give equal weights (default: %(default)s)"
    )
    parser.add_argument(
        "--season",
        type=int,
        action="append",
        metavar="STEPS",
        help="length of a season in readings; may be repeated; 0: none (default: found in the data)",
    )
    parser.add_argument(
        "--test-share",
        type=float,
        metavar="SHARE",
        help="last part of each series that training never sees, for the evaluation (default: 0.3, or that of"
        " --from-version)",
    )
    parser.add_argument(
        "--from-version", type=int, metavar="N", help="go on from the weights of this version of the model"
    )
    parser.add_argument(
        "--progress",
        choices=("text", "json"),
        default="text",
        help="json: one object an epoch on stdout (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    # Reading comes before TensorFlow: a wrong file is told at once.
    series = read_series(arguments) if arguments.csv else []
    from model_service.training.dataset import TooLittleData
    from model_service.training.model_folder import InvalidModelFolder, check_name, check_writable
    from model_service.training.settings import InvalidSettings

    try:
        check_name(arguments.name)
        check_writable(arguments.models, arguments.name)
        return _train(arguments, series)
    except (InvalidSettings, InvalidModelFolder) as error:
        raise Failure(str(error)) from None
    except TooLittleData as error:
        raise Failure(f"{error}; give more readings, or a smaller --window or --horizon") from None


def _train(arguments: argparse.Namespace, series: list[Series]) -> int:
    from model_service.training.generator import generate, generated_size
    from model_service.training.model_folder import (
        WEIGHTS_FILE,
        add_metrics,
        find_version,
        settings_of,
        write_version,
    )
    from model_service.training.settings import TrainingSettings

    initial = None
    settings = TrainingSettings()
    if arguments.from_version is not None:
        initial = find_version(arguments.models, arguments.name, arguments.from_version)
        settings = settings_of(initial)
    settings = _with_flags(settings, arguments, fixed=initial is not None)
    if series:
        source: dict[str, Any] = {"files": [path.name for path in arguments.csv]}
        if initial is None:
            settings = replace(settings, seasons=_seasons(arguments, series, settings))
            if arguments.window in (None, AUTO):
                settings = replace(settings, window=_window(series, settings, arguments.window))
        tell_filled(series, settings.window)
    else:
        count, length = generated_size(settings.window, settings.horizon)
        longest = max(4, settings.window // 2)
        series = generate(count, length, longest, settings.seed)
        source = {"generated": {"count": count, "length": length, "longest_season": longest}}
        _say(f"no CSV given: training on {count} generated series of {length} readings")
    if initial is not None:
        source["from_version"] = arguments.from_version

    from model_service.training.plots import save_backtest_plots, save_training_plot
    from model_service.training.provenance import describe, test_metrics
    from model_service.training.trainer import NoEpoch, UnfitWeights, train

    evaluation = folder = None
    # The evaluation takes a while, and the model does not depend on it: what is cut off here is not lost.
    try:
        with PutOffInterrupt("calibrating and writing the version, which takes some seconds") as interrupt:
            weights = initial / WEIGHTS_FILE if initial else None
            trained = train(series, settings, _progress(arguments.progress), weights, interrupt.begin)
            _say(_ending(trained))
            if trained.bridged_windows:
                bridged = f"{trained.bridged_windows} of {trained.train_windows} windows"
                _say(f"gaps were bridged in {bridged}, as in service")
            folder, written = write_version(
                trained.network,
                settings,
                arguments.models,
                arguments.name,
                describe(trained, series, source),
                lambda unnamed: save_training_plot(trained.history, unnamed / PLOTS),
            )
        evaluation = _evaluate(series, trained, source)
    except UnfitWeights as error:
        raise Failure(f"{error}; train without --from-version") from None
    except NoEpoch:
        raise Failure("interrupted before the first epoch was over: nothing is written") from None
    except KeyboardInterrupt:
        if folder is None:
            raise Failure("interrupted: nothing is written") from None
        _say(f"interrupted: {folder} is written, without an evaluation")
    if evaluation is not None and evaluation.series:
        written = add_metrics(folder, test_metrics(evaluation))
        save_backtest_plots(evaluation, folder / PLOTS)
    _print_result(arguments.progress, folder, written, evaluation, arguments.from_version)
    return 0


def _with_flags(settings: TrainingSettings, arguments: argparse.Namespace, fixed: bool) -> TrainingSettings:
    """The settings with the flags that were given. What shapes the weights is fixed by a version gone on from."""
    shape = {
        name: getattr(arguments, name)
        for name in ("window", "horizon", "units", "cell")
        if getattr(arguments, name) not in (None, AUTO)
    }
    for name, value in shape.items():
        if fixed and getattr(settings, name) != value:
            raise Failure(
                f"--{name} {value} does not fit version {arguments.from_version}, which has"
                f" {getattr(settings, name)}; leave the flag out, or train without --from-version"
            )
    if any(season < 0 for season in arguments.season or ()):
        raise Failure("--season is a number of readings, or 0 for none")
    if fixed and (arguments.season is not None or arguments.window == AUTO):
        flag = "--season" if arguments.season is not None else "--window auto"
        raise Failure(
            f"{flag} does not go with --from-version: the window and the seasons are that version's"
        )
    if not fixed:
        shape["seasons"] = tuple(sorted({season for season in arguments.season or () if season > 1}))
    return replace(
        settings,
        **shape,
        learning_rate=arguments.learning_rate,
        epochs=arguments.epochs,
        seed=arguments.seed,
        test_share=settings.test_share if arguments.test_share is None else arguments.test_share,
    )


def _seasons(
    arguments: argparse.Namespace, series: Sequence[Series], settings: TrainingSettings
) -> tuple[int, ...]:
    """The given seasons, else those that half of the series have before their test part."""
    from model_service.training.dataset import split
    from model_service.training.season import common_seasons, find_seasons

    if arguments.season is not None:
        return settings.seasons
    before = [split(len(one), settings.test_share, 0.0).validation for one in series]
    found = common_seasons(
        [find_seasons(one.values[:end], one.step) for one, end in zip(series, before, strict=True)]
    )
    if found:
        _say(f"season: {' and '.join(map(str, found))} steps")
    else:
        _say("no season common to the series; each window is searched for short ones")
    return found


def _window_flag(text: str) -> int | str:
    if text == AUTO:
        return AUTO
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of readings nor {AUTO!r}") from None


def _window(series: Sequence[Series], settings: TrainingSettings, asked: str | None) -> int:
    """The window that fits the seasons where it is `asked` for; else it is told of, since events would have to bring
    as many readings.

    Two of the longest season, or one and a short one where readings are few; seven of the only one (a week of days), or
    two; the default where there is no season, or where the readings to train on hold too few such windows."""
    from model_service.training.dataset import split

    if not settings.seasons:
        return settings.window
    train = max(split(len(one), settings.test_share, settings.validation_share).train for one in series)
    shortest, longest = settings.seasons[0], settings.seasons[-1]
    wished = [7 * shortest, 2 * shortest]
    if longest > shortest:
        wished = [2 * longest, longest + shortest, 2 * shortest]
    for window in wished:
        if window <= min(MAX_FOUND_WINDOW, train // LEAST_WINDOWS) and window > settings.window:
            if asked == AUTO:
                _say(f"window: {window} readings; as many have to be sent: fncast produce --window {window}")
                return window
            _say(
                f"the window of {settings.window} readings is short for these seasons: --window auto takes {window}"
                f" and forecasts better; as many have to be sent then: fncast produce --window {window}"
            )
            break
    return settings.window


def _progress(kind: str) -> Callable[[Epoch], None]:
    def tell(epoch: Epoch) -> None:
        done = "#" * round(BAR_WIDTH * epoch.epoch / epoch.epochs)
        _say(
            f"epoch {epoch.epoch:3}/{epoch.epochs} [{done:<{BAR_WIDTH}}] error {epoch.train_error:.4f}"
            f"  validation {epoch.validation_error:.4f} (last value {epoch.naive_error:.4f})"
            f"  {epoch.seconds:.1f} s"
        )
        if kind == "json":
            print(json.dumps(asdict(epoch)), flush=True)

    return tell


def _ending(trained: Trained) -> str:
    best = f"the weights of epoch {trained.best_epoch} are kept"
    if trained.best_epoch == 0:
        best = "no epoch was better than the version it started from: its weights are kept"
    if trained.stopped == "interrupted":
        return f"interrupted: {best}"
    if trained.stopped == "early":
        return f"stopped early, the validation error falls no more: {best}"
    return f"finished: {best}"


def _evaluate(series: Sequence[Series], trained: Trained, source: dict[str, Any]) -> Evaluation | None:
    from model_service.training.evaluation import add_model, prepare
    from model_service.training.trainer import predict

    settings = trained.settings
    if settings.test_share == 0:
        _say("no evaluation: --test-share 0 leaves nothing to test on")
        return None
    evaluated = series[:EVALUATED_GENERATED_SERIES] if "generated" in source else series
    evaluation = prepare(evaluated, settings.window, settings.horizon, test_share=settings.test_share)
    add_model(evaluation, lambda windows: predict(trained.network, windows))
    return evaluation


def _print_result(
    kind: str, folder: Path, written: dict[str, Any], evaluation: Evaluation | None, from_version: int | None
) -> None:
    if kind == "json":
        print(
            json.dumps(
                {
                    "model": written["name"],
                    "version": written["version"],
                    "path": str(folder),
                    "metrics": written["metrics"],
                }
            ),
            flush=True,
        )
        return
    if evaluation is not None and evaluation.series:
        from model_service.training.report import overall_table

        seen = "never trained on" if from_version is None else f"not trained on since version {from_version}"
        print(f"\nTest: {evaluation.origins} forecasts, {len(evaluation.series)} series, {seen}\n")
        print(overall_table(evaluation))
        print()
    print(folder)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
