"""Writes a trained network as the next version of a model: SavedModel, LiteRT model, weights, model.json."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.serving.version_folder import (
    DOCUMENT_FILE,
    HASHES,
    RESERVED_NAMES,
    RETIRED_FILE,
    hashes_of,
    is_model_name,
)
from model_service.training.backend import tf
from model_service.training.settings import QUANTILES, TrainingSettings

LIBRARIES = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "fncast")
WEIGHTS_FILE = "network.weights.h5"


class InvalidModelFolder(ValueError):
    """A model's name, folder or file is not what it should be; the text says which and why."""


def check_name(name: str) -> None:
    """Raises InvalidModelFolder."""
    if not is_model_name(name):
        raise InvalidModelFolder(
            f"{name!r} cannot name a model: small letters, digits, _ and -, a letter first, at most 63, and none of"
            f" {', '.join(sorted(RESERVED_NAMES))}"
        )


def check_writable(models: Path, name: str) -> None:
    """Whether a version could be written there, told before an hour of training; makes nothing.

    Raises InvalidModelFolder."""
    home = models / name
    there = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise InvalidModelFolder(f"{home}: cannot be written: {there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidModelFolder(f"{home}: cannot be written: no right to write into {there}")


def versions(models: Path, name: str) -> list[int]:
    """The versions in the folder, ascending."""
    try:
        names = [entry.name for entry in (models / name).iterdir() if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(entry) for entry in names if entry.isascii() and entry.isdigit())


def find_version(models: Path, name: str, wanted: int | None = None) -> Path:
    """The folder of a version, the latest in service if none is wanted. Raises InvalidModelFolder."""
    check_name(name)
    there = versions(models, name)
    if not there:
        raise InvalidModelFolder(
            f"{models / name}: no version of a model there; train one with `fncast train`"
        )
    if wanted is not None and wanted not in there:
        raise InvalidModelFolder(
            f"{models / name}: no version {wanted}; there are {', '.join(map(str, there))}"
        )
    if wanted is not None:
        return models / name / str(wanted)
    in_service = [number for number in there if not (models / name / str(number) / RETIRED_FILE).exists()]
    if not in_service:
        raise InvalidModelFolder(f"{models / name}: every version is retired; name one with --version")
    return models / name / str(in_service[-1])


def read_model_json(folder: Path) -> dict[str, Any]:
    """Raises InvalidModelFolder."""
    path = folder / DOCUMENT_FILE
    try:
        description = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidModelFolder(
            f"{path}: there is no such file; is {folder} a version of a model?"
        ) from None
    except (OSError, ValueError) as error:
        raise InvalidModelFolder(f"{path}: cannot be read: {error}") from None
    if not isinstance(description, dict):
        raise InvalidModelFolder(f"{path}: holds no JSON object")
    return description


def object_in(described: dict[str, Any], name: str) -> dict[str, Any]:
    """A member of a model.json, which anybody may have written: empty where it is no object."""
    member = described.get(name)
    return member if isinstance(member, dict) else {}


def write_version(
    network: Any,
    settings: TrainingSettings,
    models: Path,
    name: str,
    description: dict[str, Any],
    extra_files: Callable[[Path], None] = lambda folder: None,
) -> tuple[Path, dict[str, Any]]:
    """Write the next version and return its folder and model.json. A reader sees all of it or nothing.

    description: what model.json holds besides the shapes, hashes and libraries. extra_files is called with the
    folder while it is still unnamed. Raises InvalidModelFolder where the folder cannot be written."""
    check_name(name)
    home = models / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        # In the same folder, so that the rename at the end is one step; the dot hides it from readers.
        unnamed = Path(tempfile.mkdtemp(prefix=".writing-", dir=home))
    except OSError as error:
        raise InvalidModelFolder(f"{home}: cannot be written: {error.strerror or error}") from None
    try:
        _export(network, settings.window, unnamed)
        written = {
            "name": name,
            "version": 0,
            "window": settings.window,
            "horizon": settings.horizon,
            "quantiles": list(QUANTILES),
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            **description,
            "parameters": network.count_params(),
            "weights_sha256": weights_sha256(network),
            HASHES: hashes_of(unnamed),
            "libraries": _libraries(),
        }
        extra_files(unnamed)
        os.chmod(unnamed, 0o755)  # mkdtemp keeps it to its owner; the service may run as another user
        folder = _publish(unnamed, home, written)
    except OSError as error:
        raise InvalidModelFolder(f"{home}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(unnamed, ignore_errors=True)
    return folder, written


def add_metrics(folder: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Add to the metrics of a version that is written already, and return its model.json. A reader sees the old file
    or the new one. Raises InvalidModelFolder."""
    described = read_model_json(folder)
    described["metrics"] = {**described.get("metrics", {}), **metrics}
    unnamed = folder / f".{DOCUMENT_FILE}"
    try:
        unnamed.write_text(_document(described), "utf-8")
        unnamed.replace(folder / DOCUMENT_FILE)
    except OSError as error:
        raise InvalidModelFolder(f"{folder}: cannot be written: {error.strerror or error}") from None
    return described


def _document(described: dict[str, Any]) -> str:
    return json.dumps(described, indent=2, allow_nan=False) + "\n"


def _publish(unnamed: Path, home: Path, written: dict[str, Any]) -> Path:
    """Rename to the next free number; another training run may take one at the same time."""
    while True:
        there = versions(home.parent, home.name)
        written["version"] = (there[-1] if there else 0) + 1
        (unnamed / DOCUMENT_FILE).write_text(_document(written), "utf-8")
        folder = home / str(written["version"])
        try:
            unnamed.rename(folder)
        except OSError:
            if folder.exists():
                continue
            raise
        return folder


def weights_sha256(network: Any) -> str:
    """A hash of the weights alone: the bytes of saved_model.pb differ between exports of equal weights."""
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(f"{weight.dtype}{weight.shape}".encode())
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def load_scorer(
    folder: Path, window: int, horizon: int
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """What is served: windows (batch, window) → forecasts (batch, horizon, 3), float32. Raises InvalidModelFolder where
    it cannot be loaded, or takes or answers anything else."""
    try:
        loaded = tf.saved_model.load(str(folder))
        score = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidModelFolder(f"{folder}: is no SavedModel that can be loaded: {error}") from None

    def run(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        assert loaded is not None  # the signature dies with what it is of
        return np.asarray(score(windows=tf.constant(windows))["forecast"])

    expected = (1, horizon, len(QUANTILES))
    try:
        answered = run(np.arange(window, dtype=np.float32)[np.newaxis]).shape
    except (TypeError, KeyError, ValueError, tf.errors.OpError) as error:
        told = str(error).splitlines()[0]
        raise InvalidModelFolder(f"{folder}: takes no window of {window} readings: {told}") from None
    if answered != expected:
        raise InvalidModelFolder(f"{folder}: answers the shape {list(answered)}, not {list(expected)}")
    return run


def settings_of(folder: Path) -> TrainingSettings:
    """The settings that a version was trained with. Raises InvalidModelFolder."""
    settings = object_in(object_in(read_model_json(folder), "training"), "settings")
    if not settings:
        raise InvalidModelFolder(f"{folder}/model.json: tells no training settings; fncast did not train it")
    try:
        return TrainingSettings(**{**settings, "seasons": tuple(settings.get("seasons", ()))})
    except (TypeError, ValueError) as error:
        raise InvalidModelFolder(f"{folder}/model.json: training settings: {error}") from None


def _export(network: Any, window: int, folder: Path) -> None:
    signature = [tf.TensorSpec([None, window], tf.float32, name="windows")]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        network.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=["serving_default"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        (folder / "model.tflite").write_bytes(converter.convert())
    network.save_weights(folder / WEIGHTS_FILE)


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except ModuleNotFoundError:
            continue
    return found
