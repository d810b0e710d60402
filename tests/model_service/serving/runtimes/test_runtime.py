"""One contract suite for all runtimes, including the fake of other tests; and the choice of a runtime."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from model_service.serving.runtimes.runtime import Runtime, UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime
from tests.model_service.serving.runtimes.marks import needs_tensorflow


@pytest.fixture(params=["fake", "litert", "tensorflow"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """Each runtime with the model `ours` of make_models.py: mean of the window + step + quantile."""
    if request.param == "fake":
        return request.getfixturevalue("fake_runtime")(window=6, horizon=2)
    models: Path = request.getfixturevalue("made_models")
    return open_runtime(models / "ours", request.param)


def test_it_describes_its_tensors(runtime: Runtime) -> None:
    (windows,), (forecast,) = runtime.inputs, runtime.outputs
    assert (windows.name, windows.dtype, windows.shape) == ("windows", np.dtype("<f4"), (-1, 6))
    assert (forecast.name, forecast.dtype) == ("forecast", np.dtype("<f4"))
    assert forecast.shape == (-1, 2, 3)


@pytest.mark.parametrize("rows", [1, 7, 64, 3, 1024])
def test_it_runs_any_number_of_rows_and_returns_copies(runtime: Runtime, rows: int) -> None:
    windows = np.random.default_rng(rows).normal(size=(rows, 6)).astype(np.float32)
    windows.flags.writeable = False  # as a view of a request's body
    answer = runtime.run({"windows": windows})["forecast"]
    before = answer.copy()
    steps = np.arange(2)[:, None] + np.arange(3)[None, :]
    np.testing.assert_allclose(answer, windows.mean(1)[:, None, None] + steps, atol=1e-5)
    runtime.run({"windows": windows + 1})
    np.testing.assert_array_equal(answer, before)


@pytest.mark.parametrize(
    ("files", "runtime", "reason"),
    [
        ({}, "auto", r"contains neither saved_model\.pb nor model\.tflite"),
        ({"model.tflite": b""}, "auto", "LiteRT cannot load .*: the file is empty"),
        ({"model.tflite": b"x" * 1000}, "litert", "LiteRT cannot load"),
        ({"model.tflite": b"x"}, "tensorflow", r"contains no saved_model\.pb"),
        ({"model-64.tflite": b"x"}, "tensorflow", "exported for LiteRT only"),
        ({"saved_model.pb": b"x"}, "litert", r"contains no model\.tflite"),
        pytest.param(
            {"saved_model.pb": b"x" * 100}, "auto", "TensorFlow cannot load", marks=needs_tensorflow
        ),
        pytest.param(
            {"saved_model.pb": b""}, "auto", "TensorFlow cannot load|signature", marks=needs_tensorflow
        ),
    ],
)
def test_a_folder_without_a_usable_model_is_rejected_with_the_reason(
    tmp_path: Path, files: dict[str, bytes], runtime: str, reason: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableModel, match=reason):
        open_runtime(tmp_path, runtime)


def test_a_model_that_needs_tensorflow_is_rejected_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "saved_model.pb").touch()
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.delitem(sys.modules, "model_service.serving.runtimes.tensorflow_runtime", raising=False)
    monkeypatch.delattr("model_service.serving.runtimes.tensorflow_runtime", raising=False)
    with pytest.raises(UnusableModel, match=r"needs TensorFlow .* pip install '\.\[training\]'"):
        open_runtime(tmp_path)
