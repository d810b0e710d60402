"""Makes the forecast function's modules importable from their folder, as the FDK does, and runs a model service."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_model_service import Addresses, FakeRepository, running_model_service

from model_service.serving import model as served
from model_service.serving.runtimes.runtime import Array, TensorSpec

sys.path.insert(0, str(Path(__file__).parents[2] / "functions" / "forecast"))

FLOAT32 = np.dtype(np.float32)


class Naive:
    """Repeats the last reading. The outer quantiles are one below and above; a foreign model has no quantiles."""

    kind = "naive"

    def __init__(self, window: int, horizon: int, is_foreign: bool = False) -> None:
        self.inputs = (TensorSpec("windows", FLOAT32, (-1, window)),)
        shape = (-1, horizon) if is_foreign else (-1, horizon, 3)
        self.outputs = (TensorSpec("forecast", FLOAT32, shape),)
        self._spread = np.zeros(horizon) if is_foreign else np.array([[-1.0, 0.0, 1.0]] * horizon)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        last = inputs["windows"][:, -1].reshape(-1, *[1] * self._spread.ndim)
        return {"forecast": (last + self._spread).astype(np.float32)}


class Naives(FakeRepository):
    def put(self, version: int, window: int, horizon: int = 2, is_foreign: bool = False) -> None:
        details: dict[str, Any] = {"window": window, "horizon": horizon, "quantiles": [0.1, 0.5, 0.9]}
        description = "a model" if is_foreign else json.dumps(details)
        runtime = Naive(window, horizon, is_foreign)
        model = served.Model("forecast", version, runtime, description, {} if is_foreign else details)
        self.paths = dict.fromkeys(("/", "/forecast", f"/forecast/{version}"), model)


@pytest.fixture
def shelf() -> Naives:
    """The models of the service at `model_url`. Empty at first."""
    return Naives()


@pytest.fixture
def addresses(shelf: Naives) -> Iterator[Addresses]:
    with running_model_service(shelf) as addresses:
        yield addresses


@pytest.fixture
def model_url(addresses: Addresses) -> str:
    """The URL of a running model service."""
    return addresses.url


@pytest.fixture
def grpc_url(addresses: Addresses) -> str:
    """The gRPC URL of the same service."""
    return f"grpc://{addresses.grpc}"
