"""Small models of each kind, made once a session, and a fake of them in numpy."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from model_service.runtime import Array, TensorSpec

MAKE = Path(__file__).with_name("make_models.py")


@pytest.fixture(scope="session")
def made_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that make_models.py wrote."""
    if importlib.util.find_spec("tensorflow") is None:  # importing it here would cost every session 3 s
        pytest.skip("needs TensorFlow to make models")
    folder = tmp_path_factory.mktemp("models")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    made = subprocess.run(
        [sys.executable, MAKE, folder], env=environment, capture_output=True, text=True, timeout=100
    )
    assert made.returncode == 0, made.stderr
    return folder


Place = Callable[..., Path]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """An empty models folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def place(made_models: Path, models: Path) -> Place:
    """place(variant, version) puts a made model in as forecast/<version>, whole or not at all, as training does."""

    def put(variant: str, version: int, name: str = "forecast") -> Path:
        written = models / ".written"
        shutil.copytree(made_models / variant, written)
        (models / name).mkdir(exist_ok=True)
        target = models / name / str(version)
        written.rename(target)
        return target

    return put


class FakeRuntime:
    """The formula of make_models.py: mean of the window + step + quantile + offset."""

    kind = "fake"

    def __init__(self, window: int = 6, horizon: int = 2, offset: float = 0.0) -> None:
        float32 = np.dtype(np.float32)
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("windows", float32, (-1, window)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("forecast", float32, (-1, horizon, 3)),)
        self.steps = np.arange(horizon, dtype=np.float32)[:, None] + np.arange(3, dtype=np.float32)[None, :]
        self.offset = np.float32(offset)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return {"forecast": inputs["windows"].mean(axis=1)[:, None, None] + self.steps + self.offset}


@pytest.fixture
def fake_runtime() -> type[FakeRuntime]:
    """Test files cannot import from each other, so the class comes as a fixture."""
    return FakeRuntime
