"""One run of `fncast train`: trains, evaluates and refits, writes the version, and prints the result."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import Any

from fncast.cli.output.messages import listed, say
from fncast.cli.process.interrupt import DeferInterrupt
from fncast.cli.training.candidates import Choice, TrainingCandidates
from fncast.cli.training.data import TrainingData, training_data
from fncast.cli.training.progress import PLOTS
from fncast.cli.training.start import Start
from fncast.failure import Failure
from fncast.series.time_series import TimeSeries
from fncast.wording.count import counted
from model_service.training.evaluation.evaluation import Evaluation, add_base_model, add_model, prepare
from model_service.training.evaluation.plots import save_backtest_plots
from model_service.training.evaluation.report import overall_table
from model_service.training.generated.generator import EVALUATED_SERIES
from model_service.training.provenance import test_metrics
from model_service.training.refit import Refit, refit
from model_service.training.trainer import NoEpoch, UnfitWeights
from model_service.training.version_writer import add_metrics

WRITING = "calibrating and writing the version, which takes some seconds"


class TrainingRun:
    """Trains, evaluates, refits and writes one version. Used once.

    If the evaluation or the refit is interrupted, the trained model is written without it.
    """

    def __init__(self, arguments: argparse.Namespace, series: list[TimeSeries]) -> None:
        """series: of the files; without any, generated ones are used.

        Raises Failure, InvalidModelFolder, InvalidSettings.
        """
        self._arguments = arguments
        start = Start.of(arguments.models, arguments.name, arguments.from_version)
        self._data = data = training_data(arguments, series, start)
        self._candidates = TrainingCandidates(data.series, data.settings, data.source, start, arguments)
        self._choice: Choice | None = None
        self._evaluation: Evaluation | None = None
        self._refitted: Refit | None = None
        self._written: tuple[Path, dict[str, Any]] | None = None

    def run(self) -> None:
        """Train, write the version and print the result. Raises Failure, TooLittleData, InvalidModelFolder."""
        is_interrupted = False
        try:
            self._train()
        except UnfitWeights as error:
            raise Failure(f"{error}; train without --from-version") from None
        except NoEpoch:
            raise Failure("interrupted before the end of the first epoch: no version was written") from None
        except KeyboardInterrupt:
            if self._choice is None:
                raise Failure("interrupted: no version was written") from None
            is_interrupted = True
        if self._written is None:
            assert self._choice is not None
            with contextlib.suppress(KeyboardInterrupt), DeferInterrupt(WRITING) as interrupt:
                interrupt.begin()
                self._written = self._candidates.write(self._choice, self._refitted)
        assert self._written is not None
        folder, written = self._written
        if is_interrupted:
            say(
                f"interrupted: {folder} was written, without {'a refit' if self._evaluation else 'an evaluation'}"
            )
        self._report(folder, written)

    def _train(self) -> None:
        """Choose a model, evaluate it and refit it. A model that is not refitted is written before the evaluation."""
        with DeferInterrupt(WRITING) as interrupt:
            self._choice = choice = self._candidates.choose(self._data.companions, interrupt.begin)
            will_refit = self._arguments.refit and not self._data.is_generated and choice.can_refit
            if not will_refit:
                self._written = self._candidates.write(choice, None)
        self._evaluation = evaluate(self._data, choice)
        if will_refit:
            say("refit: training further on the newer readings too")
            assert choice.trained is not None
            self._refitted = refit(choice.trained, self._data.series)

    def _report(self, folder: Path, written: dict[str, Any]) -> None:
        """Print the result, and store the errors and plots of the evaluation in the version."""
        if refitted := self._refitted:
            say(
                f"refit: {counted(refitted.epochs, 'more epoch')}, {counted(refitted.windows, 'window')}; the band was"
                f" calibrated on {counted(refitted.calibration_windows, 'window')} of the last part; the errors below"
                " are those of the model before the refit (--no-refit: no refit)"
            )
        evaluation = self._evaluation
        if evaluation is not None and evaluation.left_out:
            say(f"not evaluated, since they have too few readings: {listed(list(evaluation.left_out))}")
        if evaluation is not None and evaluation.series:
            written = add_metrics(folder, test_metrics(evaluation))
            save_backtest_plots(evaluation, folder / PLOTS)
        if self._arguments.progress == "json":
            result = {
                "model": written["name"],
                "version": written["version"],
                "path": str(folder),
                "metrics": written["metrics"],
            }
            print(json.dumps(result), flush=True)
            return
        if evaluation is not None and evaluation.series:
            print_evaluation(evaluation, self._arguments.from_version, has_refit="refit" in written)
        print(folder)


def evaluate(data: TrainingData, choice: Choice) -> Evaluation | None:
    """Evaluate the chosen model on the test parts. None without any."""
    settings = choice.settings
    if settings.test_share == 0:
        say("no evaluation: --test-share 0 leaves no readings for it")
        return None
    evaluated = data.series[:EVALUATED_SERIES] if data.is_generated else data.series
    evaluation = prepare(evaluated, settings.window, settings.horizon, test_share=settings.test_share)
    if choice.trained is None:
        assert choice.base is not None
        add_base_model(evaluation, choice.base)
    else:
        add_model(evaluation, choice.trained.forecast)
    return evaluation


def print_evaluation(evaluation: Evaluation, from_version: int | None, *, has_refit: bool) -> None:
    """Print the errors on the test parts. from_version: the version that training started from, if any."""
    unused = "not used in training"
    if from_version is not None:
        unused += f" since version {from_version}"
    if has_refit:
        unused += " before the refit"
    print(f"\nTest: {evaluation.origins} forecasts, {len(evaluation.series)} series, {unused}\n")
    print(overall_table(evaluation))
    print()
