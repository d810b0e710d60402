"""What a training may start from: a version of the model, or the base model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fncast import models as base_models
from fncast.cli.output.messages import say
from fncast.cli.process.native_output import without_info_lines
from fncast.failure import Failure
from fncast.series.window import MIN_HISTORY
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.training.base.copy import COPIED
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.base.shape import SIZES
from model_service.training.base.tuned_folder import FINE_TUNED
from model_service.training.model_folder import (
    InvalidModelFolder,
    find_version,
    read_model_json,
    settings_of,
)
from model_service.training.settings import TrainingSettings

LONGEST = max(size.horizon for size in SIZES)


@dataclass(frozen=True)
class Start:
    """The version that training starts from, if any. settings: those of that version."""

    folder: Path | None = None
    settings: TrainingSettings | None = None
    described: dict[str, Any] | None = None

    @staticmethod
    def of(models: Path, name: str, version: int | None) -> Start:
        """Raises Failure, InvalidModelFolder."""
        if version is None:
            return Start()
        folder = find_version(models, name, version)
        settings, described = settings_of(folder), read_model_json(folder)
        if COPIED in described:
            raise Failure(
                f"{folder} is a copy of the base model, from which training begins anyway; train without"
                " --from-version"
            )
        return Start(folder, settings, described)

    @property
    def is_fine_tuned(self) -> bool:
        """Whether training starts from a fine-tuned base model."""
        return self.described is not None and FINE_TUNED in self.described


def base_model(settings: TrainingSettings) -> BaseForecaster | None:
    """The base model; None, and a printed reason, if it cannot replace the trained model."""
    try:
        with without_info_lines():
            base = BaseForecaster(find_version(base_models.FOLDER, base_models.BASE))
    except (InvalidModelFolder, UnusableModel) as error:
        say(f"no training from the base model: {error}")
        return None
    if settings.horizon > LONGEST:
        say(
            f"no training from the base model, which forecasts at most {LONGEST} steps: the network is trained from"
            " scratch"
        )
        return None
    if settings.window < MIN_HISTORY:
        say(
            f"no training from the base model, which needs {MIN_HISTORY} readings: the network is trained from"
            " scratch"
        )
        return None
    return base
