"""The processes of a benchmark: their memory."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.lib.processes import Processes


def test_memory_is_the_sum_of_a_family_in_millions_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=1_500_000))
    processes = Processes(tmp_path)
    monkeypatch.setattr(processes, "family", lambda name: [process, process])
    assert processes.memory_mb("consumer") == 3.0
