"""`fncast train`: trains a model and writes it as the next version."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fncast.cli.arguments.models_folder import models_folder
from fncast.cli.arguments.season import add_season_argument
from fncast.cli.arguments.series_files import add_files_argument, add_reading_arguments, read_series
from fncast.cli.output.messages import listed, say
from fncast.cli.training.settings import AUTO
from fncast.failure import Failure

if TYPE_CHECKING:
    from fncast.series.time_series import TimeSeries

EXAMPLES = """
fncast train --models models
fncast train your.csv --models models --window auto --horizon 24
fncast train your.csv --models models --from-version 1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_files_argument(parser, nargs="*")
    parser.add_argument(
        "--models", type=models_folder, required=True, metavar="DIR", help="folder of models to write to"
    )
    parser.add_argument("--name", default="forecast", help="name of the model (default: %(default)s)")
    _add_data_arguments(parser)
    _add_network_arguments(parser)
    _add_choice_arguments(parser)
    parser.add_argument(
        "--progress",
        choices=("text", "json"),
        default="text",
        help="json: also print one object for each epoch on stdout (default: %(default)s)",
    )
    add_reading_arguments(parser)


def _add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags for windows and horizon, and for the parts of the series."""
    parser.add_argument(
        "--window",
        type=_window_flag,
        metavar="READINGS|auto",
        help="readings in a window; each event must have as many; auto: the seasons that are"
        " found decide (default: 48, or that of --from-version)",
    )
    parser.add_argument(
        "--horizon",
        type=int,
        metavar="READINGS",
        help="readings in a forecast (default: 12, or that of --from-version)",
    )
    add_season_argument(parser, default="found in the data")
    parser.add_argument(
        "--test-share",
        type=float,
        metavar="SHARE",
        help="share of each series, at its end, that is used for the evaluation and not for training, from 0 to 0.9;"
        " 0: no evaluation (default: 0.3, or that of --from-version)",
    )


def _add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags for the network that is trained from scratch, and for its training."""
    parser.add_argument(
        "--units",
        type=int,
        metavar="N",
        help="hidden units of the network (default: 64, or that of --from-version)",
    )
    parser.add_argument(
        "--cell",
        choices=("gru", "lstm", "rnn"),
        help="kind of recurrent cell (default: gru, or that of --from-version)",
    )
    parser.add_argument(
        "--learning-rate",
        type=float,
        default=0.002,
        metavar="RATE",
        help="learning rate of the first step; it falls until the last epoch (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs", type=int, default=20, metavar="N", help="maximum number of epochs (default: %(default)s)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="equal seeds give equal weights (default: %(default)s)",
    )


def _add_choice_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags for what training starts from, and for which model is written."""
    parser.add_argument(
        "--from-version", type=int, metavar="N", help="start from the weights of this version of the model"
    )
    parser.add_argument(
        "--fine-tune",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="train the base model further on these readings. The best of three on the validation part becomes the"
        " version: the fine-tuned model, the base model, and a network trained from scratch (default: --fine-tune;"
        " never without a file)",
    )
    parser.add_argument(
        "--keep-trained",
        action="store_true",
        help="only train a network from scratch, and write it even if the base model is better",
    )
    parser.add_argument(
        "--refit",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="after the evaluation, train a little further on its readings too, and calibrate the band on the last"
        " tenth (default: --refit; never without an evaluation or a file)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train a model and write it as the next version. Returns the exit code. Raises Failure."""
    # Read the files before importing TensorFlow, so that a wrong file is reported at once.
    series = read_series(arguments) if arguments.csv else []
    _check_constant(series)
    from fncast.cli.training.run import TrainingRun
    from model_service.training.dataset import TooLittleData
    from model_service.training.model_folder import InvalidModelFolder, check_name
    from model_service.training.settings import InvalidSettings
    from model_service.training.version_writer import check_writable

    try:
        check_name(arguments.name)
        check_writable(arguments.models, arguments.name)
        TrainingRun(arguments, series).run()
        return 0
    except (InvalidSettings, InvalidModelFolder) as error:
        raise Failure(str(error)) from None
    except TooLittleData as error:
        raise Failure(f"{error}; pass more readings, or a smaller --window or --horizon") from None


def _check_constant(series: Sequence[TimeSeries]) -> None:
    """Print the series whose readings are all equal. Raises Failure if there are no others."""
    constant = [each for each in series if np.nanmin(each.values) == np.nanmax(each.values)]
    if not constant:
        return
    value = f"{np.nanmin(constant[0].values):g}"
    if len(constant) < len(series):
        say(f"not used in training, since all readings are equal: {listed([each.name for each in constant])}")
        return
    raise Failure(
        f"{listed([each.name for each in constant])}: all readings are constant ({value}); a model needs readings"
        " that change. Pass another file, or name another column with --value-column"
    )


def _window_flag(text: str) -> int | str:
    if text == AUTO:
        return AUTO
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of readings nor {AUTO!r}") from None
