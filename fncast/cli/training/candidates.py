"""The models among which `fncast train` chooses: the base model, a fine-tuned one, and one trained from scratch."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fncast.cli.output.messages import listed, say
from fncast.cli.process.interrupt import DeferInterrupt
from fncast.cli.training.progress import PLOTS, ending, progress
from fncast.cli.training.start import Start, base_model
from fncast.series.time_series import TimeSeries
from fncast.series.window import Float64Array
from model_service.training.base.copy import copy_base
from model_service.training.base.fine_tune import FineTuned, fine_tune, fitting_size
from model_service.training.base.folder import weights_file
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.base.tuned_folder import write_fine_tuned
from model_service.training.evaluation.plots import save_training_plot
from model_service.training.model_folder import (
    WEIGHTS_FILE,
    read_model_json,
)
from model_service.training.provenance import choice_of, describe, describe_copy
from model_service.training.refit import Refit
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Trained, pinball
from model_service.training.trainer import MAX_VALIDATION_WINDOWS, NoEpoch, train, validation_set
from model_service.training.version_writer import write_version

# What the candidates are called in messages and in model.json.
BASE, TUNED, SCRATCH = "base", "fine-tuned", "scratch"


@dataclass(frozen=True)
class Choice:
    """The chosen model.

    trained: None for the base model as it is. base: the base model, if it was a candidate. last_trained: the model that
    was trained last, also if it was not chosen. errors: on the validation part, by candidate.
    """

    trained: Trained | None
    base: BaseForecaster | None
    last_trained: Trained
    errors: dict[str, float]

    @property
    def settings(self) -> TrainingSettings:
        """The settings of the training that is described in model.json."""
        return (self.trained or self.last_trained).settings

    @property
    def can_refit(self) -> bool:
        """Whether there are readings for a refit, and training has helped and was not interrupted."""
        trained = self.trained
        if trained is None or trained.settings.test_share == 0:
            return False
        return trained.best_epoch > 0 and trained.stopped != "interrupted"


class TrainingCandidates:
    """Trains the candidates, chooses by their errors on the validation part, and writes the chosen one."""

    def __init__(
        self,
        series: Sequence[TimeSeries],
        settings: TrainingSettings,
        source: dict[str, Any],
        start: Start,
        arguments: argparse.Namespace,
    ) -> None:
        self._series, self._settings, self._source = series, settings, source
        self._start, self._arguments = start, arguments
        is_compared = "generated" not in source and not arguments.keep_trained
        self._base = base_model(settings) if is_compared else None

    def choose(self, companions: Sequence[Float64Array], closing: Callable[[], None]) -> Choice:
        """Train the candidates, and choose the one with the smallest error on the validation part.

        companions: generated series for the training from scratch. closing: called before the last steps.
        Raises TooLittleData, UnfitWeights, NoEpoch; KeyboardInterrupt only before there is a result.
        """
        tuned = scratch = None
        has_tuned = self._start.is_fine_tuned or (
            self._base is not None and self._start.folder is None and self._arguments.fine_tune
        )
        if has_tuned:
            tuned = self._fine_tune()
        if not self._start.is_fine_tuned and (tuned is None or tuned.stopped != "interrupted"):
            try:
                scratch = self._train_from_scratch(companions, closing)
            except NoEpoch:
                if tuned is None:
                    raise
                say("interrupted: the training from scratch is left out")
        closing()
        errors = {}
        if self._base is not None:
            errors[BASE] = self._base_error()
        if tuned is not None and tuned.final_error is not None:
            errors[TUNED] = tuned.final_error
        if scratch is not None and scratch.final_error is not None:
            errors[SCRATCH] = scratch.final_error
        best = min(errors, key=lambda name: errors[name])
        if len(errors) > 1:
            others = ", ".join(f"{name} {error:.4f}" for name, error in errors.items())
            say(f"errors on the validation part: {others}; the version is {_MEANING[best]}")
        trained = {BASE: None, TUNED: tuned, SCRATCH: scratch}[best]
        last_trained = scratch if scratch is not None else tuned
        assert last_trained is not None
        self._report(trained or last_trained)
        return Choice(trained, self._base, last_trained, errors)

    def write(self, choice: Choice, refitted: Refit | None) -> tuple[Path, dict[str, Any]]:
        """Write the chosen model as the next version. Returns its folder, and the content of its model.json."""
        models, name, trained = self._arguments.models, self._arguments.name, choice.trained
        written = trained or choice.last_trained
        described = describe(written, self._series, self._source)
        if len(choice.errors) > 1:
            described["choice"] = choice_of(choice.errors)
        if refitted:
            described["refit"] = refitted.as_json()

        def add_files(unnamed: Path) -> None:
            save_training_plot(written.history, unnamed / PLOTS)
            if refitted:
                refitted.save_before(written, unnamed)

        if trained is None:
            assert choice.base is not None
            described, compared = describe_copy(written, described, choice.errors[BASE])
            horizon = written.settings.horizon
            return copy_base(choice.base.folder, models, name, horizon, described, compared, add_files)
        if isinstance(trained, FineTuned):
            return write_fine_tuned(trained, self._origin(), models, name, described, add_files)
        return write_version(trained.network, trained.settings, models, name, described, add_files)

    def _origin(self) -> dict[str, Any]:
        """The name and the version of the model that was fine-tuned, for model.json."""
        folder = self._start.folder or (self._base.folder if self._base else None)
        assert folder is not None
        described = read_model_json(folder)
        return {"name": described.get("name"), "version": described.get("version")}

    def _fine_tune(self) -> FineTuned:
        size = fitting_size(self._settings)
        assert size is not None
        folder = self._start.folder or (self._base.folder if self._base else None)
        assert folder is not None
        say(f"fine-tuning: training the base model of {size.window} readings further")
        tuned = None
        try:
            with DeferInterrupt() as interrupt:
                tuned = fine_tune(
                    self._series,
                    self._settings,
                    size,
                    folder / weights_file(size),
                    progress(self._arguments.progress, TUNED),
                    interrupt.begin,
                )
        except NoEpoch:
            raise
        except KeyboardInterrupt:
            if tuned is None:
                raise
            tuned.stopped = "interrupted"
        say(ending(tuned))
        return tuned

    def _train_from_scratch(self, companions: Sequence[Float64Array], closing: Callable[[], None]) -> Trained:
        if companions:
            say(
                f"training from scratch uses {len(companions)} generated series first, and then these together with"
                " the given series"
            )
        trained = train(
            self._series,
            self._settings,
            progress(self._arguments.progress, SCRATCH),
            self._start.folder / WEIGHTS_FILE if self._start.folder else None,
            companions,
            closing,
        )
        say(ending(trained))
        return trained

    def _base_error(self) -> float:
        """The error of the base model on the validation part."""
        assert self._base is not None
        held_out = validation_set(self._series, self._settings).spread(MAX_VALIDATION_WINDOWS)
        windows = held_out.windows.astype("float64")
        forecast = self._base.compared(windows, self._settings.horizon, is_limited=False)
        return pinball(forecast, held_out)

    def _report(self, trained: Trained) -> None:
        """Print how gaps and short series were used."""
        if trained.bridged_windows:
            bridged = f"{trained.bridged_windows} of {trained.train_windows} windows"
            say(f"gaps were bridged in {bridged}, as for events")
        if trained.untrained and "generated" not in self._source:
            say(
                "not used in training, since they are too short, constant or full of gaps:"
                f" {listed(trained.untrained)}"
            )


_MEANING = {
    BASE: "a copy of the base model",
    TUNED: "the fine-tuned base model",
    SCRATCH: "the network trained from scratch",
}
