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

from model_service.serving.version_folder import (
    DOCUMENT_FILE,
    HASHES,
    hashes_of,
)
from model_service.training.backend import tf
from model_service.training.model_folder import (
    WEIGHTS_FILE,
    InvalidModelFolder,
    check_name,
    read_model_json,
    versions,
)
from model_service.training.settings import QUANTILES, TrainingSettings

LIBRARIES = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "fncast")


def check_writable(models: Path, name: str) -> None:
    """Check that a version can be written, before a long training. Creates nothing.

    Raises InvalidModelFolder.
    """
    home = models / name
    existing = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    if not existing.is_dir():
        raise InvalidModelFolder(f"{home}: cannot be written: {existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InvalidModelFolder(f"{home}: cannot be written: no permission to write to {existing}")


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
    version and time. Otherwise as `write_version`. Raises InvalidModelFolder.
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
    number = 0
    while True:
        number = max([number, *versions(home.parent, home.name)]) + 1  # beyond a number that a file has, too
        written["version"] = number
        (temporary / DOCUMENT_FILE).write_text(_document(written), "utf-8")
        folder = home / str(number)
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
