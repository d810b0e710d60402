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
    """The name, folder or a file of a model is invalid. The text says which one and why."""


def check_name(name: str) -> None:
    """Check the name of a model. Raises InvalidModelFolder."""
    if not is_model_name(name):
        raise InvalidModelFolder(
            f"{name!r} is not a model name: use lowercase letters, digits, _ and -, a letter first, at most 63"
            f" characters, and none of {', '.join(sorted(RESERVED_NAMES))}"
        )


def check_writable(models: Path, name: str) -> None:
    """Check that a version can be written, before a long training. Creates nothing.

    Raises InvalidModelFolder.
    """
    home = models / name
    there = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise InvalidModelFolder(f"{home}: cannot be written: {there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidModelFolder(f"{home}: cannot be written: no permission to write to {there}")


def versions(models: Path, name: str) -> list[int]:
    """The version numbers of a model, ascending."""
    try:
        names = [entry.name for entry in (models / name).iterdir() if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(entry) for entry in names if entry.isascii() and entry.isdigit())


def find_version(models: Path, name: str, wanted: int | None = None) -> Path:
    """The folder of the wanted version, or of the latest that is not retired. Raises InvalidModelFolder."""
    check_name(name)
    there = versions(models, name)
    if not there:
        raise InvalidModelFolder(
            f"{models / name}: contains no version of a model; train one with `fncast train`"
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


def write_version(
    network: Any,
    settings: TrainingSettings,
    models: Path,
    name: str,
    description: dict[str, Any],
    extra_files: Callable[[Path], None] = lambda folder: None,
) -> tuple[Path, dict[str, Any]]:
    """Write a trained network as the next version. Readers see either the whole version or nothing.

    description: the members of model.json besides shapes, hashes and libraries. extra_files: called with the temporary
    folder before it is renamed. Returns the folder and the content of model.json. Raises InvalidModelFolder if the
    folder cannot be written.
    """

    def fill(temporary: Path) -> dict[str, Any]:
        _export(network, settings.window, temporary)
        return {
            "window": settings.window,
            "horizon": settings.horizon,
            "quantiles": list(QUANTILES),
            **description,
            "parameters": network.count_params(),
            "weights_sha256": weights_sha256(network),
            HASHES: hashes_of(temporary),
            "libraries": libraries(),
        }

    return next_version(models, name, fill, extra_files)


def next_version(
    models: Path,
    name: str,
    fill: Callable[[Path], dict[str, Any]],
    extra_files: Callable[[Path], None] = lambda folder: None,
) -> tuple[Path, dict[str, Any]]:
    """Write the next version. Readers see either the whole version or nothing.

    fill: writes the files of the model into a temporary folder, and returns the members of model.json besides name,
    version and time. Otherwise as `write_version`.
    """
    check_name(name)
    home = models / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        # In the same folder, so that the final rename is atomic. Readers ignore names with a dot.
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=home))
    except OSError as error:
        raise InvalidModelFolder(f"{home}: cannot be written: {error.strerror or error}") from None
    try:
        written = {
            "name": name,
            "version": 0,
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            **fill(temporary),
        }
        extra_files(temporary)
        os.chmod(temporary, 0o755)  # mkdtemp makes it private, but the service may run as another user
        folder = _publish(temporary, home, written)
    except OSError as error:
        raise InvalidModelFolder(f"{home}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder, written


def add_metrics(folder: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Add metrics to the model.json of an existing version, and return its content.

    Readers see either the old file or the new one. Raises InvalidModelFolder.
    """
    described = read_model_json(folder)
    described["metrics"] = {**described.get("metrics", {}), **metrics}
    temporary = folder / f".{DOCUMENT_FILE}"
    try:
        temporary.write_text(_document(described), "utf-8")
        temporary.replace(folder / DOCUMENT_FILE)
    except OSError as error:
        raise InvalidModelFolder(f"{folder}: cannot be written: {error.strerror or error}") from None
    return described


def _document(described: dict[str, Any]) -> str:
    return json.dumps(described, indent=2, allow_nan=False) + "\n"


def _publish(temporary: Path, home: Path, written: dict[str, Any]) -> Path:
    """Rename the folder to the next free number, which another training run may take at the same time."""
    while True:
        there = versions(home.parent, home.name)
        written["version"] = (there[-1] if there else 0) + 1
        (temporary / DOCUMENT_FILE).write_text(_document(written), "utf-8")
        folder = home / str(written["version"])
        try:
            temporary.rename(folder)
        except OSError:
            if folder.exists():
                continue
            raise
        return folder


def weights_sha256(network: Any) -> str:
    """A hash of the weights. The bytes of saved_model.pb differ between exports of equal weights."""
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(f"{weight.dtype}{weight.shape}".encode())
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def load_scorer(
    folder: Path, window: int, horizon: int
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Load the SavedModel: a function from windows (batch, window) to forecasts (batch, horizon, 3), both float32.

    Raises InvalidModelFolder if it cannot be loaded or has other shapes.
    """
    try:
        loaded = tf.saved_model.load(str(folder))
        score = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidModelFolder(f"{folder}: cannot be loaded as a SavedModel: {error}") from None

    def run(windows: NDArray[np.float32]) -> NDArray[np.float32]:
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


def _export(network: Any, window: int, folder: Path) -> None:
    signature = [tf.TensorSpec([None, window], tf.float32, name="windows")]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        network.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=["serving_default"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        (folder / "model.tflite").write_bytes(converter.convert())
    network.save_weights(folder / WEIGHTS_FILE)


def libraries() -> dict[str, str]:
    """The versions of Python and of the libraries that decide the weights."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except ModuleNotFoundError:
            continue
    return found
