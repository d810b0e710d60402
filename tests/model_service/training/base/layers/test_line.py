import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base.layers.line import SLOPES, Lines

COUNT = 64


def lines(values: np.ndarray, known: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The values at the first step and the slopes, one of each for each of SLOPES."""
    mask = np.ones(COUNT, np.float32) if known is None else known.astype(np.float32)
    start, slope = Lines()([(values.astype(np.float32) * mask)[np.newaxis], mask[np.newaxis]])
    return np.asarray(start)[0], np.asarray(slope)[0]


def test_a_straight_line_is_continued() -> None:
    start, slope = lines(0.5 * np.arange(-COUNT, 0) + 3)
    assert start.shape == slope.shape == (len(SLOPES),)
    np.testing.assert_allclose(slope, 0.5, rtol=0.15)  # the prior flattens it a little
    np.testing.assert_allclose(start, 3, atol=0.6)


def test_a_constant_has_no_slope() -> None:
    start, slope = lines(np.full(COUNT, 7.0))
    np.testing.assert_allclose(slope, 0, atol=1e-4)
    np.testing.assert_allclose(start, 7, rtol=1e-3)


def test_the_number_of_a_missing_reading_has_no_influence() -> None:
    values = 0.5 * np.arange(-COUNT, 0.0)
    known = np.arange(COUNT) % 3 > 0
    start, slope = lines(values, known)
    values[~known] = 1e6
    again, slope_again = lines(values, known)
    np.testing.assert_array_equal(start, again)
    np.testing.assert_array_equal(slope, slope_again)
    np.testing.assert_allclose(slope, 0.5, rtol=0.2)


def test_a_single_reading_gives_a_flat_line() -> None:
    known = np.zeros(COUNT)
    known[-1] = 1
    _, slope = lines(np.full(COUNT, 7.0), known)
    np.testing.assert_allclose(slope, 0, atol=0.5)
