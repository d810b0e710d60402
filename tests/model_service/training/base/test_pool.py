import numpy as np

from model_service.training.base.pool import LENGTH, SeriesPool


def test_a_renewed_pool_is_the_one_that_starts_later() -> None:
    pool = SeriesPool(0, count=10)
    pool.renew(4)
    later = SeriesPool(0, first=4, count=10)
    np.testing.assert_array_equal(pool.series, later.series)  # so a resumed run draws the same windows
    assert pool.series.shape == (10, LENGTH)
