"""The model that `fncast evaluate` tests: the base model, or a version that fncast trained."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fncast import models as base_models
from fncast.cli.evaluation.horizon import base_horizon
from fncast.cli.process.native_output import without_info_lines
from fncast.failure import Failure
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.base.shape import SIZES
from model_service.training.evaluation.evaluation import MODEL, Evaluation, add_base_model, add_model
from model_service.training.model_folder import find_version, load_scorer, object_in, read_model_json

# The evaluation of the base model begins once a series has this many readings. A forecast uses up to 512, if there are
# more.
BASE_WINDOW = 48


@dataclass(frozen=True)
class EvaluatedModel:
    """A version of a model. described: the content of its model.json. window, horizon: in steps.

    is_base: whether it is the base model. has_base_network: whether it is a copy of the base model or fine-tuned from
    it, so that it accepts windows of any length.
    """

    folder: Path
    described: dict[str, Any]
    window: int
    horizon: int
    is_base: bool = False
    has_base_network: bool = False

    @property
    def trained(self) -> dict[str, Any]:
        """The settings that it was trained with."""
        return _settings(self.described)

    @property
    def longest_window(self) -> int:
        """The most readings that a forecast uses."""
        return max(size.window for size in SIZES) if self.is_base else self.window

    def add_forecasts(self, evaluation: Evaluation) -> None:
        """Add its forecasts of each series. Raises InvalidModelFolder, UnusableModel."""
        if self.is_base:
            forecaster = _base_forecaster(self.folder)
            for each in evaluation.series:
                values, origins = each.backtest.series.values, each.backtest.at.tolist()
                each.add(MODEL, forecaster.at_origins(values, origins, self.horizon))
        elif self.has_base_network:
            add_base_model(evaluation, _base_forecaster(self.folder))
        else:
            add_model(evaluation, load_scorer(self.folder, self.window, self.horizon))


def _base_forecaster(folder: Path) -> BaseForecaster:
    with without_info_lines():
        return BaseForecaster(folder)


def find_model(arguments: argparse.Namespace) -> EvaluatedModel:
    """The model that the flags name. Raises Failure, InvalidModelFolder."""
    if arguments.models is None:
        folder = find_version(base_models.FOLDER, base_models.BASE, arguments.version)
        described, horizon = read_model_json(folder), base_horizon(arguments.horizon)
        return EvaluatedModel(folder, described, BASE_WINDOW, horizon, is_base=True)
    folder = find_version(arguments.models, arguments.name, arguments.version)
    described = read_model_json(folder)
    has_base_network = "sizes" in described
    sized = _settings(described) if has_base_network else described
    window, horizon = _steps(sized, "window", folder), _steps(sized, "horizon", folder)
    if arguments.horizon not in (None, horizon):
        raise Failure(f"--horizon is for the base model; {folder} forecasts {horizon} steps")
    return EvaluatedModel(folder, described, window, horizon, has_base_network=has_base_network)


def _settings(described: dict[str, Any]) -> dict[str, Any]:
    return object_in(object_in(described, "training"), "settings")


def _steps(described: dict[str, Any], name: str, folder: Path) -> int:
    value = described.get(name)
    if type(value) is not int or value < 1:
        raise Failure(
            f"{folder}/model.json: has no positive integer {name!r}; evaluate a model that fncast trained"
        )
    return value
