"""The ring of forecasts keeps numbers without loss."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from fncast.monitor.pending import PendingForecasts

HORIZON, MORE = 4, 8


def forecast(start: int, scale: float, decimals: int) -> list[list[float]]:
    rng = np.random.default_rng(start + 100)
    values = scale + np.sort(rng.normal(size=(3, HORIZON)), axis=0)
    return np.round(values, decimals).tolist()


@pytest.mark.parametrize(
    ("scale", "decimals"), [(50.0, 3), (50.0, 6), (1e9, 2), (0.0, 15), (1e300, 3), (-7.0, 0)]
)
def test_numbers_are_kept_without_loss(scale: float, decimals: int) -> None:
    pending = PendingForecasts(HORIZON, MORE)
    for start in range(-3, 30):
        pending.add(start, forecast(start, scale, decimals))
    settled = 25
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(pending.state(settled)))
    restored = PendingForecasts.restored(state, MORE, settled)
    for start in range(23, 30):
        rows = list(zip(*forecast(start, scale, decimals), strict=True))
        for step, row in enumerate(rows):
            assert pending.row(start, step) == row
            if start + step > settled:
                assert restored.row(start, step) == row
    has_forecast, values = pending.mesh(np.array([27, 29]))
    assert has_forecast.all()
    assert values[:, 1, 3].tolist() == [column[3] for column in forecast(26, scale, decimals)]
    assert not restored.has(22)


def test_small_numbers_after_large_ones_change_nothing_before() -> None:
    pending = PendingForecasts(HORIZON, MORE)
    for start, scale, decimals in ((1, 50.0, 2), (2, 50.0, 5), (3, 0.0, 17), (4, 50.0, 2)):
        pending.add(start, forecast(start, scale, decimals))
    for start, scale, decimals in ((1, 50.0, 2), (2, 50.0, 5), (3, 0.0, 17), (4, 50.0, 2)):
        assert pending.row(start, 0) == tuple(column[0] for column in forecast(start, scale, decimals))


def test_a_longer_or_shorter_forecast_fits() -> None:
    pending = PendingForecasts(2, MORE)
    pending.add(1, [[1.0, 2.0]] * 3)
    pending = pending.resized(HORIZON, MORE, 0)
    pending.add(2, [[1.0, 2.0, 3.0, 4.0]] * 3)
    assert [pending.covers(start, 4) for start in (1, 2, 3)] == [False, True, False]
    has_forecast, _ = pending.mesh(np.array([3]))
    assert has_forecast.tolist() == [[False, True, False, False]]
