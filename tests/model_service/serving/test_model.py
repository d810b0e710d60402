from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model_service.serving.model import DoesNotFit, Model, UnknownTensor
from model_service.serving.runtimes.runtime import TensorSpec, UnusableModel


def test_a_model_whose_types_graphpipe_lacks_is_unusable(fake_runtime: Any) -> None:
    runtime = fake_runtime()
    runtime.outputs = (TensorSpec("mask", np.dtype(bool), (-1,)),)
    with pytest.raises(UnusableModel, match="GraphPipe cannot carry 'mask': GraphPipe has no type for bool"):
        Model("mask", 1, runtime)


WINDOWS = np.zeros((2, 6), np.float32)


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (WINDOWS.astype(np.float64), "input 'windows' of forecast/1 is Float32, not Float64"),
        (WINDOWS[:, :5], r"input 'windows' of forecast/1 has the shape \[-1, 6\], not \[2, 5\]"),
        (WINDOWS[:0], "input 'windows' is empty"),
    ],
)
async def test_a_tensor_that_does_not_fit_is_described(fake_runtime: Any, tensor: Any, reason: str) -> None:
    model = Model("forecast", 1, fake_runtime(), details={"window": 6})
    with pytest.raises(DoesNotFit, match=reason):
        model.submit([tensor])
    await model.close()


async def test_an_unknown_name_is_answered_with_the_known_ones(fake_runtime: Any) -> None:
    model = Model("forecast", 1, fake_runtime(), details={"window": 6})
    with pytest.raises(UnknownTensor, match="has no input 'readings'; it has windows"):
        model.submit([WINDOWS], ["readings"])
    with pytest.raises(UnknownTensor, match="has no output 'mean'; it has forecast"):
        model.requested_outputs(["mean"])
    assert model.requested_outputs([]) == ("forecast",)
    await model.close()


def test_an_output_is_returned_once(fake_runtime: Any) -> None:
    """A short request could otherwise ask for the same large output hundreds of times."""
    model = Model("forecast", 1, fake_runtime())
    assert model.requested_outputs(["forecast"]) == ["forecast"]
    with pytest.raises(UnknownTensor, match="an output is named twice: forecast, forecast"):
        model.requested_outputs(["forecast", "forecast"])


def test_a_new_model_json_needs_no_load_unless_it_changes_a_shape(fake_runtime: Any) -> None:
    model = Model("forecast", 1, fake_runtime(), "old", {"window": 6, "note": "old"})
    assert not model.replace_document("new", {"window": 6, "horizon": 2})
    assert model.metadata.description == "old"
    assert model.replace_document("new", {"window": 6, "note": "new"})
    assert (model.metadata.description, model.details["note"]) == ("new", "new")
