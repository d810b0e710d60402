"""Windows for a model: the last readings, gaps, and errors that name the reading."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.window import (
    MAX_MAGNITUDE,
    MISSING,
    InvalidWindow,
    bridge,
    ceiling_of,
    clip_forecasts,
    fillable,
    floor_of,
    prepare,
    shift,
    to_row,
)
from fncast.series.window_batch import prepare_batch

READING = st.one_of(
    st.floats(-1e17, 1e17),
    st.integers(-(10**17), 10**17),
    st.none(),
)


def test_uses_the_last_readings() -> None:
    window, filled = prepare(["ignored", 1, 2, 3], 3)  # type: ignore[list-item]
    assert window.tolist() == [1, 2, 3]
    assert filled == 0
    assert window.dtype == np.float64


def test_bridges_gaps_linearly_and_edges_by_the_nearest() -> None:
    assert prepare([None, 1, None, 2], 4)[0].tolist() == [1, 1, 1.5, 2]
    window, filled = prepare([3, None, None, 6, 7, None], 6)
    assert window.tolist() == [3, 4, 5, 6, 7, 7]
    assert filled == 3


@given(st.lists(st.sampled_from([1.0, math.nan]), max_size=30), st.integers(1, 12))
def test_fillable_counts_what_a_window_can_fill(values: list[float], steps: int) -> None:
    series = np.array(values, dtype=np.float64)
    filled = set()
    for start in range(len(series) - steps + 1):
        try:
            bridge(series[start : start + steps])
        except InvalidWindow:
            continue
        filled |= set(range(start, start + steps))
    assert fillable(series, steps) == len(filled & set(np.flatnonzero(np.isnan(series)).tolist()))


def test_too_many_nulls_are_an_error_with_the_limit() -> None:
    assert prepare([None, None, 1, 2], 4)[1] == 2
    with pytest.raises(InvalidWindow, match="too few values: 3 of the last 4 are null; at most 2"):
        prepare([None, None, None, 2], 4)
    with pytest.raises(InvalidWindow, match="2 of the last 2"):
        prepare([None, None], 2)


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (math.nan, r"values\[4\] is not finite: nan"),
        (math.inf, r"values\[4\] is not finite: inf"),
        (-(10**400), r"values\[4\] is not finite"),
        (1e308, r"values\[4\] is 1e\+308: beyond"),
        (True, r"values\[4\] is not a number: true"),
        ("7", r"values\[4\] is not a number: '7'"),
        ([1], r"values\[4\] is not a number"),
        ("x" * 10_000, r"values\[4\] is not a number"),
    ],
)
def test_an_error_names_position_and_reading(reading: object, says: str) -> None:
    values = [1, 2, 3, 4, reading, 6]
    with pytest.raises(InvalidWindow, match=says) as caught:
        prepare(values, 4)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 200
    assert says.replace("\\", "")[:9] in str(prepare_batch([[1, 2, 3, 4], values], 4).rejected[1])  # type: ignore[list-item]


def test_rejects_an_integer_that_python_cannot_print() -> None:
    with pytest.raises(InvalidWindow, match=r"values\[0\] is not finite: an integer of thousands of digits"):
        prepare([10**5000], 1)


@pytest.mark.parametrize("values", [None, "12345", b"12345", {"a": 1, "b": 2}, 7, {1, 2, 3}])
def test_rejects_other_types_than_lists(values: object) -> None:
    with pytest.raises(InvalidWindow, match="must be a list"):
        prepare(values, 2)  # type: ignore[arg-type]
    assert list(prepare_batch([values], 2).rejected) == [0]  # type: ignore[list-item]


def test_rejects_a_short_window() -> None:
    with pytest.raises(InvalidWindow, match="too few values: 3, the model needs 4"):
        prepare([1, 2, 3], 4)


@given(st.lists(READING, min_size=1, max_size=50))
def test_a_prepared_window_is_finite_and_within_its_readings(values: list[float | None]) -> None:
    try:
        window, filled = prepare(values, len(values))
    except InvalidWindow as error:
        assert "null" in str(error)  # noqa: PT017
        return
    readings = [float(value) for value in values if value is not None]
    assert filled == len(values) - len(readings)
    assert np.isfinite(window).all()
    rounding = 1e-9 * max(map(abs, readings))
    assert window.min() >= min(readings) - rounding
    assert window.max() <= max(readings) + rounding


def test_bridge_does_not_change_its_argument() -> None:
    readings = np.array([1.0, np.nan, 3.0])
    bridged, filled = bridge(readings)
    assert (bridged.tolist(), filled) == ([1, 2, 3], 1)
    assert np.isnan(readings[1])


def test_shift_keeps_small_changes_of_a_large_counter() -> None:
    windows = 1e12 + np.arange(4.0)[None, :]
    shifted, levels = shift(windows)
    assert shifted.dtype == np.float32
    assert shifted.tolist() == [[-3, -2, -1, 0]]
    assert (shifted + levels).tolist() == windows.tolist()


def test_largest_readings_do_not_overflow_float32() -> None:
    shifted, _ = shift(np.array([[-MAX_MAGNITUDE, MAX_MAGNITUDE] * 24]))
    assert np.isfinite(np.square(shifted).sum(dtype=np.float32))


def test_a_sparse_window_keeps_its_gaps_and_is_padded_in_front() -> None:
    values = [1.0, None, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    window, gaps = prepare(values, 12, is_sparse=True)
    assert gaps == 1
    np.testing.assert_array_equal(np.isnan(window), [True] * 3 + [False, True] + [False] * 7)


def test_missing_readings_before_the_first_are_a_short_history() -> None:
    window, gaps = prepare([None] * 30 + [float(number) for number in range(8)], 12, is_sparse=True)
    assert gaps == 0
    assert np.isnan(window[:4]).all()
    assert not np.isnan(window[4:]).any()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0] * 7, "too few values: 7, the model needs 8"),
        ([1.0] * 7 + [None], "too few values: 7, the model needs 8"),
        ([1.0] * 8 + [None] * 9, "too few values: 9 of the last 17 are null; at most 8 may be"),
        ([1.0] * 8 + [1e19], "beyond"),
    ],
)
def test_a_sparse_window_with_too_few_readings_is_rejected(values: list[float | None], reason: str) -> None:
    with pytest.raises(InvalidWindow, match=reason):
        prepare(values, 20, is_sparse=True)
    batch = prepare_batch([values, [2.0] * 8], 20, is_sparse=True)
    assert batch.good == [1]
    assert reason in str(batch.rejected[0])


def test_a_missing_last_reading_shifts_by_the_last_known_one() -> None:
    shifted, levels = shift(np.array([[1.0, 5.0, np.nan], [1.0, 2.0, 4.0]]))
    assert levels.tolist() == [[5.0], [4.0]]
    np.testing.assert_allclose(shifted, [[-4, 0, MISSING], [-3, -2, 0]])


def test_forecasts_stay_within_the_limits_of_their_windows() -> None:
    windows = np.array([[0.0, 100.0], [-1.0, 5.0]])
    forecasts = np.array([-7.0, 50.0, 107.0]) * np.ones((2, 4, 1))
    clipped = clip_forecasts(forecasts, windows)
    assert clipped.shape == (2, 4, 3)
    assert (clipped[0] == [0.0, 50.0, 100.0]).all()
    assert (clipped[1] == forecasts[1]).all()


def test_only_a_share_that_reaches_100_has_a_ceiling() -> None:
    windows = np.array([[0.0, 50.0, 100.0], [0.0, 50.0, 99.0], [-1.0, 50.0, 100.0], [np.nan, 3.0, 100.0]])
    assert ceiling_of(windows).tolist() == [100.0, np.inf, np.inf, 100.0]
    assert floor_of(windows).tolist() == [0.0, 0.0, -np.inf, 0.0]


def test_a_row_has_all_readings_and_nan_for_gaps() -> None:
    assert str(to_row([1, None, 3.5]).tolist()) == "[1.0, nan, 3.5]"
    assert str(to_row([1.0, None], are_checked=True).tolist()) == "[1.0, nan]"
    with pytest.raises(InvalidWindow, match=r"values\[1\] is not a number: 'x'"):
        to_row([1, "x"])  # type: ignore[list-item]
