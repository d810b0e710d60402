import numpy as np
import pytest

from model_service.training.layers.lags import LagFigures, LagMix, drift_ahead, smooth_season

AT = np.arange(60)


def forecast(window: np.ndarray, lags: range | list[int], shares: tuple[float, float]) -> np.ndarray:
    """Untrained, with these shares of the smooth season and of the drift: (windows, 12)."""
    scaled = window.astype(np.float32)
    figures = LagFigures(lags, 48)(scaled)
    nothing = np.zeros((len(window), len(lags)), np.float32)
    shared = np.array([shares] * len(window), np.float32)
    answer, misfit = LagMix(lags, 12, 48)([scaled, *figures, nothing, shared])
    assert np.asarray(misfit).shape == (len(window), 1)
    return np.asarray(answer)


def test_the_best_repeating_lags_dominate_the_forecast() -> None:
    """For a season of 24 and for a line. Both are recognised by the differences one lag apart."""
    series = np.stack([np.sin(2 * np.pi * AT / 24), AT / 10])
    np.testing.assert_allclose(forecast(series[:, :48], range(1, 25), (1, 1)), series[:, 48:], atol=0.03)


@pytest.mark.parametrize("lag", [1, 2, 5, 12, 24])
def test_a_season_on_a_line_continues(lag: int) -> None:
    season = np.random.default_rng(0).normal(size=lag)
    series = (season[AT % lag] + AT / 10)[np.newaxis]
    np.testing.assert_allclose(forecast(series[:, :48], [lag], (1, 1)), series[:, 48:], atol=1e-4)


def test_without_shares_the_last_season_repeats() -> None:
    window = np.random.default_rng(0).normal(size=(1, 48))
    np.testing.assert_allclose(forecast(window, [12], (0, 0)), window[:, 36:], atol=1e-5)


def test_the_smooth_season_is_a_mean_of_seasons() -> None:
    """With noise, the mean of four seasons is closer to the true season than the last one."""
    rng = np.random.default_rng(0)
    true = np.sin(2 * np.pi * AT / 12)
    windows = true[:48] + 0.3 * rng.normal(size=(200, 48))
    errors = [np.abs(forecast(windows, [12], (share, 0)) - true[48:]).mean() for share in (0, 1)]
    assert errors[1] < 0.8 * errors[0]


def test_a_single_season_has_no_drift() -> None:
    deviation, drifts = LagFigures([30], 48)(np.random.default_rng(0).normal(size=(2, 48)).astype(np.float32))
    assert np.asarray(deviation).shape == (2, 1)
    assert np.asarray(drifts).tolist() == [[0, 0], [0, 0]]


def test_maps_keep_the_level_and_drift_adds_none() -> None:
    for lag in (1, 7, 24):
        np.testing.assert_allclose(smooth_season(lag, 48, 30).sum(axis=0), 1)
        assert drift_ahead(lag, 48, 30).shape == (2, 30)
