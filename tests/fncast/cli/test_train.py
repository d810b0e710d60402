import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fncast import models as base_models
from fncast.cli.main import main

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast.series.csv_file import read_csv
from model_service.serving.version_check import VersionState, states
from model_service.serving.version_folder import scan
from model_service.training.lineage import Lineage
from model_service.training.model_folder import WEIGHTS_FILE, settings_of
from model_service.training.network import build_network
from model_service.training.settings import TrainingSettings
from model_service.training.version_writer import weights_sha256

SHORT = ["--window", "24", "--horizon", "6", "--units", "8", "--epochs", "1"]
SMALL = ["--keep-trained", "--no-refit", *SHORT]  # trained too little to be better than the base model


def csv_file(folder: Path, readings: int = 300) -> Path:
    path = folder / "shop.csv"
    values = 10 + np.sin(2 * np.pi * np.arange(readings) / 12) + np.arange(readings) * 0.01
    lines = [f"{1_700_000_000 + 300 * i},{value:.4f}" for i, value in enumerate(values)]
    path.write_text("timestamp,value\n" + "\n".join(lines))
    return path


@pytest.fixture
def first_version(once_per_run: Callable[..., Path], tmp_path: Path) -> Path:
    """A new folder of models with a version 1, trained on the readings of csv_file()."""

    def train(folder: Path) -> None:
        assert main(["train", str(csv_file(folder)), "--models", str(folder / "models"), *SMALL]) == 0

    trained = once_per_run("first-version", train)
    return Path(shutil.copytree(trained / "models", tmp_path / "models"))


