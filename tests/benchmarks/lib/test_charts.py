from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lib import charts
from benchmarks.lib.spread import Spread


def test_the_front_has_the_points_that_no_other_beats_in_both() -> None:
    points = [(3.0, 3.0), (1.0, 4.0), (2.0, 2.0), (2.0, 1.0), (4.0, 1.0)]
    assert charts.pareto_front(points) == [(1.0, 4.0), (2.0, 1.0)]


def test_the_same_figures_give_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    spreads = {"fncast": Spread(1.0, 2.0, 3.0), "a peer": Spread(4.0, 5.0, 6.0)}
    files = []
    for name in ("first", "second"):
        chart = charts.bars(tmp_path, name, spreads, "events a second", ["fncast"])
        assert chart is not None
        files.append((tmp_path / chart.file).read_text())
    assert files[0] == files[1]
    assert not any(line.endswith(" ") for line in files[0].splitlines())


def test_without_a_folder_nothing_is_drawn() -> None:
    assert charts.bars(None, "a", {"fncast": Spread.of([1.0])}, "events a second", []) is None
