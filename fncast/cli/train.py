"""`fncast train`: trains a model and writes it as the next version."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fncast.cli.interrupt import DeferInterrupt
from fncast.cli.models_folder import models_folder
from fncast.cli.series_files import add_csv_arguments, read_series, report_filled_gaps
from fncast.cli.training_progress import PLOTS, listed, say
from fncast.cli.training_settings import AUTO, seasons_of, window_for, with_flags
from fncast.failure import Failure

if TYPE_CHECKING:
    from fncast.cli.training_candidates import Choice
    from fncast.series.series import Series
    from model_service.training.dataset import Float64Array
    from model_service.training.evaluation import Evaluation

# Generated series in the evaluation at the end; more would change the result little.
EVALUATED_GENERATED_SERIES = 300
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
        "--fine-tune",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="train the base model further on these readings; of the result, the base model itself and a network"
        " trained from scratch, the best on the validation part becomes the version (default: --fine-tune; never"
        " without a CSV file)",
    )
    parser.add_argument(
        "--keep-trained",
        action="store_true",
        help="only train a network from scratch, and write it also where the base model is better",
    )
    parser.add_argument(
        "--refit",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="after the evaluation, train a little further on its readings too, and calibrate the band on the last"
        " tenth (default: --refit; never without an evaluation or a CSV file)",
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
    from model_service.training.model_folder import InvalidModelFolder, check_name
    from model_service.training.settings import InvalidSettings
    from model_service.training.version_writer import check_writable

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
        say(f"not used in training, since all readings are equal: {listed([one.name for one in constant])}")
        return
    raise Failure(
        f"{listed([one.name for one in constant])}: all readings are constant ({value}); a model needs readings"
        " that change. Pass another file, or name another column with --value-column"
    )


def _train(arguments: argparse.Namespace, series: list[Series]) -> int:
    from fncast.cli.training_candidates import Candidates, Start
    from model_service.training.curriculum import companions
    from model_service.training.generator import generate, generated_size
    from model_service.training.settings import TrainingSettings
    from model_service.training.version_writer import add_metrics

    start = Start.of(arguments.models, arguments.name, arguments.from_version)
    settings = with_flags(start.settings or TrainingSettings(), arguments, fixed=start.settings is not None)
    beside: list[Float64Array] = []
    if series:
        source: dict[str, Any] = {"files": [path.name for path in arguments.csv]}
        if start.settings is None:
            settings = replace(settings, seasons=seasons_of(arguments, series, settings))
            if arguments.window in (None, AUTO):
                settings = replace(settings, window=window_for(series, settings, arguments.window))
            beside = companions(settings)
            source["generated_beside"] = len(beside)
        report_filled_gaps(series, settings.window)
    else:
        count, length = generated_size(settings.window, settings.horizon)
        longest = max(4, settings.window // 2)
        series = generate(count, length, longest, settings.seed)
        source = {"generated": {"count": count, "length": length, "longest_season": longest}}
        say(f"no CSV given: training on {count} generated series of {length} readings")
    if start.settings is not None:
        source["from_version"] = arguments.from_version

    from model_service.training.plots import save_backtest_plots
    from model_service.training.provenance import test_metrics
    from model_service.training.refit import refit
    from model_service.training.trainer import NoEpoch, UnfitWeights

    candidates = Candidates(series, settings, source, start, arguments)
    evaluation = folder = choice = refitted = None
    is_interrupted = will_refit = False
    # If the evaluation or the refit is interrupted, the model is not lost.
    try:
        with DeferInterrupt(WRITING) as interrupt:
            choice = candidates.choose(beside, interrupt.begin)
            will_refit = arguments.refit and "generated" not in source and choice.can_refit
            if not will_refit:
                folder, written = candidates.write(choice, None)
        evaluation = _evaluate(series, choice, source)
        if will_refit:
            say("refit: training further on the newer readings too")
            assert choice.trained is not None
            refitted = refit(choice.trained, series)
    except UnfitWeights as error:
        raise Failure(f"{error}; train without --from-version") from None
    except NoEpoch:
        raise Failure("interrupted before the end of the first epoch: no version was written") from None
    except KeyboardInterrupt:
        if choice is None:
            raise Failure("interrupted: no version was written") from None
        is_interrupted = True
    if folder is None:
        assert choice is not None
        with contextlib.suppress(KeyboardInterrupt), DeferInterrupt(WRITING) as interrupt:
            interrupt.begin()
            folder, written = candidates.write(choice, refitted)
    assert folder is not None
    if is_interrupted:
        say(f"interrupted: {folder} was written, without {'a refit' if evaluation else 'an evaluation'}")
    if refitted:
        say(
            f"refit: {_count(refitted.epochs, 'more epoch')}, {refitted.windows} windows; the band was calibrated on"
            f" {_count(refitted.calibration_windows, 'window')} of the last part; the errors that are printed and"
            " stored are those before it (--no-refit leaves it out)"
        )
    if evaluation is not None and evaluation.left_out:
        say(f"not evaluated, since they have too few readings: {listed(list(evaluation.left_out))}")
    if evaluation is not None and evaluation.series:
        written = add_metrics(folder, test_metrics(evaluation))
        save_backtest_plots(evaluation, folder / PLOTS)
    _print_result(arguments.progress, folder, written, evaluation, arguments.from_version)
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _window_flag(text: str) -> int | str:
    if text == AUTO:
        return AUTO
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of readings nor {AUTO!r}") from None


def _evaluate(series: Sequence[Series], choice: Choice, source: dict[str, Any]) -> Evaluation | None:
    """Evaluate the chosen model on the test parts."""
    from model_service.training.evaluation import add_base_model, add_model, prepare

    settings = choice.settings
    if settings.test_share == 0:
        say("no evaluation: --test-share 0 leaves no readings for it")
        return None
    evaluated = series[:EVALUATED_GENERATED_SERIES] if "generated" in source else series
    evaluation = prepare(evaluated, settings.window, settings.horizon, test_share=settings.test_share)
    if choice.trained is None:
        assert choice.base is not None
        add_base_model(evaluation, choice.base)
    else:
        add_model(evaluation, choice.trained.forecast)
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
