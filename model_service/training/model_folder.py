"""Finds and reads the versions of a model: model.json, the settings of the training, the SavedModel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.window import Float32Array
from model_service.serving.version_folder import (
    DOCUMENT_FILE,
    NAME_RULE,
    RETIRED_FILE,
    is_model_name,
    is_version_number,
)
from model_service.training.backend import tf
from model_service.training.settings import QUANTILES, TrainingSettings

WEIGHTS_FILE = "network.weights.h5"


class InvalidModelFolder(ValueError):
    """The name, folder or a file of a model is invalid. The text says which one and why."""


def check_name(name: str) -> None:
    """Check the name of a model. Raises InvalidModelFolder."""
    if not is_model_name(name):
        raise InvalidModelFolder(f"{name!r} is not a model name: {NAME_RULE}")


def versions(models: Path, name: str) -> list[int]:
    """The version numbers of a model, ascending: the folders that the model service would load."""
    try:
        entries = [entry for entry in (models / name).iterdir() if is_version_number(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(entry.name) for entry in entries if entry.is_dir())


def find_version(models: Path, name: str, wanted: int | None = None) -> Path:
    """The folder of the wanted version, or of the latest that is not retired. Raises InvalidModelFolder."""
    check_name(name)
    numbers = versions(models, name)
    if not numbers:
        raise InvalidModelFolder(
            f"{models / name}: contains no version of a model; train one with `fncast train`"
        )
    if wanted is not None and wanted not in numbers:
        raise InvalidModelFolder(
            f"{models / name}: no version {wanted}; there are {', '.join(map(str, numbers))}"
        )
    if wanted is not None:
        return models / name / str(wanted)
    in_service = [number for number in numbers if not (models / name / str(number) / RETIRED_FILE).exists()]
    if not in_service:
        raise InvalidModelFolder(f"{models / name}: every version is retired; name one with --version")
    return models / name / str(in_service[-1])


def read_model_json(folder: Path) -> dict[str, Any]:
    """The content of model.json. Raises InvalidModelFolder."""
    path = folder / DOCUMENT_FILE
    try:
        description = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidModelFolder(f"{path}: file not found; is {folder} a version of a model?") from None
    except (OSError, ValueError) as error:
        raise InvalidModelFolder(f"{path}: cannot be read: {error}") from None
    if not isinstance(description, dict):
        raise InvalidModelFolder(f"{path}: is not a JSON object")
    return description


def object_in(described: dict[str, Any], name: str) -> dict[str, Any]:
    """A member of a model.json; empty if it is not an object, because the file may be written by hand."""
    member = described.get(name)
    return member if isinstance(member, dict) else {}


def load_scorer(folder: Path, window: int, horizon: int) -> Callable[[Float32Array], Float32Array]:
    """Load the SavedModel: a function from windows (batch, window) to forecasts (batch, horizon, 3), both float32.

    Raises InvalidModelFolder if it cannot be loaded or has other shapes.
    """
    try:
        loaded = tf.saved_model.load(str(folder))
        score = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidModelFolder(f"{folder}: cannot be loaded as a SavedModel: {error}") from None

    def run(windows: Float32Array) -> Float32Array:
        assert loaded is not None  # keeps the model alive, which the signature needs
        return np.asarray(score(windows=tf.constant(windows))["forecast"])

    expected = (1, horizon, len(QUANTILES))
    try:
        returned = run(np.arange(window, dtype=np.float32)[np.newaxis]).shape
    except (TypeError, KeyError, ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidModelFolder(
            f"{folder}: does not accept a window of {window} readings: {reason}"
        ) from None
    if returned != expected:
        raise InvalidModelFolder(f"{folder}: returns the shape {list(returned)}, not {list(expected)}")
    return run


def settings_of(folder: Path) -> TrainingSettings:
    """The settings that a version was trained with. Raises InvalidModelFolder."""
    settings = object_in(object_in(read_model_json(folder), "training"), "settings")
    if not settings:
        raise InvalidModelFolder(f"{folder}/model.json: has no training settings, so fncast did not train it")
    try:
        return TrainingSettings(**{**settings, "seasons": tuple(settings.get("seasons", ()))})
    except (TypeError, ValueError) as error:
        raise InvalidModelFolder(f"{folder}/model.json: training settings: {error}") from None