@pytest.mark.timeout(600)  # a busy machine trains slowly
def test_writes_the_next_version_and_shows_progress(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "models"
    command = ["train", str(csv_file(tmp_path)), "--models", str(models), *SMALL]
    assert main([*command, "--progress", "json"]) == 0
    output, errors = capsys.readouterr()
    epoch, result = (json.loads(line) for line in output.splitlines())
    assert (epoch["epoch"], epoch["epochs"]) == (1, 1)
    assert epoch["validation_error"] > 0
    assert result["path"] == str(models / "forecast" / "1")
    assert "season: 12 steps" in errors
    described = json.loads((models / "forecast" / "1" / "model.json").read_text())
    assert (described["season"], described["step_s"]) == (12, 300)
    assert described["training"]["data"]["series"][0]["readings"] == 300
    assert described["metrics"]["test"]["last value"]["relative_mae"] == 1.0
    plots = {path.name for path in (models / "forecast" / "1" / "plots").iterdir()}
    assert plots == {
        f"{name}.{kind}"
        for name in ("training", "forecast", "horizon", "calibration")
        for kind in ("png", "svg")
    }


@pytest.mark.timeout(600)  # a busy machine trains slowly
def test_training_from_a_version_never_gives_a_worse_version(
    first_version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(csv_file(tmp_path)), "--models", str(first_version), *SMALL]
    assert main([*command, "--from-version", "1", "--learning-rate", "1"]) == 0
    output, errors = capsys.readouterr()
    assert "no epoch was better than the version it started from" in errors
    assert "seasonal naive" in output
    assert output.splitlines()[-1] == str(first_version / "forecast" / "2")
    first, second = (
        json.loads((first_version / "forecast" / version / "model.json").read_text()) for version in "12"
    )
    assert second["training"]["best_epoch"] == 0
    worse = second["training"]["history"][0]["validation_error"]
    assert second["metrics"]["validation_error"] < worse
    assert second["metrics"]["test_relative_mae"] == first["metrics"]["test_relative_mae"]


@pytest.fixture
def copied(once_per_run: Callable[..., Path], tmp_path: Path) -> Path:
    """A new folder of models with a version 1, for which the base model was better, and what training printed."""

    def train(folder: Path) -> None:
        with (folder / "errors").open("w") as errors, redirect_stderr(errors):
            command = ["train", str(csv_file(folder)), "--models", str(folder / "models"), *SHORT]
            assert main([*command, "--no-fine-tune"]) == 0

    trained = once_per_run("copied-version", train)
    return Path(shutil.copytree(trained, tmp_path / "copied"))


@pytest.mark.timeout(600)
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


@pytest.mark.timeout(600)
def test_a_copy_of_the_base_model_is_served_and_evaluated_alike(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [version] = scan(copied / "models")
    assert states([version]) == [VersionState("latest")]
    command = ["evaluate", str(copied / "shop.csv"), "--models", str(copied / "models"), "--json"]
    assert main(command) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["window"], result["horizon"]) == (24, 6)
    described = json.loads(version.document())
    found = result["overall"]["model"]["relative_mae"]
    assert found == pytest.approx(described["metrics"]["test_relative_mae"], rel=1e-4)


@pytest.fixture
def tuned(once_per_run: Callable[..., Path], tmp_path: Path) -> Path:
    """A new folder of models with a version 1, fine-tuned from the base model, and what training printed."""

    def train(folder: Path) -> None:
        with (folder / "errors").open("w") as errors, redirect_stderr(errors):
            command = ["train", str(csv_file(folder)), "--models", str(folder / "models"), *SHORT]
            assert main(command) == 0

    trained = once_per_run("tuned-version", train)
    return Path(shutil.copytree(trained, tmp_path / "tuned"))


@pytest.mark.timeout(600)
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


@pytest.mark.timeout(600)
def test_training_starts_from_a_fine_tuned_version(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", str(tuned / "shop.csv"), "--models", str(tuned / "models"), "--from-version", "1"]
    assert main([*command, "--epochs", "1", "--no-refit"]) == 0
    assert "training from scratch" not in capsys.readouterr().err
    described = json.loads((tuned / "models" / "forecast" / "2" / "model.json").read_text())
    assert described["fine_tuned_from"] == {"name": "forecast", "version": 1}
    assert "scratch" not in described["choice"]["validation_errors"]


@pytest.mark.timeout(600)
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


def test_no_training_starts_from_a_copy_of_the_base_model(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(copied / "shop.csv"), "--models", str(copied / "models"), "--from-version", "1"]
    assert main(command) == 1
    assert "is a copy of the base model, from which training begins anyway" in capsys.readouterr().err


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


@pytest.fixture
def default_sigint() -> Iterator[None]:
    """Handle SIGINT as in a shell, also in child processes: pytest's workers and background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.timeout(600)
def test_ctrl_c_keeps_the_best_weights_so_far(tmp_path: Path, default_sigint: None) -> None:
    # Slow enough that it has not stopped early when the signal comes.
    flags = [*SMALL[:-1], "5000", "--learning-rate", "0.0001", "--progress", "json"]
    words = [sys.executable, "-m", "fncast", "train", str(csv_file(tmp_path, 5000)), *flags]
    words += ["--models", str(tmp_path / "models")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert json.loads(process.stdout.readline())["epoch"] == 1
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=400)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "interrupted: the weights of epoch" in errors
    result = json.loads(output.splitlines()[-1])
    assert (
        json.loads((Path(result["path"]) / "model.json").read_text())["training"]["stopped"] == "interrupted"
    )


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

    monkeypatch.setattr("fncast.cli.training_run.prepare", interrupt)
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


@pytest.mark.parametrize(
    ("flags", "sentence", "window"),
    [
        (["--window", "auto"], "window: 84 readings", 84),  # seven seasons of 12
        ([], "--window auto chooses 84", 48),  # the default of `fncast produce`
    ],
)
def test_window_auto_follows_the_season(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    sentence: str,
    window: int,
) -> None:
    trained = []

    def train(_: object, settings: TrainingSettings, *others: object, **more: object) -> None:
        trained.append(settings.window)
        raise KeyboardInterrupt

    monkeypatch.setattr("fncast.cli.training_candidates.train", train)
    main(
        [
            "train",
            str(csv_file(tmp_path, 800)),
            "--models",
            str(tmp_path),
            *SHORT[2:],
            *flags,
            "--no-fine-tune",
        ]
    )
    assert sentence in capsys.readouterr().err
    assert trained == [window]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["none.csv"], "none.csv: there is no such file"),
        (["--window", "1"], "window is 1; it must be between 4 and 10000"),
        (["--learning-rate", "0"], "learning-rate is 0.0; it must be between"),
        (["--name", "v2"], "'v2' is not a model name"),
        (["--from-version", "3"], "contains no version of a model"),
    ],
)
def test_wrong_flags_are_one_clear_sentence(
    flags: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--models", str(tmp_path), *flags]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert sentence in errors[-1]
    assert not list(tmp_path.glob("*/*"))


def test_a_folder_that_cannot_be_written_is_reported_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fncast.cli.training_candidates.train", lambda *_: pytest.fail("it is trained"))
    file = csv_file(tmp_path)
    assert main(["train", str(file), "--models", str(file / "models"), *SMALL]) == 1
    assert f"cannot be written: {file} is not a folder" in capsys.readouterr().err
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    assert main(["train", str(file), "--models", str(tmp_path / "models"), *SMALL]) == 1
    assert f"cannot be written: no permission to write to {tmp_path}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [file]


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


def test_constant_series_are_named_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "still.csv"
    path.write_text("time,a,b\n" + "".join(f"{1_700_000_000 + 60 * i},0,7.5\n" for i in range(300)))
    assert main(["train", str(path), "--models", str(tmp_path / "models"), *SMALL]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("fncast: a, b: all readings are constant (0); a model needs readings that change")
    assert not (tmp_path / "models").exists()


def test_too_few_readings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(csv_file(tmp_path, 40)), "--models", str(tmp_path / "models")]) == 1
    assert "no window of 48 readings with 12 to forecast fits" in capsys.readouterr().err
