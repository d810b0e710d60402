"""The model that a benchmark uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fncast import models as base_models
from fncast.demo.models import find, find_base

EPOCHS = 2  # of the model that is trained if there is none; its quality is not measured here


def find_or_train(models: Path | None, folder: Path) -> tuple[Path, Path]:
    """Return a folder of models, and the .tflite file of the newest version in it.

    models: the folder to look in; None for the base model, which comes with fncast. If it holds no model, a small one
    is trained into `folder`.
    """
    if models is None:
        base = find_base()
        assert base is not None
        return base_models.FOLDER, base.folder.path / "model.tflite"
    if (found := find(models)) is None:
        print("there is no model: training a small one", file=sys.stderr)
        models = folder / "models"
        arguments = ("train", "--models", models, "--epochs", EPOCHS)
        subprocess.run([sys.executable, "-m", "fncast", *map(str, arguments)], check=True, stdout=sys.stderr)
        found = find(models)
        assert found is not None
    return models.resolve(), found.folder.path.resolve() / "model.tflite"
