import numpy as np
import pytest

from benchmarks.quality.bands import bands, jumps, with_outage
from fncast.series.window import Float64Array


def endless(windows: Float64Array, horizon: int) -> Float64Array:
    """Bands that hold every reading."""
    wide = np.linspace(-1e9, 1e9, 9)
    return np.broadcast_to(wide, (len(windows), horizon, 9))


def half_way(windows: Float64Array, horizon: int) -> Float64Array:
    return np.broadcast_to(windows.mean() + np.linspace(0.4, 0.6, 9), (len(windows), horizon, 9))


def test_bands_that_hold_everything_are_too_wide_everywhere() -> None:
    text, figures = bands(endless, 1, seed=0)
    assert [figure.value for figure in figures] == pytest.approx([0.2] * 3)
    assert not any(figure.is_met for figure in figures)
    assert text.count("1.000") == 5 * 8


def test_a_forecast_half_way_holds_neither_outcome_of_a_jump() -> None:
    assert jumps(half_way)[1].value == 1
    assert jumps(endless)[1].value == 0


def test_an_outage_has_the_stated_length() -> None:
    whole = np.zeros((20, 64))
    broken = with_outage(np.random.default_rng(0), whole, 16)
    assert np.isnan(broken).sum(axis=1).tolist() == [16] * 20
    assert not np.isnan(whole).any()
