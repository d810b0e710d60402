"""The model of a benchmark: a file that exists, whichever folder is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.lib.failure import MeasurementFailed
from benchmarks.lib.trained_model import find_or_train
from fncast import models as base_models


def version(models: Path, *files: str) -> Path:
    folder = models / "forecast" / "1"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps({"window": 48}))
    for name in files:
        (folder / name).write_bytes(b"TFL3")
    return folder


def test_without_a_folder_it_is_a_file_of_the_base_model(tmp_path: Path) -> None:
    models, model = find_or_train(None, tmp_path)
    assert models == base_models.FOLDER
    assert model.is_file()
    assert model.is_relative_to(models)


def test_the_newest_version_of_a_folder_is_found(tmp_path: Path) -> None:
    folder = version(tmp_path, "model.tflite")
    assert find_or_train(tmp_path, tmp_path) == (tmp_path, folder / "model.tflite")


def test_a_fine_tuned_version_is_not_for_the_load(tmp_path: Path) -> None:
    version(tmp_path, "model-64.tflite")
    with pytest.raises(MeasurementFailed, match=r"forecast/1 has no model\.tflite.*--keep-trained"):
        find_or_train(tmp_path, tmp_path)
