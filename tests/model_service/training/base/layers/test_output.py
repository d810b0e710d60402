import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base.layers.output import Bands, Knots, between

KNOTS = (0, 2, 4)
HORIZON = 5


def test_steps_between_knots_are_interpolated() -> None:
    at_knots = np.float32([[10, 20, 0]])
    assert (at_knots @ between(KNOTS, HORIZON)).tolist() == [[10, 15, 20, 10, 0]]


def test_each_row_has_its_own_values_at_the_knots() -> None:
    values = np.float32([[1, 10, 2, 20, 3, 30]])  # two rows at three knots
    rows = np.asarray(Knots(KNOTS, HORIZON, 2)(values))
    assert rows.tolist() == [[[1, 1.5, 2, 2.5, 3], [10, 15, 20, 25, 30]]]


def test_shares_of_a_softmax_add_up_to_1_at_every_step() -> None:
    values = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    shares = np.asarray(Knots(KNOTS, HORIZON, 3, "softmax")(values))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert shares.min() > 0


def test_a_sigmoid_lies_between_0_and_1() -> None:
    values = np.float32([[-100, 100, 0]])
    np.testing.assert_allclose(
        np.asarray(Knots(KNOTS, HORIZON, 1, "sigmoid")(values))[0, 0, ::2], [0, 1, 0.5]
    )


def bands(
    layer: Bands, growth: np.ndarray, unit: float = 1, level: float = 0, scale: float = 1
) -> np.ndarray:
    median = np.arange(HORIZON, dtype=np.float32)[np.newaxis]
    parts = [median, growth.astype(np.float32), *(np.float32([[each]]) for each in (unit, level, scale))]
    return np.asarray(layer(parts))


@pytest.fixture
def layer() -> Bands:
    return Bands(KNOTS, HORIZON, 9)


def test_quantiles_never_cross_and_the_middle_one_is_the_median(layer: Bands) -> None:
    growth = np.random.default_rng(0).normal(scale=5, size=(1, 3 * 8))
    quantiles = bands(layer, growth)
    assert quantiles.shape == (1, HORIZON, 9)
    assert (np.diff(quantiles, axis=2) >= 0).all()
    np.testing.assert_allclose(quantiles[0, :, 4], np.arange(HORIZON), rtol=1e-6)


def test_bands_scale_with_the_unit_and_the_scale_and_move_with_the_level(layer: Bands) -> None:
    growth = np.zeros((1, 3 * 8))
    base, wide = bands(layer, growth), bands(layer, growth, unit=3)
    np.testing.assert_allclose(wide - wide[:, :, 4:5], 3 * (base - base[:, :, 4:5]), atol=1e-5)
    np.testing.assert_allclose(bands(layer, growth, level=7, scale=2), 2 * base + 7, rtol=1e-6)


def test_calibration_widens_its_side_at_its_knot(layer: Bands) -> None:
    growth = np.zeros((1, 3 * 8))
    before = bands(layer, growth)
    factors = np.ones((3, 8), np.float32)
    factors[0, :4] = 2  # below the median, at the first step
    layer.factors.assign(factors)
    after = bands(layer, growth)
    np.testing.assert_allclose(
        after[0, 0, 4] - after[0, 0, 0], 2 * (before[0, 0, 4] - before[0, 0, 0]), rtol=1e-5
    )
    np.testing.assert_allclose(after[:, :, 4:], before[:, :, 4:], rtol=1e-6)
    np.testing.assert_allclose(after[:, -1], before[:, -1], rtol=1e-6)
