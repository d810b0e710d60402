from __future__ import annotations

from benchmarks.lib import charts
from benchmarks.lib.spread import Spread


def test_the_front_has_the_points_that_no_other_beats_in_both() -> None:
    points = [(3.0, 3.0), (1.0, 4.0), (2.0, 2.0), (2.0, 1.0), (4.0, 1.0)]
    assert charts.pareto_front(points) == [(1.0, 4.0), (2.0, 1.0)]


def test_without_a_folder_nothing_is_drawn() -> None:
    assert charts.bars(None, "a", {"fncast": Spread.of([1.0])}, "events a second", []) is None
