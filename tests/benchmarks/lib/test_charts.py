from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lib import charts
from benchmarks.lib.spread import Spread


def test_the_front_has_the_points_that_no_other_beats_in_both() -> None:
    points = [(3.0, 3.0), (1.0, 4.0), (2.0, 2.0), (2.0, 1.0), (4.0, 1.0)]
    assert charts.pareto_front(points) == [(1.0, 4.0), (2.0, 1.0)]


def test_without_a_folder_nothing_is_drawn() -> None:
    assert charts.bars(None, "a", {"fncast": Spread.of([1.0])}, "events a second", []) is None


@pytest.mark.parametrize(
    ("shortest", "label"), [(40.0, "events a second"), (1.0, "events a second (logarithmic)")]
)
def test_only_bars_that_differ_much_are_logarithmic(tmp_path: Path, shortest: float, label: str) -> None:
    spreads = {"fncast": Spread.of([1000.0]), "a loop": Spread.of([shortest])}
    chart = charts.bars(tmp_path, "rates", spreads, "events a second", ["fncast"])
    assert chart is not None
    assert chart.title == label
