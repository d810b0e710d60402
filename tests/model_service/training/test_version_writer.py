import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_service.serving.version_folder import hashes_of
from model_service.training.backend import tf
from model_service.training.model_folder import (
    WEIGHTS_FILE,
    find_version,
    read_model_json,
    settings_of,
    versions,
)
from model_service.training.network import build_network
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Trained, predict
from model_service.training.version_writer import add_metrics, weights_sha256, write_version


def litert(folder: Path) -> Any:
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(folder / "model.tflite"))
    return interpreter.get_signature_runner("serving_default")


def test_litert_saved_model_and_keras_agree(trained: Trained, models: Path, windows: Any) -> None:
    folder = find_version(models, "forecast")
    expected = predict(trained.network, windows)
    size = np.abs(windows).max(axis=1)[:, np.newaxis, np.newaxis]
    score = litert(folder)
    for count in (1, 32, 5):  # any batch size, in any order
        answer = score(windows=windows[:count])["forecast"]
        assert np.abs((answer - expected[:count]) / size[:count]).max() < 1e-5
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answer = signature(windows=tf.constant(windows))["forecast"].numpy()
    assert np.abs((answer - expected) / size).max() < 1e-5


def test_litert_needs_built_in_operations_only(models: Path) -> None:
    module = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = module.Interpreter(str(find_version(models, "forecast") / "model.tflite"))
    assert not [op for op in interpreter._get_ops_details() if op["op_name"].startswith(("Flex", "CUSTOM"))]
    assert interpreter.get_input_details()[0]["shape_signature"].tolist() == [-1, 24]


def test_xnnpack_runs_the_whole_graph(models: Path, windows: Any) -> None:
    assert partitions(find_version(models, "forecast"), windows) == 1


@pytest.mark.parametrize(
    ("window", "horizon", "seasons"),
    [
        (192, 48, (24, 168)),
        pytest.param(1400, 100, (4,), marks=pytest.mark.slow),  # steps share mixes, readings are averaged
    ],
)
def test_xnnpack_takes_the_whole_graph_of_long_windows(
    tmp_path: Path, window: int, horizon: int, seasons: tuple[int, ...]
) -> None:
    settings = TrainingSettings(window=window, horizon=horizon, seasons=seasons, units=8)
    folder, _ = write_version(build_network(settings), settings, tmp_path, "forecast", {"metrics": {}})
    windows = np.random.default_rng(0).normal(size=(3, window)).astype(np.float32)
    assert partitions(folder, windows) == 1


def partitions(folder: Path, windows: Any) -> int:
    """The number of partitions of the delegate. Each additional one copies all its tensors twice per call."""
    module = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = module.Interpreter(str(folder / "model.tflite"))
    interpreter.get_signature_runner("serving_default")(windows=windows)
    return [op["op_name"] for op in interpreter._get_ops_details()].count("DELEGATE")


def test_model_json_explains_the_version(trained: Trained, models: Path) -> None:
    folder = find_version(models, "forecast", 1)
    described = read_model_json(folder)
    assert described["name"] == "forecast"
    assert (described["version"], described["window"], described["horizon"]) == (1, 24, 6)
    assert described["quantiles"] == [0.1, 0.5, 0.9]
    assert described["weights_sha256"] == weights_sha256(trained.network)
    assert described["files_sha256"] == hashes_of(folder)
    assert set(described["files_sha256"]) == {"model.tflite", "saved_model.pb"}
    assert described["libraries"]["keras"]
    assert settings_of(folder) == trained.settings


def test_a_version_contains_the_weights_to_continue_from(
    trained: Trained, models: Path, windows: Any
) -> None:
    folder = find_version(models, "forecast")
    network = build_network(settings_of(folder))
    network.load_weights(folder / WEIGHTS_FILE)
    np.testing.assert_array_equal(predict(network, windows), predict(trained.network, windows))


def test_version_numbers_increase_and_no_other_files_remain(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "other" / "7").mkdir(parents=True)
    (tmp_path / "other" / "notes").mkdir()
    folder, written = write_version(trained.network, trained.settings, tmp_path, "other", {})
    assert (folder.name, written["version"]) == ("8", 8)
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == ["7", "8", "notes"]
    assert json.loads((folder / "model.json").read_text()) == written


def test_a_number_that_a_file_has_is_skipped(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "forecast" / "1").mkdir(parents=True)
    (tmp_path / "forecast" / "2").touch()
    folder, written = write_version(trained.network, trained.settings, tmp_path, "forecast", {})
    assert (folder.name, written["version"]) == ("3", 3)


def test_a_failure_while_writing_leaves_no_version(trained: Trained, tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise RuntimeError("no plots today")

    with pytest.raises(RuntimeError):
        write_version(trained.network, trained.settings, tmp_path, "forecast", {}, fail)
    assert list((tmp_path / "forecast").iterdir()) == []
    assert versions(tmp_path, "forecast") == []


def test_metrics_are_added_after_the_model(trained: Trained, tmp_path: Path) -> None:
    description = {"metrics": {"validation_error": 0.5}}
    folder, _ = write_version(trained.network, trained.settings, tmp_path, "forecast", description)
    before = {path.name for path in folder.iterdir()}
    described = add_metrics(folder, {"test": {"series": 3}})
    assert described == read_model_json(folder)
    assert described["metrics"] == {"validation_error": 0.5, "test": {"series": 3}}
    assert {path.name for path in folder.iterdir()} == before
