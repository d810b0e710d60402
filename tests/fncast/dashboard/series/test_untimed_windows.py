"""Windows without times are placed by the values that they share."""

import pytest

from fncast.dashboard.series.untimed_windows import UntimedWindows, count_new_values


def test_each_window_continues_after_the_values_that_it_shares_with_the_one_before() -> None:
    windows = UntimedWindows()
    assert windows.place([1, 2, 3], newest=-1) == 0
    assert windows.place([2, 3, 4], newest=2) == 1
    assert windows.place([8, 9], newest=3) == 4


@pytest.mark.parametrize(
    ("known", "window", "added"),
    [
        ([], [1, 2, 3], 3),
        ([1, 2, 3], [2, 3, 4], 1),
        ([1, 2, 3], [3, 4, 5], 2),
        ([1, 2, 3], [7, 8, 9], 3),
        ([1, 2, 3], [1, 2, 3], 0),
        ([5, 5, 5], [5, 5, 5], 1),
    ],
)
def test_new_values_of_windows_without_times_are_counted(
    known: list[float], window: list[float], added: int
) -> None:
    assert count_new_values(known, window) == added
