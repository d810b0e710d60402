"""Writes the folder of a base model: a LiteRT file and the weights for each size, and model.json."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fncast.series.window import MIN_HISTORY, MISSING
from model_service.serving.version_folder import DOCUMENT_FILE, HASHES, hashes_of
from model_service.training.backend import tf
from model_service.training.base.pool import LENGTH, generated
from model_service.training.base.series import KINDS, UNSEEN
from model_service.training.base.shape import QUANTILES, Size
from model_service.training.version_writer import libraries

# Series whose hash identifies the generated data.
HASHED_SERIES = 50


@dataclass(frozen=True)
class TrainedSize:
    """One size after its training. figures: members of model.json. weights: their number. sha256: of all weights."""

    size: Size
    figures: Mapping[str, Any]
    weights: int
    sha256: str


def weights_file(size: Size) -> str:
    """The name of the file with the weights of a size."""
    return f"base-{size.window}.weights.h5"


def litert_file(size: Size) -> str:
    """The name of the LiteRT file of a size."""
    return f"model-{size.window}.tflite"


def export(network: Any, size: Size, folder: Path) -> None:
    """Write the LiteRT file and the weights of one size."""
    folder.mkdir(parents=True, exist_ok=True)
    write_litert(network, size, folder)
    network.save_weights(folder / weights_file(size))


def write_litert(network: Any, size: Size, folder: Path) -> None:
    """Write the LiteRT file of one size."""
    signature = [tf.TensorSpec([None, size.window], tf.float32, name="windows")]
    with (
        tempfile.TemporaryDirectory() as scratch,
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        network.export(scratch, format="tf_saved_model", input_signature=signature, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch, signature_keys=["serving_default"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        (folder / litert_file(size)).write_bytes(converter.convert())


def describe(trained: Sequence[TrainedSize], folder: Path, command: str, seed: int) -> dict[str, Any]:
    """Write model.json beside the exported files, and return its content. command: repeats the training."""
    described = {
        "name": folder.parent.name,
        "version": int(folder.name),
        "window": None,
        "sizes": [{"window": each.size.window, "horizon": each.size.horizon} for each in trained],
        "missing": MISSING,
        "least_history": MIN_HISTORY,
        "quantiles": list(QUANTILES),
        "training": {
            "command": command,
            "seed": seed,
            "sizes": {str(each.size.window): each.figures for each in trained},
            "data": {
                "generated": {
                    "kinds": [kind.__name__ for kind in KINDS],
                    "kinds of the calibration": [kind.__name__ for kind in UNSEEN],
                    "readings": LENGTH,
                    "sha256": data_sha256(seed),
                    "public series": [],
                }
            },
        },
        "weights": {
            str(each.size.window): {"count": each.weights, "sha256": each.sha256} for each in trained
        },
        HASHES: hashes_of(folder),
        "libraries": libraries(),
    }
    (folder / DOCUMENT_FILE).write_text(json.dumps(described, indent=2, allow_nan=False) + "\n", "utf-8")
    return described


def data_sha256(seed: int) -> str:
    """A hash of the first generated series, which shows whether another machine generates the same."""
    digest = hashlib.sha256()
    for number in range(HASHED_SERIES):
        digest.update(generated(seed, number).astype("float32").tobytes())
    return digest.hexdigest()
