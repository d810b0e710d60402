"""Accuracy against time: a peer that fails leaves the other methods their results."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lib.environment import NoEnvironment
from benchmarks.quality import front


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
