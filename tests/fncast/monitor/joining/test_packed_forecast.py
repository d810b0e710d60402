"""Forecasts are packed without loss."""

from __future__ import annotations

import numpy as np
import pytest

from fncast.monitor.joining.packed_forecast import UNPACKED, decoded_columns, pack


@pytest.mark.parametrize(
    ("scale", "decimals", "itemsize"),
    [(50.0, 3, 2), (50.0, 6, 4), (1e9, 2, 2), (-7.0, 0, 2), (0.0, 15, 8), (1e300, 3, 8)],
)
def test_a_forecast_is_packed_without_loss(scale: float, decimals: int, itemsize: int) -> None:
    values = scale + np.sort(np.random.default_rng(0).normal(size=(3, 5)), axis=0)
    columns = np.round(values, decimals).tolist()
    packed = pack(columns, 0)
    assert packed.numbers.itemsize == itemsize
    assert decoded_columns(*packed.encoded()) == columns


def test_a_forecast_that_need_not_be_packed_is_kept_as_it_is() -> None:
    columns = [[1.0, 2.0], [1.5, 2.5], [2.0, 3.0]]
    packed = pack(columns, UNPACKED)
    assert (packed.numbers.itemsize, decoded_columns(*packed.encoded())) == (8, columns)
