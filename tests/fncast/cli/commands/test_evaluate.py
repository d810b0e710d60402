import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fncast.cli.main import main

pytest.importorskip("tensorflow", reason="evaluation needs the extra `training`")

from fncast.series.csv.file import read_csv
from model_service.training.network import build_network
from model_service.training.provenance import sha256
from model_service.training.settings import TrainingSettings
from model_service.training.version_writer import write_version


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained model."""
    folder = tmp_path_factory.mktemp("evaluated")
    settings = TrainingSettings(window=24, horizon=6, units=8)
    described = {"training": {"settings": settings.as_json()}}
    write_version(build_network(settings), settings, folder, "forecast", described)
    return folder


def csv_file(folder: Path, readings: int = 240) -> Path:
    path = folder / "shop.csv"
    values = 10 + np.sin(2 * np.pi * np.arange(readings) / 12)
    path.write_text(
        "timestamp,value\n" + "\n".join(f"{1_700_000_000 + 60 * i},{v}" for i, v in enumerate(values))
    )
    return path


def test_json_holds_the_result_of_each_series(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(csv_file(tmp_path)), "--models", str(models), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["model"] == {"name": "forecast", "version": 1, "path": str(models / "forecast" / "1")}
    assert result["origins"] == 12  # 30 % of 240 readings, 6 steps each
    assert result["series"]["shop"]["seasons"] == [12]
    assert set(result["overall"]) == {"model", "last value", "seasonal naive", "quantiles of the last 12"}
    assert result["overall"]["last value"]["relative_mae"] == pytest.approx(1)


def test_the_tables_compare_the_model_with_other_methods(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "evaluate",
        str(csv_file(tmp_path)),
        "--models",
        str(models),
        "--stride",
        "20",
        "--season",
        "4",
    ]
    assert main(command) == 0
    output = capsys.readouterr().out
    assert "forecast version 1: 4 forecasts of 6 steps from 24 readings, every 20 steps" in output
    assert "seasonal naive" in output
    for measure in ("relative MAE (*: best", "MASE (*: best", "wQL (*: best", "80 % band:"):
        assert measure in output
    relative_mae = output.partition("relative MAE (")[2].splitlines()[2]
    assert relative_mae.count("*") == 1
    assert relative_mae.startswith("shop")


@pytest.mark.timeout(600)  # a busy machine takes long
def test_classical_methods_are_evaluated_in_their_order_with_progress_on_stderr(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("statsforecast", reason="classical methods need the extra `evaluation`")
    command = [
        "evaluate",
        str(csv_file(tmp_path)),
        "--models",
        str(models),
        "--stride",
        "36",
        "--season",
        "0",
    ]
    command += ["--classical", "--cache", str(tmp_path / "cache"), "--workers", "1", "--json"]
    assert main(command) == 0
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("classical methods")]
    assert lines[0] == "classical methods: 0/8 forecasts, 0:00"  # four methods at two origins
    assert lines[-1].startswith("classical methods: 8/8 forecasts")
    overall = list(json.loads(captured.out)["overall"])
    assert overall[-6:] == ["SES", "AutoETS", "AutoARIMA", "Theta", "MSTL", "MSTL+ARIMA"]
    assert main(command) == 0
    assert "classical methods: 8/8 forecasts, 0:00" in capsys.readouterr().err  # from the cache


def test_warns_if_the_model_was_trained_on_the_readings(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = models / "forecast" / "1" / "model.json"
    described = json.loads(path.read_text())
    listed = [{"name": "shop", "validation_until": "2023-11-15T01:01:20Z"}]  # 168 of 240 minutes
    path.write_text(
        json.dumps({**described, "training": {**described["training"], "data": {"series": listed}}})
    )
    command = ["evaluate", str(csv_file(tmp_path)), "--models", str(models)]
    assert main(command) == 0
    assert "was trained on" not in capsys.readouterr().err
    assert main([*command, "--test-share", "0.5"]) == 0
    warning = (
        "shop: the forecasts begin at 2023-11-15T00:13:20Z, but the model was trained on the readings until"
        " 2023-11-15T01:01:20Z"
    )
    assert warning in capsys.readouterr().err


@pytest.fixture
def trained_on(models: Path, tmp_path: Path) -> Callable[..., Path]:
    """trained_on(version, series, from_version) writes the training data into a version of a copy of the models."""
    copy = shutil.copytree(models, tmp_path / "models")

    def write_training_data(
        version: int, series: list[dict[str, str]], from_version: int | None = None
    ) -> Path:
        folder = copy / "forecast" / str(version)
        if not folder.is_dir():
            shutil.copytree(copy / "forecast" / "1", folder)
        described = json.loads((folder / "model.json").read_text())
        data = {"series": series} | ({"from_version": from_version} if from_version else {})
        described |= {"version": version, "training": {**described["training"], "data": data}}
        (folder / "model.json").write_text(json.dumps(described))
        return copy

    return write_training_data


def test_readings_are_recognised_by_their_fingerprint_under_another_name(
    trained_on: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = csv_file(tmp_path)
    [series] = read_csv(file)
    folder = trained_on(
        1, [{"name": "x", "sha256": sha256(series), "validation_until": "2023-11-15T02:00:00Z"}]
    )
    file = file.rename(tmp_path / "renamed.csv")
    assert main(["evaluate", str(file), "--models", str(folder)]) == 0
    assert "renamed: the forecasts begin at" in capsys.readouterr().err


def test_warns_also_about_the_training_data_of_earlier_versions(
    trained_on: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained_on(1, [{"name": "shop", "validation_until": "2023-11-15T02:00:00Z"}])
    trained_on(2, [{"name": "bakery", "validation_until": "2023-11-15T02:00:00Z"}], from_version=1)
    folder = trained_on(3, [{"name": "shop", "validation_until": "2023-11-15T00:00:00Z"}], from_version=2)
    assert main(["evaluate", str(csv_file(tmp_path)), "--models", str(folder)]) == 0
    assert "was trained on the readings until 2023-11-15T02:00:00Z" in capsys.readouterr().err


@pytest.mark.parametrize(("season", "is_too_long"), [(24, False), (25, True)])
def test_warns_if_a_season_is_longer_than_the_window(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], season: int, is_too_long: bool
) -> None:
    seasons = ["--season", "12", "--season", str(season)]
    words = ["evaluate", str(csv_file(tmp_path)), "--models", str(models), *seasons]
    assert main(words) == 0
    warning = (
        "the season is longer than the model's window of 24 readings: shop (25); train with --window auto"
    )
    assert (warning in capsys.readouterr().err) is is_too_long


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--version", "7"], "no version 7; there are 1"),
        (["--name", "other"], "contains no version of a model"),
        (["--test-share", "2"], "--test-share is 2.0"),
        (["--stride", "0"], "--stride is 0"),
        (["--workers", "-1", "--classical"], "--workers is -1; it must be at least 1"),
        (["--plots", __file__], f"--plots {__file__}: cannot be created: File exists"),
    ],
)
def test_wrong_flags_are_one_clear_sentence(
    flags: list[str], sentence: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(csv_file(tmp_path)), "--models", str(models), *flags]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("described", "sentence"),
    [
        ({"window": None}, "has no positive integer 'window'"),
        ({"window": 12}, "does not accept a window of 12 readings"),
        ({"horizon": 3}, "returns the shape [1, 6, 3], not [1, 3, 3]"),
        ({"training": None}, None),
        ({"training": {"settings": None, "data": {"series": [None]}}}, None),
    ],
)
def test_a_model_json_of_another_program_is_read_or_refused(
    described: dict[str, Any],
    sentence: str | None,
    models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copied = Path(shutil.copytree(models, tmp_path / "models"))
    document = copied / "forecast" / "1" / "model.json"
    document.write_text(json.dumps({**json.loads(document.read_text()), **described}))
    code = main(["evaluate", str(csv_file(tmp_path)), "--models", str(copied)])
    assert code == (0 if sentence is None else 1)
    assert (sentence or "") in capsys.readouterr().err


def test_too_few_readings_are_an_error(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(csv_file(tmp_path, 15)), "--models", str(models)]) == 1
    assert "shop: no origin: 15 readings" in capsys.readouterr().err


def test_without_models_the_base_model_is_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = csv_file(tmp_path)
    assert main(["evaluate", str(file), "--horizon", "30", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["horizon"] == 30
    assert result["overall"]["model"]["relative_mae"] < 1
    assert main(["evaluate", str(file), "--horizon", "97"]) == 1
    assert "--horizon is 97; it must be between 1 and 96" in capsys.readouterr().err
