from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast.series.window import MIN_HISTORY, MISSING
from model_service.serving.version_folder import hashes_of
from model_service.training.backend import keras
from model_service.training.base.fine_tune import FineTuned
from model_service.training.base.folder import weights_file
from model_service.training.base.shape import QUANTILES, SHORT
from model_service.training.base.tuned_folder import write_fine_tuned
from model_service.training.model_folder import read_model_json
from model_service.training.settings import TrainingSettings
from model_service.training.version_writer import weights_sha256

START = {"name": "base", "version": 1}


@pytest.fixture(scope="module")
def tuned() -> FineTuned:
    """A small network of the same shape as a tuned one of six steps."""
    windows = keras.Input((SHORT.window,))
    forecast = keras.layers.Reshape((6, len(QUANTILES)))(keras.layers.Dense(6 * len(QUANTILES))(windows))
    network = keras.Model(windows, {"forecast": forecast})
    return FineTuned(network, TrainingSettings(window=24, horizon=6), size=SHORT, base=network)


@pytest.fixture(scope="module")
def version(tuned: FineTuned, tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("models")
    return write_fine_tuned(tuned, START, models, "forecast", {"metrics": {"validation_error": 0.5}})[0]


def test_model_json_describes_a_base_model_of_one_size(version: Path, tuned: FineTuned) -> None:
    described = read_model_json(version)
    assert (described["name"], described["version"], described["fine_tuned_from"]) == ("forecast", 1, START)
    assert (described["window"], described["sizes"]) == (None, [{"window": 64, "horizon": 6}])
    assert (described["missing"], described["least_history"]) == (MISSING, MIN_HISTORY)
    assert described["quantiles"] == list(QUANTILES)
    assert described["metrics"] == {"validation_error": 0.5}
    assert described["parameters"] == tuned.network.count_params()


def test_the_version_has_the_model_and_the_weights_to_continue_from(version: Path, tuned: FineTuned) -> None:
    assert {path.name for path in version.iterdir()} == {"model-64.tflite", weights_file(SHORT), "model.json"}
    described = read_model_json(version)
    assert described["files_sha256"] == hashes_of(version)
    assert described["weights_sha256"] == weights_sha256(tuned.network)
    restored = keras.models.clone_model(tuned.network)
    restored.load_weights(version / weights_file(SHORT))
    for loaded, written in zip(restored.get_weights(), tuned.network.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, written)
