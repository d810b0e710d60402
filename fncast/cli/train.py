"""`fncast train`: trains a model and writes it as the next version."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fncast.cli.interrupt import DeferInterrupt
from fncast.cli.models_folder import models_folder
from fncast.cli.series_files import add_csv_arguments, read_series, report_filled_gaps
from fncast.cli.training_progress import ending, progress, say
from fncast.cli.training_settings import AUTO, seasons_of, window_for, with_flags
from fncast.failure import Failure
from fncast.series.window import LEAST_HISTORY

if TYPE_CHECKING:
    from fncast.series.series import Series
    from model_service.training.base.forecaster import BaseForecaster
    from model_service.training.dataset import Float64Array
    from model_service.training.evaluation import Evaluation
    from model_service.training.settings import TrainingSettings
    from model_service.training.trainer import Trained

# Generated series in the evaluation at the end; more would change the result little.
EVALUATED_GENERATED_SERIES = 300
SHOWN_SERIES = 3  # names of series in a message
# The folder of plots, in the folder of the version.
PLOTS = "plots"
WRITING = "calibrating and writing the version, which takes some seconds"

EXAMPLES = """
fncast train --models models
fncast train your.csv --models models --window auto --horizon 24
fncast train your.csv --models models --from-version 1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_csv_arguments(parser)
    parser.add_argument("--models", type=models_folder, required=True, metavar="DIR", help="folder of models")
    parser.add_argument("--name", default="forecast", help="name of the model (default: %(default)s)")
    parser.add_argument(
        "--window",
        type=_window_flag,
        metavar="READINGS|auto",
        help="readings in a window; each event must have as many; auto: two of the longest season found"
        " (default: 48, or that of --from-version)",
    )
    parser.add_argument(
        "--horizon", type=int, help="readings in a forecast (default: 12, or that of --from-version)"
    )
    parser.add_argument("--units", type=int, help="hidden units (default: 64)")
    parser.add_argument(
        "--cell", choices=("gru", "lstm", "rnn"), help="kind of recurrent cell (default: gru)"
    )
    parser.add_argument("--learning-rate", type=float, default=0.002, help="default: %(default)s")
    parser.add_argument(
        "--epochs", type=int, default=20, help="maximum number of epochs (default: %(default)s)"
    )
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
        help="last part of each series, which is used for the evaluation and not for training (default: 0.3, or that"
        " of --from-version)",
    )
    parser.add_argument(
        "--from-version", type=int, metavar="N", help="start from the weights of this version of the model"
    )
    parser.add_argument(
        "--keep-trained",
        action="store_true",
        help="write the trained model also where the base model is better on the validation part (default: the version"
        " is a copy of the base model then)",
    )
    parser.add_argument(
        "--refit",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="after the evaluation, train a little further on all readings, those of the evaluation too (default:"
        " --refit; never without an evaluation or a CSV file)",
    )
    parser.add_argument(
        "--progress",
        choices=("text", "json"),
        default="text",
        help="json: print one object for each epoch on stdout (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    # Read the files before importing TensorFlow, so that a wrong file is reported at once.
    series = read_series(arguments) if arguments.csv else []
    _check_constant(series)
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
        raise Failure(f"{error}; pass more readings, or a smaller --window or --horizon") from None


def _check_constant(series: Sequence[Series]) -> None:
    """Print the series whose readings are all equal. Raises Failure if there are no others."""
    constant = [one for one in series if np.nanmin(one.values) == np.nanmax(one.values)]
    if not constant:
        return
    value = f"{np.nanmin(constant[0].values):g}"
    if len(constant) < len(series):
        say(f"not used in training, since all readings are equal: {_listed([one.name for one in constant])}")
        return
    raise Failure(
        f"{_listed([one.name for one in constant])}: all readings are constant ({value}); a model needs readings"
        " that change. Pass another file, or name another column with --value-column"
    )


def _train(arguments: argparse.Namespace, series: list[Series]) -> int:
    from model_service.training.base.copy import COPIED, copy_base
    from model_service.training.curriculum import companions
    from model_service.training.generator import generate, generated_size
    from model_service.training.model_folder import (
        WEIGHTS_FILE,
        add_metrics,
        find_version,
        read_model_json,
        settings_of,
        write_version,
    )
    from model_service.training.settings import TrainingSettings

    initial = None
    beside: list[Float64Array] = []
    settings = TrainingSettings()
    if arguments.from_version is not None:
        initial = find_version(arguments.models, arguments.name, arguments.from_version)
        settings = settings_of(initial)
        if COPIED in read_model_json(initial):
            raise Failure(
                f"{initial} is a copy of the base model, which has no weights to start from; train without"
                " --from-version"
            )
    settings = with_flags(settings, arguments, fixed=initial is not None)
    if series:
        source: dict[str, Any] = {"files": [path.name for path in arguments.csv]}
        if initial is None:
            settings = replace(settings, seasons=seasons_of(arguments, series, settings))
            if arguments.window in (None, AUTO):
                settings = replace(settings, window=window_for(series, settings, arguments.window))
            beside = companions(settings)
            source["generated_beside"] = len(beside)
            say(f"training uses {len(beside)} generated series first, and then together with the given ones")
        report_filled_gaps(series, settings.window)
    else:
        count, length = generated_size(settings.window, settings.horizon)
        longest = max(4, settings.window // 2)
        series = generate(count, length, longest, settings.seed)
        source = {"generated": {"count": count, "length": length, "longest_season": longest}}
        say(f"no CSV given: training on {count} generated series of {length} readings")
    if initial is not None:
        source["from_version"] = arguments.from_version

    from model_service.training.plots import save_backtest_plots, save_training_plot
    from model_service.training.provenance import describe, of_the_copy, test_metrics
    from model_service.training.refit import Refit, refit
    from model_service.training.trainer import NoEpoch, UnfitWeights, train

    evaluation = folder = trained = refitted = None
    is_interrupted = False

    def write(refitted: Refit | None) -> tuple[Path, dict[str, Any]]:
        assert trained is not None
        described = describe(trained, series, source)
        if refitted:
            described["refit"] = refitted.as_json()

        def add_files(unnamed: Path) -> None:
            save_training_plot(trained.history, unnamed / PLOTS)
            if refitted:
                refitted.save_before(trained.network, unnamed)

        if base:
            described, compared = of_the_copy(trained, described)
            return copy_base(
                base.folder,
                arguments.models,
                arguments.name,
                settings.horizon,
                described,
                compared,
                add_files,
            )
        return write_version(
            trained.network, settings, arguments.models, arguments.name, described, add_files
        )

    # If the evaluation or the refit is interrupted, the model is not lost.
    try:
        with DeferInterrupt(WRITING) as interrupt:
            weights = initial / WEIGHTS_FILE if initial else None
            base = None if "generated" in source else _base_model(settings)
            trained = train(
                series,
                settings,
                progress(arguments.progress),
                weights,
                beside,
                interrupt.begin,
                None if base is None else _on_scaled(base, settings.horizon),
            )
            say(ending(trained))
            if not _is_base_better(trained, arguments.keep_trained):
                base = None
            if trained.bridged_windows:
                bridged = f"{trained.bridged_windows} of {trained.train_windows} windows"
                say(f"gaps were bridged in {bridged}, as for events")
            if trained.untrained and "generated" not in source:
                say(
                    "not used in training, since they are too short, constant or full of gaps:"
                    f" {_listed(trained.untrained)}"
                )
            will_refit = (
                arguments.refit and base is None and "generated" not in source and _can_refit(trained)
            )
            if not will_refit:
                folder, written = write(None)
        evaluation = _evaluate(series, trained, source, base)
        if will_refit:
            say("refit: training further on all readings")
            refitted = refit(trained, series)
    except UnfitWeights as error:
        raise Failure(f"{error}; train without --from-version") from None
    except NoEpoch:
        raise Failure("interrupted before the end of the first epoch: no version was written") from None
    except KeyboardInterrupt:
        if trained is None:
            raise Failure("interrupted: no version was written") from None
        is_interrupted = True
    if folder is None:
        with contextlib.suppress(KeyboardInterrupt), DeferInterrupt(WRITING) as interrupt:
            interrupt.begin()
            folder, written = write(refitted)
    assert folder is not None
    if is_interrupted:
        say(f"interrupted: {folder} was written, without {'a refit' if evaluation else 'an evaluation'}")
    if refitted:
        say(
            f"refit on all readings: {_count(refitted.epochs, 'more epoch')}, {refitted.windows} windows; the errors"
            " that are printed and stored are those before it (--no-refit leaves it out)"
        )
    if evaluation is not None and evaluation.left_out:
        say(f"not evaluated, since they have too few readings: {_listed(list(evaluation.left_out))}")
    if evaluation is not None and evaluation.series:
        written = add_metrics(folder, test_metrics(evaluation))
        save_backtest_plots(evaluation, folder / PLOTS)
    _print_result(arguments.progress, folder, written, evaluation, arguments.from_version)
    return 0


def _can_refit(trained: Trained) -> bool:
    """Whether there are readings for a refit, and training has helped and was not interrupted."""
    return trained.settings.test_share > 0 and trained.best_epoch > 0 and trained.stopped != "interrupted"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _base_model(settings: TrainingSettings) -> BaseForecaster | None:
    """The base model; None if it cannot stand in for the trained model, which is printed."""
    from fncast import models as base_models
    from model_service.serving.runtimes.runtime import UnusableModel
    from model_service.training.base.forecaster import BaseForecaster
    from model_service.training.model_folder import InvalidModelFolder, find_version

    try:
        base = BaseForecaster(find_version(base_models.FOLDER, base_models.BASE))
    except (InvalidModelFolder, UnusableModel) as error:
        say(f"no comparison with the base model: {error}")
        return None
    if settings.horizon > base.horizon:
        say(
            f"no comparison with the base model, which forecasts at most {base.horizon} steps: the trained model is"
            " written"
        )
        return None
    if settings.window < LEAST_HISTORY:
        say(
            f"no comparison with the base model, which needs {LEAST_HISTORY} readings: the trained model is written"
        )
        return None
    return base


def _on_scaled(base: BaseForecaster, horizon: int) -> Callable[[Any], Any]:
    """The base model as a forecaster of scaled windows."""
    return lambda windows: base.compared(windows.astype(np.float64), horizon, is_limited=False)


def _is_base_better(trained: Trained, keep_trained: bool) -> bool:
    """Whether the version is to be the base model. Prints the comparison on the validation part."""
    mine, base = trained.final_error, trained.rival_error
    if mine is None or base is None:
        return False
    if base >= mine:
        say(f"better than the base model on the validation part: {mine:.4f}, the base model {base:.4f}")
        return False
    better = f"the base model is better on the validation part: {base:.4f}, the trained model {mine:.4f}"
    if keep_trained:
        say(f"{better}; the trained model is written, because of --keep-trained")
    else:
        say(f"{better}; so this version is a copy of the base model (--keep-trained writes the trained one)")
    return not keep_trained


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_SERIES} more" if len(names) > SHOWN_SERIES else ""
    return ", ".join(names[:SHOWN_SERIES]) + more


def _window_flag(text: str) -> int | str:
    if text == AUTO:
        return AUTO
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of readings nor {AUTO!r}") from None


def _evaluate(
    series: Sequence[Series], trained: Trained, source: dict[str, Any], base: BaseForecaster | None
) -> Evaluation | None:
    """Evaluate the version on the test parts. base: the version is a copy of this base model."""
    from model_service.training.evaluation import add_base_model, add_model, prepare
    from model_service.training.trainer import predict

    settings = trained.settings
    if settings.test_share == 0:
        say("no evaluation: --test-share 0 leaves no readings for it")
        return None
    evaluated = series[:EVALUATED_GENERATED_SERIES] if "generated" in source else series
    evaluation = prepare(evaluated, settings.window, settings.horizon, test_share=settings.test_share)
    if base:
        add_base_model(evaluation, base)
    else:
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

        unused = "not used in training"
        if from_version is not None:
            unused += f" since version {from_version}"
        if "refit" in written:
            unused += " before the refit"
        print(f"\nTest: {evaluation.origins} forecasts, {len(evaluation.series)} series, {unused}\n")
        print(overall_table(evaluation))
        print()
    print(folder)
