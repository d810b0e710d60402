"""An unverified .tflite file is opened in a child process first."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from model_service.serving.runtimes import litert_probe
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime


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
