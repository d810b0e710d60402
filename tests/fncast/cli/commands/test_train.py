import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fncast.cli.main import main
from tests.fncast.cli.training_file import SMALL, csv_file

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.serving.version_check import VersionState, states
from model_service.serving.version_folder import scan

pytestmark = pytest.mark.timeout(600)  # a busy machine trains slowly


def test_writes_the_next_version_and_shows_progress(first_training: Path) -> None:
    models = first_training / "models"
    epoch, result = map(json.loads, (first_training / "output").read_text().splitlines())
    assert (epoch["epoch"], epoch["epochs"]) == (1, 1)
    assert epoch["validation_error"] > 0
    assert Path(result["path"]).parts[-3:] == ("models", "forecast", "1")
    assert "season: 12 steps" in (first_training / "errors").read_text()
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


def test_no_training_starts_from_a_copy_of_the_base_model(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(copied / "shop.csv"), "--models", str(copied / "models"), "--from-version", "1"]
    assert main(command) == 1
    assert "is a copy of the base model, from which training begins anyway" in capsys.readouterr().err


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
    monkeypatch.setattr("fncast.cli.training.candidates.train", lambda *_: pytest.fail("it is trained"))
    file = csv_file(tmp_path)
    assert main(["train", str(file), "--models", str(file / "models"), *SMALL]) == 1
    assert f"cannot be written: {file} is not a folder" in capsys.readouterr().err
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    assert main(["train", str(file), "--models", str(tmp_path / "models"), *SMALL]) == 1
    assert f"cannot be written: no permission to write to {tmp_path}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [file]


def test_constant_series_are_named_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "still.csv"
    path.write_text("time,a,b\n" + "".join(f"{1_700_000_000 + 60 * i},0,7.5\n" for i in range(300)))
    assert main(["train", str(path), "--models", str(tmp_path / "models"), *SMALL]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("fncast: a, b: all readings are constant (0); a model needs readings that change")
    assert not (tmp_path / "models").exists()


def test_too_few_readings_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(csv_file(tmp_path, 40)), "--models", str(tmp_path / "models")]) == 1
    assert "no window of 48 readings with 12 to forecast fits" in capsys.readouterr().err
