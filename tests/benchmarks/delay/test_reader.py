from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.delay.reader import ArrivalTimes


@pytest.mark.parametrize(
    ("partition", "offset", "seen_s"),
    [(0, 0, 1.5), (0, 9, 1.5), (0, 10, 2.5), (1, 3, 2.0), (0, 15, float("inf")), (2, 0, float("inf"))],
)
def test_a_record_arrived_with_its_batch(tmp_path: Path, partition: int, offset: int, seen_s: float) -> None:
    file = tmp_path / "seen"
    file.write_text("0 9 1.5\n1 3 2.0\n0 14 2.5\n")
    assert ArrivalTimes(file).at(partition, offset) == seen_s
