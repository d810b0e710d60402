import numpy as np

from model_service.training.base.pool import generated
from model_service.training.base.series import KINDS


def test_every_kind_is_finite_and_repeatable() -> None:
    for kind in KINDS:
        values = kind(np.random.default_rng(3), 300)
        assert values.shape == (300,)
        assert np.isfinite(values).all(), kind
    np.testing.assert_array_equal(generated(0, 7), generated(0, 7))
    assert not np.array_equal(generated(0, 7), generated(1, 7))
