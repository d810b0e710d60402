from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.generated.generator import generate
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Trained
from model_service.training.trainer import train
from model_service.training.version_writer import write_version

# The tests of a training take seconds, and minutes on a busy machine.
TRAIN_S = 600
TINY = TrainingSettings(window=24, horizon=6, units=8, epochs=3, steps_per_epoch=20, batch=32)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that train, or that share a trained model, the time that a busy machine needs."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TRAIN_S))


@pytest.fixture(scope="session")
def tiny_settings() -> TrainingSettings:
    return TINY


@pytest.fixture(scope="session")
def trained() -> Trained:
    """A tiny model, trained briefly, so that it differs from its initial weights."""
    return train(generate(60, 150, 12, seed=1), TINY)


@pytest.fixture(scope="session")
def models(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with the tiny model as version 1 of `forecast`."""
    folder = tmp_path_factory.mktemp("models")
    description = {"training": {"settings": trained.settings.as_json()}, "metrics": {}}
    write_version(trained.network, trained.settings, folder, "forecast", description)
    return folder


@pytest.fixture
def windows() -> Any:
    """(32, 24) float32 windows of several scales."""
    rng = np.random.default_rng(3)
    walks = rng.normal(size=(32, 24)).cumsum(axis=1) * 10.0 ** rng.integers(-2, 5, size=(32, 1))
    return walks.astype(np.float32)
