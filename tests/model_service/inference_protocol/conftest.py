"""A running model service over fakes, for clients of every protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from running_model_service import Addresses, Shelf, running_model_service

from model_service.model import Model
from model_service.runtime import Array, TensorSpec

DETAILS = {"window": 6, "horizon": 2, "quantiles": [0.1, 0.5, 0.9]}


class Words:
    """A model of another kind: an INT32 and a BYTES tensor in, lengths, the texts and doubled numbers out."""

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
def shelf(fake_runtime: Any) -> Shelf:
    """forecast/1 and forecast/2, the later the default; words/1."""
    shelf = Shelf()
    old = Model("forecast", 1, fake_runtime(offset=100), json.dumps(DETAILS), DETAILS)
    new = Model("forecast", 2, fake_runtime(), json.dumps(DETAILS), DETAILS)
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
def addresses(shelf: Shelf) -> Iterator[Addresses]:
    with running_model_service(shelf) as addresses:
        yield addresses


@pytest.fixture
def url(addresses: Addresses) -> str:
    """The address of the running service."""
    return addresses.url


@pytest.fixture
def grpc_address(addresses: Addresses) -> str:
    """Where the same service answers gRPC, as host:port."""
    return addresses.grpc
