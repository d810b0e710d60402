"""The model that a benchmark uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.lib.failure import MeasurementFailed
from fncast import models as base_models
from fncast.demo.models import FoundModel, find, find_base
from model_service.serving.runtimes.runtime_choice import TFLITE_FILE, sized_files

EPOCHS = 2  # of the model that is trained if there is none; its quality is not measured here


def find_or_train(models: Path | None, folder: Path) -> tuple[Path, Path]:
    """Return a folder of models, and a .tflite file of the newest version in it.

    models: the folder to look in; None for the base model, which comes with fncast: its file is the one for the longest
    windows. If the folder holds no model, a small one is trained into `folder`. Raises MeasurementFailed.
    """
    if models is None:
        base = find_base()
        assert base is not None
        sizes = sized_files(base.folder.path)
        return base_models.FOLDER, sizes[max(sizes)]
    if (found := find(models)) is None:
        print("there is no model: training a small one", file=sys.stderr)
        models = folder / "models"
        arguments = ("train", "--models", models, "--epochs", EPOCHS)
        subprocess.run([sys.executable, "-m", "fncast", *map(str, arguments)], check=True, stdout=sys.stderr)
        found = find(models)
        assert found is not None
    return models.resolve(), _file(found)


def _file(found: FoundModel) -> Path:
    """Return the .tflite file of a version. Raises MeasurementFailed."""
    file = found.folder.path.resolve() / TFLITE_FILE
    if not file.is_file():
        raise MeasurementFailed(
            f"{found.folder} has no {TFLITE_FILE}, which the other programs load; train a model with --keep-trained"
        )
    return file
