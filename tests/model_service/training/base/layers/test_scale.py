import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast.series.window import MISSING
from model_service.training.base.layers.scale import (
    QUANTILES_OF,
    Decode,
    MaskedScale,
    decaying,
    masked_quantiles,
)

WINDOW = 64


def scaled(values: np.ndarray, mask: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Scaled values, quantiles, level and scale of a window."""
    known = np.ones(WINDOW, np.float32) if mask is None else mask.astype(np.float32)
    parts = [(values * known).astype(np.float32)[np.newaxis], known[np.newaxis]]
    found, quantiles, level, scale = (np.asarray(each)[0] for each in MaskedScale()(parts))
    return found, quantiles, float(level[0]), float(scale[0])


def walk() -> np.ndarray:
    return np.random.default_rng(0).normal(size=WINDOW).cumsum()


def test_the_weight_of_a_reading_falls_with_its_age() -> None:
    weights = decaying(3, 2.0)
    np.testing.assert_allclose(weights, [np.exp(-1), np.exp(-0.5), 1], rtol=1e-6)


def test_missing_readings_become_0_with_the_mask_0() -> None:
    windows = np.float32([[1.5, MISSING, -2.0, -3 * MISSING, 1e18]])
    values, mask = Decode()(windows)
    assert np.asarray(mask).tolist() == [[1, 0, 1, 0, 1]]
    assert np.asarray(values).tolist() == [[1.5, 0, -2.0, 0, np.float32(1e18)]]


def test_a_window_is_restored_from_scaled_values_level_and_scale() -> None:
    values = walk() * 1000 + 5000
    found, _, level, scale = scaled(values)
    np.testing.assert_allclose(found * scale + level, values, rtol=1e-4)


def test_scaled_values_do_not_depend_on_level_and_unit_of_the_series() -> None:
    expected, quantiles, _, _ = scaled(walk())
    moved, moved_quantiles, _, _ = scaled(walk() * 1e6 + 3e6)
    np.testing.assert_allclose(moved, expected, atol=1e-3)
    np.testing.assert_allclose(moved_quantiles, quantiles, atol=1e-3)


def test_a_missing_reading_stays_0_and_has_no_influence() -> None:
    mask = np.ones(WINDOW)
    mask[10:20] = 0
    values = walk()
    found, _, level, scale = scaled(values, mask)
    assert (found[10:20] == 0).all()
    values[10:20] = 1e9
    again = scaled(values, mask)
    np.testing.assert_array_equal(again[0], found)
    assert again[2:] == (level, scale)


def test_quantiles_are_readings_and_rise_with_their_level() -> None:
    values = np.random.default_rng(0).normal(size=(8, 56)).astype(np.float32)
    found = np.asarray(masked_quantiles(values, np.ones_like(values)))
    assert found.shape == (8, len(QUANTILES_OF))
    low, median, high = (found[:, QUANTILES_OF.index((60, level))] for level in (0.1, 0.5, 0.9))
    assert (low < median).all()
    assert (median < high).all()
    nearest = np.abs(found[:, :, np.newaxis] - values[:, np.newaxis, -24:]).min(axis=2)
    assert np.median(nearest) < 0.01  # a mix only where two readings have nearly the same loss
