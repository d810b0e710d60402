"""What `fncast evaluate` prints: tables, JSON and warnings."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fncast.cli.main import main
from fncast.series.csv.file import read_csv
from tests.fncast.cli.evaluation.files import minutes_file

pytest.importorskip("tensorflow", reason="evaluation needs the extra `training`")

from model_service.training.provenance import sha256


def test_json_holds_the_result_of_each_series(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(minutes_file(tmp_path)), "--models", str(untrained), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["model"] == {"name": "forecast", "version": 1, "path": str(untrained / "forecast" / "1")}
    assert result["origins"] == 12  # 30 % of 240 readings, 6 steps each
    assert result["series"]["shop"]["seasons"] == [12]
    assert set(result["overall"]) == {"model", "last value", "seasonal naive", "quantiles of the last 12"}
    assert result["overall"]["last value"]["relative_mae"] == pytest.approx(1)


def test_the_tables_compare_the_model_with_other_methods(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "evaluate",
        str(minutes_file(tmp_path)),
        "--models",
        str(untrained),
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


@pytest.fixture
def trained_on(untrained: Path, tmp_path: Path) -> Callable[..., Path]:
    """trained_on(version, series, from_version) writes the training data into a version of a copy of the models."""
    copy = shutil.copytree(untrained, tmp_path / "models")

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


def test_warns_if_model_json_lists_only_some_of_the_series(
    trained_on: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = trained_on(1, [{"name": "other", "validation_until": "2023-11-15T01:01:20Z"}])
    command = ["evaluate", str(minutes_file(tmp_path)), "--models", str(models)]
    assert main(command) == 0
    assert "lists only some" not in capsys.readouterr().err
    document = models / "forecast" / "1" / "model.json"
    described = json.loads(document.read_text())
    described["training"]["data"]["series_count"] = 201
    document.write_text(json.dumps(described))
    assert main(command) == 0
    assert (
        "shop: the real errors may be larger, because model.json lists only some" in capsys.readouterr().err
    )


def test_warns_if_the_model_was_trained_on_the_readings(
    trained_on: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The readings until here are 168 of 240 minutes.
    models = trained_on(1, [{"name": "shop", "validation_until": "2023-11-15T01:01:20Z"}])
    command = ["evaluate", str(minutes_file(tmp_path)), "--models", str(models)]
    assert main(command) == 0
    assert "was trained on" not in capsys.readouterr().err
    assert main([*command, "--test-share", "0.5"]) == 0
    warning = (
        "shop: the forecasts begin at 2023-11-15T00:13:20Z, but the model was trained on the readings until"
        " 2023-11-15T01:01:20Z"
    )
    assert warning in capsys.readouterr().err


def test_readings_are_recognised_by_their_fingerprint_under_another_name(
    trained_on: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = minutes_file(tmp_path)
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
    assert main(["evaluate", str(minutes_file(tmp_path)), "--models", str(folder)]) == 0
    assert "was trained on the readings until 2023-11-15T02:00:00Z" in capsys.readouterr().err


@pytest.mark.parametrize(("season", "is_too_long"), [(24, False), (25, True)])
def test_warns_if_a_season_is_longer_than_the_window(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], season: int, is_too_long: bool
) -> None:
    seasons = ["--season", "12", "--season", str(season)]
    words = ["evaluate", str(minutes_file(tmp_path)), "--models", str(untrained), *seasons]
    assert main(words) == 0
    warning = (
        "the season is longer than the model's window of 24 readings: shop (25); train with --window auto"
    )
    assert (warning in capsys.readouterr().err) is is_too_long
