from __future__ import annotations

from pathlib import Path

import pytest

from model_service.serving.runtimes import runtime_choice
from model_service.serving.runtimes.runtime_choice import open_runtime


def test_auto_prefers_litert_but_does_not_need_it(made_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_runtime(made_models / "ours").kind == "litert"
    assert open_runtime(made_models / "ours" / "model.tflite").kind == "litert"
    monkeypatch.setattr(runtime_choice, "litert_is_installed", lambda: False)
    assert open_runtime(made_models / "ours").kind == "tensorflow"
