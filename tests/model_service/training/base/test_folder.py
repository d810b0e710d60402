import json
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast import models as base_models
from fncast.series.window import MIN_HISTORY, MISSING
from model_service.serving.version_folder import hashes_of
from model_service.training.base import folder as base_folder
from model_service.training.base.folder import TrainedSize, data_sha256, describe, weights_file
from model_service.training.base.shape import LONG, SHORT, SIZES

BASE = base_models.FOLDER / base_models.BASE / "1"


def test_each_size_has_a_file_of_weights() -> None:
    assert [weights_file(size) for size in SIZES] == ["base-64.weights.h5", "base-512.weights.h5"]
    assert all((BASE / weights_file(size)).is_file() for size in (SHORT, LONG))


def test_the_hash_of_the_generated_series_shows_their_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_folder, "HASHED_SERIES", 3)
    assert data_sha256(0) == data_sha256(0)
    assert data_sha256(0) != data_sha256(1)


def test_model_json_names_the_version_its_files_and_its_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_folder, "HASHED_SERIES", 1)
    version = tmp_path / "base" / "3"
    version.mkdir(parents=True)
    (version / "model-64.tflite").write_bytes(b"model")
    trained = TrainedSize(SHORT, {"steps": 100}, 5, "the hash")
    described = describe([trained], version, "make base-model", 0)
    assert json.loads((version / "model.json").read_text()) == described
    assert (described["name"], described["version"]) == ("base", 3)
    assert (described["missing"], described["least_history"]) == (MISSING, MIN_HISTORY)
    assert described["files_sha256"] == hashes_of(version)
    assert described["sizes"] == [{"window": 64, "horizon": 24}]
    assert described["weights"] == {"64": {"count": 5, "sha256": "the hash"}}
    assert described["training"]["sizes"] == {"64": {"steps": 100}}
    assert described["training"]["command"] == "make base-model"
    assert described["training"]["data"]["generated"]["sha256"] == data_sha256(0)
