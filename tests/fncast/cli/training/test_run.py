"""A run of the training: refit, and interrupts that keep what was trained."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from fncast.cli.main import main
from tests.fncast.cli.training_file import SHORT, SMALL, csv_file

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast.series.csv.file import read_csv
from model_service.training.lineage import Lineage
from model_service.training.model_folder import WEIGHTS_FILE, settings_of
from model_service.training.network import build_network
from model_service.training.version_writer import weights_sha256

pytestmark = pytest.mark.timeout(600)  # a busy machine trains slowly


def test_a_refit_follows_the_evaluation_and_changes_only_the_served_model(
    first_version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(csv_file(tmp_path)), "--models", str(first_version), "--keep-trained", *SHORT]
    assert main(command) == 0
    output, errors = capsys.readouterr()
    assert "refit: 1 more epoch, 241 windows; the band was calibrated on 25 windows" in errors
    assert "not used in training before the refit" in output
    first, second = (
        json.loads((first_version / "forecast" / version / "model.json").read_text()) for version in "12"
    )
    assert "refit" not in first
    assert second["refit"] == {
        "epochs": 1,
        "steps_per_epoch": 20,
        "windows": 241,
        "calibration_windows": 25,
        "learning_rate": pytest.approx(0.0002),
        "metrics": "before the refit",
    }
    assert second["metrics"] == first["metrics"]
    assert second["weights_sha256"] != first["weights_sha256"]
    network = build_network(settings_of(first_version / "forecast" / "2"))
    network.load_weights(first_version / "forecast" / "2" / WEIGHTS_FILE)
    assert weights_sha256(network) == first["weights_sha256"]
    [series] = read_csv(tmp_path / "shop.csv")
    ends = [Lineage(first_version / "forecast" / version).until(series) for version in "12"]
    assert ends == [series.time(210), series.time(300)]


def test_weights_of_another_network_are_an_error(
    first_version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(csv_file(tmp_path)), "--models", str(first_version), *SMALL]
    described = first_version / "forecast" / "1" / "model.json"
    described.write_text(described.read_text().replace('"units": 8', '"units": 9'))
    assert main([*command[:-4], "--units", "9", "--epochs", "1", "--from-version", "1"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "network.weights.h5: does not fit the network of this version of fncast" in error
    assert error.endswith("train without --from-version")


def test_ctrl_c_in_the_calibration_is_deferred_until_the_version_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    default_sigint: None,
) -> None:
    from model_service.training import trainer

    band_factors = trainer.band_factors

    def interrupted(*words: Any, **more: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return band_factors(*words, **more)

    monkeypatch.setattr(trainer, "band_factors", interrupted)
    models = tmp_path / "models"
    assert main(["train", str(csv_file(tmp_path)), "--models", str(models), *SMALL]) == 0
    errors = capsys.readouterr().err
    assert "calibrating and writing the version" in errors
    assert "was written, without an evaluation" in errors
    assert (models / "forecast" / "1" / "model.tflite").stat().st_size > 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_before_the_end_of_the_first_epoch_writes_no_version(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    default_sigint: None,
) -> None:
    from model_service.training.dataset import Dataset

    monkeypatch.setattr(Dataset, "draw", lambda *_: signal.raise_signal(signal.SIGINT))
    models = tmp_path / "models"
    assert main(["train", str(csv_file(tmp_path)), "--models", str(models), *SMALL]) == 1
    assert "interrupted before the end of the first epoch: no version was written" in capsys.readouterr().err
    assert not models.exists()


@pytest.mark.slow  # as an interrupt in the calibration, ten seconds later
def test_an_interrupted_evaluation_keeps_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fncast.cli.training.run.prepare", interrupt)
    models = tmp_path / "models"
    assert main(["train", str(csv_file(tmp_path)), "--models", str(models), *SMALL]) == 0
    assert "was written, without an evaluation" in capsys.readouterr().err
    folder = models / "forecast" / "1"
    assert "test" not in json.loads((folder / "model.json").read_text())["metrics"]
    assert (folder / "model.tflite").stat().st_size > 0


@pytest.mark.slow  # as an interrupted evaluation, one step later
def test_an_interrupted_refit_keeps_the_trained_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("model_service.training.refit.batches", interrupt)
    models = tmp_path / "models"
    assert main(["train", str(csv_file(tmp_path)), "--models", str(models), "--keep-trained", *SHORT]) == 0
    assert "was written, without a refit" in capsys.readouterr().err
    described = json.loads((models / "forecast" / "1" / "model.json").read_text())
    assert "test" in described["metrics"]
    assert "refit" not in described


def test_series_that_are_not_used_or_not_evaluated_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = csv_file(tmp_path)
    header, *lines = path.read_text().splitlines()
    wide = [f"{line},5,{i if i < 20 else ''}" for i, line in enumerate(lines)]
    path.write_text("\n".join([f"{header},still,short", *wide]))
    assert main(["train", str(path), "--models", str(tmp_path / "models"), *SMALL]) == 0
    errors = capsys.readouterr().err
    assert "not used in training, since all readings are equal: still" in errors
    assert "since they are too short, constant or full of gaps: still, short" in errors
    assert "not evaluated, since they have too few readings: short" in errors
