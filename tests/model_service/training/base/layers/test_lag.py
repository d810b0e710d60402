import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base.layers.lag import (
    Lags,
    LongSeasons,
    ShortSeasons,
    fold,
    joined,
    tiled,
)
from model_service.training.base.shape import COMPARED, DECAY, LONG_COMPARED, RECENT

Parts = list[np.ndarray]


def season(length: int, steps: int) -> np.ndarray:
    return np.sin(2 * np.pi * np.arange(steps) / length).astype(np.float32)


def parts(values: np.ndarray, mask: np.ndarray | None = None) -> Parts:
    known = np.ones_like(values) if mask is None else mask.astype(np.float32)
    return [(values * known)[np.newaxis], known[np.newaxis]]


def only(lags: tuple[int, ...], lag: int) -> np.ndarray:
    """Weights that choose one lag."""
    return np.float32([[each == lag for each in lags]])


@pytest.mark.parametrize(
    ("lags", "compared", "steps"), [((5, 7, 12), COMPARED, RECENT), ((42, 48, 60), LONG_COMPARED, 512)]
)
def test_the_lag_of_the_season_has_the_smallest_deviation(
    lags: tuple[int, ...], compared: int, steps: int
) -> None:
    layer = Lags(lags, compared)
    deviation, known, *_ = (np.asarray(each)[0] for each in layer(parts(season(lags[1], steps))))
    assert deviation.argmin() == 1
    np.testing.assert_allclose(known, 1, rtol=1e-6)


def test_the_share_of_known_differences_falls_with_missing_readings() -> None:
    mask = np.ones(RECENT)
    mask[-6:] = 0
    _, known, *_ = Lags((5, 7, 12), COMPARED)(parts(season(7, RECENT), mask))
    assert (np.asarray(known)[0] < 0.8).all()


def test_the_mean_difference_is_the_drift_of_a_rising_series() -> None:
    rising = np.arange(RECENT, dtype=np.float32) / 10
    *_, mean = (np.asarray(each)[0] for each in Lags((5, 10), COMPARED)(parts(rising)))
    np.testing.assert_allclose(mean, [0.5, 1.0], rtol=0.05)


def test_short_seasons_continue_in_phase() -> None:
    lags, horizon = (5, 7, 12), 24
    whole = season(7, RECENT + horizon)
    forecast = ShortSeasons(lags, horizon)([*parts(whole[:RECENT]), only(lags, 7)])
    np.testing.assert_allclose(np.asarray(forecast)[0], whole[RECENT:], atol=1e-3)


def test_a_season_that_is_longer_than_the_horizon_is_forecast_by_its_first_phases() -> None:
    lags, horizon = (5, 30), 24
    whole = season(30, RECENT + horizon)
    forecast = ShortSeasons(lags, horizon)([*parts(whole[:RECENT]), only(lags, 30)])
    np.testing.assert_allclose(np.asarray(forecast)[0], whole[RECENT:], atol=0.05)


def test_a_phase_that_was_never_seen_is_forecast_as_the_level() -> None:
    mask = np.arange(RECENT) % 7 != (RECENT - 7) % 7  # the first phase of the next season
    forecast = ShortSeasons((7,), 7)([*parts(season(7, RECENT) + 1, mask), only((7,), 7)])
    assert np.asarray(forecast)[0, 0] == 0
    assert np.abs(np.asarray(forecast)[0, 1:]).min() > 0.01


def test_long_seasons_continue_in_phase_and_a_gap_in_the_last_season_is_filled() -> None:
    lags, window, horizon = (42, 48), 512, 96
    whole = season(48, window + horizon)
    mask = np.ones(window)
    mask[-20:-10] = 0
    forecast = LongSeasons(lags, horizon)([*parts(whole[:window], mask), only(lags, 48)])
    np.testing.assert_allclose(np.asarray(forecast)[0], whole[window:], atol=1e-2)


def test_each_reading_counts_for_its_phase_and_less_with_its_age() -> None:
    matrix = fold(7)
    assert matrix.shape == (RECENT, 7)
    assert ((matrix > 0).sum(axis=1) == 1).all()
    assert matrix[-1, 6] == 1
    assert matrix[-8, 6] == np.float32(DECAY)


def test_a_season_is_repeated_to_the_horizon() -> None:
    values = np.float32([[1, 2, 3]])
    assert np.asarray(tiled(values, 8)).tolist() == [[1, 2, 3, 1, 2, 3, 1, 2]]
    assert np.asarray(tiled(values, 3)).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 17])
def test_many_tensors_are_joined_in_order(count: int) -> None:
    tensors = [np.float32([[number]]) for number in range(count)]
    assert np.asarray(joined(tensors)).tolist() == [list(range(count))]
