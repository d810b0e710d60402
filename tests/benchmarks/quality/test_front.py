"""Accuracy against time: a peer that fails leaves the other methods their results."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lib.environment import NoEnvironment
from benchmarks.quality import front
from fncast import models as base_models


@pytest.mark.parametrize(
    ("program", "reason"),
    [("import time; time.sleep(60)", "did not end within 0.2 s"), ("exit('no torch')", "fails: no torch")],
)
def test_a_peer_that_hangs_or_fails_is_left_out(
    program: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "peer.py"
    file.write_text(program)
    monkeypatch.setattr(front, "python_of", lambda name: sys.executable)
    monkeypatch.setattr(front, "FRACAST", file)
    monkeypatch.setattr(front, "PEER_S", 0.2 if "sleep" in program else 60.0)
    with pytest.raises(NoEnvironment, match=reason):
        front.fracast(np.zeros((2, 8)), 1, tmp_path)


def test_the_trained_network_is_that_of_forecast(tmp_path: Path) -> None:
    """The folder may hold other models, and retired versions."""
    pytest.importorskip("ai_edge_litert")
    base = base_models.FOLDER / base_models.BASE / "1"
    described = json.loads((base / "model.json").read_text())
    for version, window in (("air/1", 512), ("forecast/1", 64), ("forecast/2", 512)):
        folder = tmp_path / version
        folder.mkdir(parents=True)
        shutil.copy(base / f"model-{window}.tflite", folder)
        sizes = [size for size in described["sizes"] if size["window"] == window]
        (folder / "model.json").write_text(json.dumps({**described, "sizes": sizes, "files_sha256": None}))
    (tmp_path / "forecast" / "2" / "retired").touch()
    window, forecast = front.trained_method(tmp_path)
    assert window == 64
    assert forecast(np.zeros((2, 64)), 12).shape == (2, 12, 9)
