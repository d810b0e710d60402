"""One contract suite for all runtimes, including the fake of other tests; and the choice of a runtime."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from model_service.serving.runtimes import litert_probe
from model_service.serving.runtimes.runtime import RefusedInput, Runtime, UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime

needs_tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="needs TensorFlow")


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


def test_auto_falls_back_to_tensorflow_for_a_broken_tflite_file(made_models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "1"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"not a model")
    for name in ("saved_model.pb", "variables"):
        (folder / name).symlink_to(made_models / "ours" / name)
    assert open_runtime(folder).kind == "tensorflow"
    with pytest.raises(UnusableModel, match=r"LiteRT cannot load .*model\.tflite"):
        open_runtime(folder, "litert")


def test_truncating_a_loaded_tflite_file_is_harmless(made_models: Path, tmp_path: Path) -> None:
    """Runs in a child process, because truncating a memory-mapped file would end the process by SIGBUS."""
    path = tmp_path / "model.tflite"
    path.write_bytes((made_models / "ours" / "model.tflite").read_bytes())
    script = (
        "import sys, os, numpy as np; from pathlib import Path;"
        "from model_service.serving.runtimes.runtime_choice import open_runtime;"
        "runtime = open_runtime(Path(sys.argv[1]), 'litert'); os.truncate(sys.argv[1], 0);"
        "print(runtime.run({'windows': np.zeros((3, 6), np.float32)})['forecast'].shape)"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "(3, 2, 3)\n"), done.stderr


def test_a_foreign_saved_model(made_models: Path) -> None:
    foreign = open_runtime(made_models / "foreign")
    assert [spec.name for spec in foreign.inputs] == ["a", "b"]
    outputs = foreign.run({"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])})
    assert outputs["total"] == 10
    assert outputs["product"].tolist() == [3, 8]
    with pytest.raises(RefusedInput, match=r"^InvalidArgumentError: assertion failed: .*x >= 0"):
        foreign.run({"a": np.array([-1.0]), "b": np.array([3.0])})
    with pytest.raises(RefusedInput, match=r"^InvalidArgumentError: Incompatible shapes: \[2\] vs\. \[3\]$"):
        foreign.run({"a": np.ones(2), "b": np.ones(3)})


def test_a_frozen_graph(made_models: Path) -> None:
    for names in ({}, {"inputs": ["x"], "outputs": ["y:0"]}):
        frozen = open_runtime(made_models / "frozen.pb", **names)
        (output,) = frozen.run({"x": np.array([[1, 2]], np.float32)}).values()
        assert output.tolist() == [[3, 5]]
    assert frozen.outputs[0].name == "y:0"
    with pytest.raises(UnusableModel, match="no node 'z'; it has x, "):
        open_runtime(made_models / "frozen.pb", inputs=["z"])


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
def test_folders_without_a_usable_model(
    tmp_path: Path, files: dict[str, bytes], runtime: str, reason: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableModel, match=reason):
        open_runtime(tmp_path, runtime)


@needs_tensorflow
def test_an_invalid_frozen_graph(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(b"not a graph")
    with pytest.raises(UnusableModel, match="TensorFlow cannot load"):
        open_runtime(tmp_path / "model.pb")
    with pytest.raises(UnusableModel, match="needs the TensorFlow runtime"):
        open_runtime(tmp_path / "model.pb", "litert")


def test_a_model_that_needs_tensorflow_without_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "saved_model.pb").touch()
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.delitem(sys.modules, "model_service.serving.runtimes.tensorflow_runtime", raising=False)
    monkeypatch.delattr("model_service.serving.runtimes.tensorflow_runtime", raising=False)
    with pytest.raises(UnusableModel, match=r"needs TensorFlow .* pip install '\.\[training\]'"):
        open_runtime(tmp_path)


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """interpreter(script) replaces the Python interpreter of child processes."""

    def put(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return put


def test_an_unverified_file_that_crashes_only_ends_the_child_process(
    tmp_path: Path, interpreter: Callable[[str], None]
) -> None:
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "model.tflite"
    path.write_bytes(b"x")
    interpreter("kill -SEGV $$")
    with pytest.raises(
        UnusableModel, match=r"model\.tflite crashes the process that opens it \(SIGSEGV\): it is damaged"
    ):
        open_runtime(path, is_unverified=True)
    with pytest.raises(UnusableModel, match="LiteRT cannot load"):
        open_runtime(path)


def test_an_unverified_file_that_hangs_is_rejected(
    tmp_path: Path, interpreter: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litert_probe, "TIMEOUT_S", 0.1)
    interpreter("exec sleep 60")
    with pytest.raises(UnusableModel, match=r"cannot be opened within 0\.1 s"):
        litert_probe.check_loads(tmp_path / "model.tflite")


def test_an_unverified_file_is_opened_and_run_in_a_child_process(made_models: Path, tmp_path: Path) -> None:
    assert open_runtime(made_models / "ours" / "model.tflite", is_unverified=True).kind == "litert"
    (tmp_path / "model.tflite").write_bytes(b"x" * 1000)
    with pytest.raises(UnusableModel, match="LiteRT cannot load"):  # the error of our attempt
        open_runtime(tmp_path, is_unverified=True)
