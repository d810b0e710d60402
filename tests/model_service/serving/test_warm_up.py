from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_service.serving.model import Model
from model_service.serving.runtimes.runtime import TensorSpec, UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime


def test_a_version_that_returns_nan_is_rejected(made_models: Path) -> None:
    details = {"window": 6, "horizon": 2}
    with pytest.raises(
        UnusableModel, match=r"forecast/3 answers a plain window with values of 'forecast' that are not"
    ):
        Model("forecast", 3, open_runtime(made_models / "broken"), details=details)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"horizon": 12}, r"answers the shape \[1, 2, 3\], but its model.json says horizon 12"),
        ({"window": 8}, r"takes the shape \[-1, 6\], but its model.json says window 8"),
        ({"window": "6"}, r"takes the shape \[-1, 6\], but its model.json says window '6'"),
        ({"quantiles": [0.1, 0.9]}, r"answers the shape \[1, 2, 3\], but its .* quantiles \[0.1, 0.9\]"),
        ({"quantiles": [10, 50, 90]}, r"answers the shape \[1, 2, 3\], but its .* quantiles \[10, 50, 90\]"),
    ],
)
def test_a_version_that_contradicts_its_model_json_is_rejected(
    fake_runtime: Any, wrong: dict[str, Any], reason: str
) -> None:
    """A function would reject each event, or find that the outputs do not match their description."""
    details = {"window": 6, "horizon": 2, "quantiles": [0.1, 0.5, 0.9]}
    Model("forecast", 2, fake_runtime(horizon=2), details=details)
    with pytest.raises(UnusableModel, match=reason):
        Model("forecast", 3, fake_runtime(horizon=2), details={**details, **wrong})


class Sized:
    """A model of two sizes. steps: of the forecasts of each."""

    kind = "fake"
    inputs = (TensorSpec("windows", np.dtype(np.float32), (-1, -1)),)
    outputs = (TensorSpec("forecast", np.dtype(np.float32), (-1, -1, 1)),)

    def __init__(self, short: int, long: int) -> None:
        self.steps = {False: short, True: long}

    def run(self, inputs: Any) -> Any:
        windows = inputs["windows"]
        return {"forecast": np.zeros((len(windows), self.steps[windows.shape[1] > 64], 1), np.float32)}


def test_each_size_of_a_model_is_run() -> None:
    details = {
        "window": None,
        "sizes": [{"window": 64, "horizon": 24}, {"window": 512, "horizon": 96}],
        "quantiles": [0.5],
    }
    Model("base", 1, Sized(24, 96), details=details)
    with pytest.raises(
        UnusableModel, match=r"answers the shape \[1, 24, 1\], but its model.json says horizon 96"
    ):
        Model("base", 1, Sized(24, 24), details=details)
    for strange in (None, "512", [None, {"window": "512"}, {"window": 0, "horizon": 1}]):
        Model("base", 1, Sized(24, 24), details={**details, "sizes": strange})
