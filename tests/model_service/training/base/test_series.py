import numpy as np

from model_service.training.base.pool import generated, generated_unseen
from model_service.training.base.series import KINDS, UNSEEN


def test_every_kind_is_finite_and_repeatable() -> None:
    for kind in KINDS | UNSEEN:
        values = kind(np.random.default_rng(3), 300)
        assert values.shape == (300,)
        assert np.isfinite(values).all(), kind
    np.testing.assert_array_equal(generated(0, 7), generated(0, 7))
    assert not np.array_equal(generated(0, 7), generated(1, 7))


def test_kinds_for_the_calibration_are_not_trained_on() -> None:
    assert not KINDS.keys() & UNSEEN.keys()
    assert not np.array_equal(generated_unseen(0, 7), generated(0, 7))
