import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fncast.series.window import MAX_MAGNITUDE, MAX_MISSING_SHARE, InvalidWindow, bridge, prepare, shift
from model_service.training.dataset import MAX_SCALED_TARGET, Dataset, TooLittleData, split

WINDOW, HORIZON = 8, 3


def test_a_split_keeps_the_order_of_time() -> None:
    cut = split(1000, test_share=0.3, validation_share=0.15)
    assert (cut.train, cut.validation) == (595, 700)


def test_no_window_crosses_the_end_of_its_part() -> None:
    """Each part has a different level, so a window over two parts would show both."""
    parts = [np.arange(40.0) + 1000 * part for part in range(3)]
    drawn = Dataset(parts, WINDOW, HORIZON).draw(np.random.default_rng(0), 500)
    assert (np.diff(drawn.windows, axis=1) > 0).all()
    np.testing.assert_allclose(drawn.targets[:, 0], drawn.windows[:, -1] + 0.5, atol=1e-5)


def test_targets_are_clipped_and_missing_ones_stay_missing() -> None:
    values = np.arange(40.0)
    values[20] = 1e9
    values[30] = np.nan
    spread = Dataset([values], WINDOW, HORIZON).spread(1000)
    assert np.nanmax(spread.targets) == MAX_SCALED_TARGET
    assert np.isnan(spread.targets).any()
    assert np.isfinite(spread.windows).all()


def test_constant_series_have_no_windows() -> None:
    with pytest.raises(TooLittleData, match="40 that are constant"):
        Dataset([np.full(50, 7.0)], WINDOW, HORIZON)
    with pytest.raises(TooLittleData, match="40 of readings too large"):
        Dataset([np.arange(50) * 1e301], WINDOW, HORIZON)
    gappy = np.where(np.arange(50) % 4, np.nan, np.arange(50.0))
    with pytest.raises(TooLittleData, match="missing than may be bridged"):
        Dataset([gappy], WINDOW, HORIZON)


def test_a_long_series_needs_memory_by_its_readings_not_by_its_windows() -> None:
    values = np.random.default_rng(0).normal(size=40_000)
    tracemalloc.start()
    try:
        assert len(Dataset([values], 1_000, 100)) == 38_901
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 20 * values.nbytes


@given(
    st.lists(st.none() | st.sampled_from([0.0, 1.0, -2.0, 5.0, 2e18, -2e18]), min_size=12, max_size=60),
    st.integers(4, 9),
    st.integers(1, 4),
)
def test_the_windows_are_those_that_fit_one_by_one(
    readings: list[float | None], window: int, horizon: int
) -> None:
    part = np.array([np.nan if reading is None else reading for reading in readings])

    def fits(start: int) -> bool:
        known, after = part[start : start + window], part[start + window : start + window + horizon]
        gaps = np.isnan(known)
        if gaps.sum() > MAX_MISSING_SHARE * window or np.isnan(after).sum() > 0.5 * horizon:
            return False
        return np.abs(known[~gaps]).max() <= MAX_MAGNITUDE and np.ptp(known[~gaps]) > 0

    starts = [start for start in range(len(part) - window - horizon + 1) if fits(start)]
    if not starts:
        with pytest.raises(TooLittleData):
            Dataset([part], window, horizon)
        return
    found = Dataset([part], window, horizon)
    windows = [bridge(part[start : start + window])[0] for start in starts]
    scaled = [(each - each[-1]) / np.abs(each - each.mean()).mean() for each in windows]
    np.testing.assert_allclose(found.spread(len(found)).windows, scaled, rtol=1e-5)
    assert found.bridged == sum(np.isnan(part[start : start + window]).any() for start in starts)


def test_windows_with_bridged_gaps_are_counted() -> None:
    values = np.arange(50.0)
    values[20] = np.nan
    assert Dataset([values], WINDOW, HORIZON).bridged == WINDOW
    assert Dataset([np.arange(50.0)], WINDOW, HORIZON).bridged == 0


@settings(max_examples=200)
@given(
    st.lists(
        st.none() | st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 3)),
        min_size=WINDOW,
        max_size=WINDOW,
    )
)
def test_training_prepares_a_window_as_serving_does(readings: list[float | None]) -> None:
    part = np.array([np.nan if reading is None else reading for reading in [*readings, 1.0, 2.0, 3.0]])
    try:
        served, _ = prepare(readings, WINDOW)
    except InvalidWindow:
        with pytest.raises(TooLittleData):
            Dataset([part], WINDOW, HORIZON)
        return
    if np.ptp(served) <= 1e-12 * np.abs(served).max():
        return  # constant: nothing to learn from, serving answers the constant
    shifted, _ = shift(served[np.newaxis])
    trained_on = Dataset([part], WINDOW, HORIZON).spread(1).windows[0]
    scale = np.abs(served - served.mean()).mean()
    np.testing.assert_allclose(trained_on * scale, shifted[0], rtol=1e-5, atol=1e-5 * scale)
