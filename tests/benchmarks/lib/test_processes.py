"""The processes of a benchmark: their memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.lib.processes import Processes


class SmallProcess(psutil.Process):
    """This process, with a memory of 1.5 million bytes."""

    def memory_info(self) -> Any:
        return super().memory_info()._replace(rss=1_500_000)


def test_memory_is_the_sum_of_a_family_in_millions_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = Processes(tmp_path)
    monkeypatch.setattr(processes, "family", lambda name: [SmallProcess(), SmallProcess()])
    assert processes.memory_mb("consumer") == 3.0
