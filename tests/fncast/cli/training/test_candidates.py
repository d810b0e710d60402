"""The base model, a fine-tuned one and one from scratch: the best of them becomes the version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fncast import models as base_models
from fncast.cli.main import main

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.serving.version_check import VersionState, states
from model_service.serving.version_folder import scan

pytestmark = pytest.mark.timeout(600)  # a busy machine trains slowly


def test_a_version_is_never_worse_than_the_base_model(copied: Path) -> None:
    assert "the version is a copy of the base model" in (copied / "errors").read_text()
    folder = copied / "models" / "forecast" / "1"
    base = base_models.FOLDER / base_models.BASE / "1"
    for file in ("model-64.tflite", "model-512.tflite"):
        assert (folder / file).read_bytes() == (base / file).read_bytes()
    assert not (folder / "model.tflite").exists()
    described = json.loads((folder / "model.json").read_text())
    assert (described["name"], described["version"], described["window"]) == ("forecast", 1, None)
    source = described["base_model"]
    assert (source["name"], source["version"]) == ("base", 1)
    assert source["validation_error"] < source["trained_validation_error"]
    assert described["metrics"]["validation_error"] == source["validation_error"]
    assert described["choice"] == {
        "chosen": "base",
        "validation_errors": {
            "base": source["validation_error"],
            "scratch": source["trained_validation_error"],
        },
    }
    assert described["training"]["settings"]["horizon"] == 6


def test_training_begins_from_the_base_model_and_the_best_is_written(
    tuned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "the version is the fine-tuned base model" in (tuned / "errors").read_text()
    [version] = scan(tuned / "models")
    described = json.loads(version.document())
    choice = described["choice"]
    assert choice["chosen"] == "fine-tuned"
    assert set(choice["validation_errors"]) == {"base", "fine-tuned", "scratch"}
    assert min(choice["validation_errors"].values()) == choice["validation_errors"]["fine-tuned"]
    assert described["fine_tuned_from"] == {"name": "base", "version": 1}
    assert (described["sizes"], described["window"]) == ([{"window": 64, "horizon": 6}], None)
    assert described["refit"]["calibration_windows"] == 25
    assert len(described["quantiles"]) == 9
    assert states([version]) == [VersionState("latest")]
    assert (version.path / "base-64.weights.h5").is_file()
    command = ["evaluate", str(tuned / "shop.csv"), "--models", str(tuned / "models"), "--json"]
    assert main(command) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["window"], result["horizon"]) == (24, 6)


def test_training_starts_from_a_fine_tuned_version(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", str(tuned / "shop.csv"), "--models", str(tuned / "models"), "--from-version", "1"]
    assert main([*command, "--epochs", "1", "--no-refit"]) == 0
    assert "training from scratch" not in capsys.readouterr().err
    described = json.loads((tuned / "models" / "forecast" / "2" / "model.json").read_text())
    assert described["fine_tuned_from"] == {"name": "forecast", "version": 1}
    assert "scratch" not in described["choice"]["validation_errors"]
