"""Fixtures: small models (created once per run), a fake of them in numpy, and the service as a process."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_model_service import Addresses, FakeRepository, running_model_service

from model_service.serving.model import Model
from model_service.serving.runtimes.runtime import Array, TensorSpec
from tests.model_service.asgi_service import (
    MODEL_DETAILS,
    AsgiService,
    RefreshedRepository,
)
from tests.running_command import RunningCommand

MAKE = Path(__file__).with_name("make_models.py")
# Importing TensorFlow can take minutes on a busy machine.
MAKE_S = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that may have to create the models the time to do so."""
    for item in items:
        if "made_models" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(MAKE_S + 300))


@pytest.fixture(scope="session")
def made_models(once_per_run: Callable[..., Path]) -> Path:
    """The folder with the models of make_models.py."""
    if importlib.util.find_spec("tensorflow") is None:  # not imported here, because that is slow
        pytest.skip("needs TensorFlow to create models")

    def make(folder: Path) -> None:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, MAKE, folder], env=environment, capture_output=True, text=True, timeout=MAKE_S
        )
        assert done.returncode == 0, done.stderr

    return once_per_run("made-models", make)


Place = Callable[..., Path]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """An empty models folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def place(made_models: Path, models: Path) -> Place:
    """place(variant, version) copies a model to forecast/<version> in one step, as training does."""

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
    """The class, for tests that create runtimes with other shapes."""
    return FakeRuntime


Start = Callable[..., RunningCommand]


@pytest.fixture
def start() -> Iterator[Start]:
    """start(*arguments) runs `fncast model-service` on a free port; running processes are killed at the end."""
    started: list[RunningCommand] = []

    def begin(*arguments: object) -> RunningCommand:
        started.append(RunningCommand("model-service", "--port", 0, *arguments))
        started[-1].wait_for("GraphPipe on")
        return started[-1]

    yield begin
    for service in started:
        service.close()


class Words:
    """A foreign model. Inputs: an INT32 and a BYTES tensor. Outputs: doubled numbers, lengths, texts."""

    kind = "fake"
    inputs = (TensorSpec("numbers", np.dtype("<i4"), (-1,)), TensorSpec("texts", np.dtype(object), (-1,)))
    outputs = (
        TensorSpec("doubled", np.dtype("<i4"), (-1,)),
        TensorSpec("lengths", np.dtype("<i8"), (-1,)),
        TensorSpec("texts", np.dtype(object), (-1,)),
    )

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        lengths = np.array([len(text) for text in inputs["texts"]], np.int64)
        return {"doubled": inputs["numbers"] * 2, "lengths": lengths, "texts": inputs["texts"]}


@pytest.fixture
def shelf(fake_runtime: Any) -> FakeRepository:
    """forecast/1, forecast/2 (the default) and words/1."""
    shelf = FakeRepository()
    old = Model("forecast", 1, fake_runtime(offset=100), json.dumps(MODEL_DETAILS), MODEL_DETAILS)
    new = Model("forecast", 2, fake_runtime(), json.dumps(MODEL_DETAILS), MODEL_DETAILS)
    words = Model("words", 1, Words())
    shelf.paths = {
        "/": new,
        "/forecast": new,
        "/forecast/1": old,
        "/forecast/2": new,
        "/words": words,
        "/words/1": words,
    }
    return shelf


@pytest.fixture
def addresses(shelf: FakeRepository) -> Iterator[Addresses]:
    with running_model_service(shelf) as addresses:
        yield addresses


@pytest.fixture
def url(addresses: Addresses) -> str:
    """The address of the running service."""
    return addresses.url


@pytest.fixture
def grpc_address(addresses: Addresses) -> str:
    """The gRPC address of the same service, as host:port."""
    return addresses.grpc


@pytest.fixture
async def service(fake_runtime: Any) -> AsyncIterator[AsgiService]:
    shelf = RefreshedRepository()
    service = AsgiService(shelf)
    old = Model("forecast", 1, fake_runtime(offset=100), "{}", MODEL_DETAILS, service.metrics.observe)
    new = Model(
        "forecast", 2, fake_runtime(), json.dumps(MODEL_DETAILS), MODEL_DETAILS, service.metrics.observe
    )
    shelf.paths = {"/": new, "/forecast": new, "/forecast/2": new, "/forecast/1": old}
    yield service
    await old.close()
    await new.close()
