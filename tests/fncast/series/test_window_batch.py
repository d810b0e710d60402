"""Windows of a batch: the same as one by one, and a wrong event does not affect others."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.window import (
    MIN_HISTORY,
    InvalidWindow,
    prepare,
    to_row,
)
from fncast.series.window_batch import prepare_batch, prepare_rows

READING = st.one_of(
    st.floats(-1e17, 1e17),
    st.integers(-(10**17), 10**17),
    st.none(),
)
ANYTHING = st.one_of(
    READING, st.floats(), st.booleans(), st.text(max_size=3), st.integers(), st.just(10**400)
)


def test_a_wrong_event_does_not_affect_others() -> None:
    windows = prepare_batch([[1, 2, 3], [1, None, 3], [1], [4, 5, 6, 7]], 3)
    assert windows.good == [0, 1, 3]
    assert windows.filled == [0, 1, 0]
    assert windows.values.tolist() == [[1, 2, 3], [1, 2, 3], [5, 6, 7]]
    assert list(windows.rejected) == [2]


def test_an_empty_batch_and_a_batch_of_wrong_events_have_no_rows() -> None:
    assert prepare_batch([], 3).values.shape == (0, 3)
    assert prepare_batch([[1]], 3).values.shape == (0, 3)


@given(st.lists(st.lists(ANYTHING, max_size=12), max_size=5), st.integers(1, 5), st.booleans())
def test_a_batch_gives_the_same_results_as_single_events(
    batch: list[list[float | None]], steps: int, is_sparse: bool
) -> None:
    steps += MIN_HISTORY if is_sparse else 0
    windows = prepare_batch(batch, steps, is_sparse=is_sparse)
    rows = iter(zip(windows.values, windows.filled, strict=True))
    for position, values in enumerate(batch):
        try:
            window, filled = prepare(values, steps, is_sparse=is_sparse)
        except InvalidWindow as error:
            assert str(windows.rejected[position]) == str(error)  # noqa: PT017
            continue
        row, row_filled = next(rows)
        assert row_filled == filled
        np.testing.assert_array_equal(row, window)
    assert next(rows, None) is None


def test_nan_is_rejected_and_no_missing_reading_even_if_the_model_accepts_these() -> None:
    windows = prepare_batch([[math.nan, *[1.0] * 9], [None, *[1.0] * 9]], 16, is_sparse=True)
    assert windows.good == [1]
    assert str(windows.rejected[0]) == "values[0] is not finite: nan"


def test_sparse_rows_are_prepared_as_lists() -> None:
    lists = [[1.0] * 20, [None, *[2.0] * 9, None, 3.0], [4.0] * 8]
    table = np.full((3, 25), np.nan)
    for row, values in zip(table, lists, strict=True):
        row[25 - len(values) :] = np.array(values, dtype=np.float64)
    lengths = np.array([len(values) for values in lists])
    for steps in (16, 32):
        of_lists = prepare_batch(lists, steps, is_sparse=True)
        of_rows = prepare_rows(table, lengths, steps, is_sparse=True)
        np.testing.assert_array_equal(of_rows.values, of_lists.values)
        assert of_rows.filled == of_lists.filled == [0, 1, 0]


@given(
    st.lists(st.lists(st.none() | st.floats(-1e17, 1e17) | st.just(2e18), max_size=7), max_size=4),
    st.integers(1, 6),
)
def test_rows_of_a_table_are_prepared_like_lists(batch: list[list[float | None]], steps: int) -> None:
    width = max(map(len, batch), default=0)
    table = np.full((len(batch), width), np.nan)
    for row, values in zip(table, batch, strict=True):
        row[width - len(values) :] = to_row(values, are_checked=True)
    of_rows = prepare_rows(table, np.array([len(values) for values in batch], np.int64), steps)
    of_lists = prepare_batch(batch, steps)
    assert of_rows.values.tolist() == of_lists.values.tolist()
    assert (of_rows.filled, of_rows.good) == (of_lists.filled, of_lists.good)
    assert {at: str(error) for at, error in of_rows.rejected.items()} == {
        at: str(error) for at, error in of_lists.rejected.items()
    }
