from typing import Any

import numpy as np
import pytest

from fncast.series.window import MISSING
from model_service.serving.runtimes.runtime import TensorSpec, UnusableModel
from model_service.serving.runtimes.sized_runtime import SizedRuntime


class Recording:
    """A model that keeps its last input."""

    kind = "litert"

    def __init__(self, window: int) -> None:
        self.inputs = (TensorSpec("windows", np.dtype(np.float32), (-1, window)),)
        self.outputs = (TensorSpec("forecast", np.dtype(np.float32), (-1, 4, 9)),)
        self.windows: Any = None

    def run(self, inputs: Any) -> Any:
        self.windows = inputs["windows"]
        return {"forecast": np.zeros((len(self.windows), 4, 9), np.float32)}


def test_the_smallest_size_that_holds_the_window_runs() -> None:
    short, long = Recording(4), Recording(8)
    runtime = SizedRuntime({8: long, 4: short})
    runtime.run({"windows": np.array([[1, 2, 3]], np.float32)})
    np.testing.assert_allclose(short.windows, [[MISSING, 1, 2, 3]])
    assert long.windows is None
    runtime.run({"windows": np.arange(10, dtype=np.float32)[np.newaxis]})
    assert long.windows.tolist() == [[2, 3, 4, 5, 6, 7, 8, 9]]
    assert runtime.inputs[0].shape == (-1, -1)
    assert runtime.outputs[0].shape == (-1, -1, 9)


def test_a_file_of_another_window_is_rejected() -> None:
    with pytest.raises(UnusableModel, match="windows of 4 readings"):
        SizedRuntime({4: Recording(5)})
