"""LiteRT: files that are broken, or that change while they are served."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime


def test_auto_falls_back_to_tensorflow_for_a_broken_tflite_file(made_models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "1"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"not a model")
    for name in ("saved_model.pb", "variables"):
        (folder / name).symlink_to(made_models / "ours" / name)
    assert open_runtime(folder).kind == "tensorflow"
    with pytest.raises(UnusableModel, match=r"LiteRT cannot load .*model\.tflite"):
        open_runtime(folder, "litert")


def test_strings_are_objects_in_metadata_and_in_calls(made_models: Path) -> None:
    strings = open_runtime(made_models / "strings.tflite", is_unverified=True)
    assert [spec.dtype for spec in (*strings.inputs, *strings.outputs)] == [np.dtype(object)] * 2
    (output,) = strings.run({strings.inputs[0].name: np.array([b"a", b"bc"], object)}).values()
    assert output.tolist() == [[b"a"], [b"bc"]]


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
