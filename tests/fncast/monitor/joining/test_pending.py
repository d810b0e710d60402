"""The steps of forecasts that wait for readings are kept without loss."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import pytest

from fncast.monitor.accuracy.leads import measured_leads
from fncast.monitor.joining.packed_forecast import pack
from fncast.monitor.joining.pending import FAR, NEAR, PendingForecasts

MORE = 8
Forecasts = Mapping[int, list[list[float]]]


def forecast(start: int, scale: float, decimals: int, horizon: int = 4) -> list[list[float]]:
    rng = np.random.default_rng(start + 100)
    values = scale + np.sort(rng.normal(size=(3, horizon)), axis=0)
    return np.round(values, decimals).tolist()


def added(forecasts: Forecasts, horizon: int = 4, settled: int = -100) -> PendingForecasts:
    """The forecasts by their starts, in this order."""
    pending = PendingForecasts(horizon, MORE)
    for start, columns in forecasts.items():
        pending.add(start, pack(columns, pending.digits), settled)
    return pending


def check(pending: PendingForecasts, forecasts: Forecasts, indices: range) -> None:
    """The measured steps, and the first and last forecast, of each index are those of `forecasts`."""
    has_forecast, values = pending.by_lead(np.array(indices))
    leads = measured_leads(pending.horizon).tolist()
    assert has_forecast.shape == (len(indices), len(leads))
    for row, index in enumerate(indices):
        including = [start for start, columns in forecasts.items() if 0 <= index - start < len(columns[0])]
        for place, lead in enumerate(leads):
            start = index - lead + 1
            assert has_forecast[row, place] == (start in including)
            if has_forecast[row, place]:
                assert values[:, row, place].tolist() == [column[lead - 1] for column in forecasts[start]]
        for which, best in ((NEAR, max), (FAR, min)):
            start = best(including, default=None)
            assert pending.forecast_start(which, index) == start
            if start is not None:
                assert list(pending.forecast_row(which, index)) == [
                    column[index - start] for column in forecasts[start]
                ]


@pytest.mark.parametrize(
    ("scale", "decimals"), [(50.0, 3), (50.0, 6), (1e9, 2), (0.0, 15), (1e300, 3), (-7.0, 0)]
)
def test_numbers_are_kept_without_loss(scale: float, decimals: int) -> None:
    forecasts = {start: forecast(start, scale, decimals) for start in range(-3, 30)}
    pending = added(forecasts)
    check(pending, forecasts, range(24, 33))
    settled = 25
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(pending.state(settled)))
    restored = PendingForecasts.restored(state, MORE, settled)
    check(restored, forecasts, range(settled + 1, 33))
    assert restored.state(settled) == pending.state(settled)
    assert not restored.has(22)


def test_small_numbers_after_large_ones_change_nothing_before() -> None:
    kinds = ((1, 50.0, 2), (2, 50.0, 5), (3, 0.0, 17), (4, 50.0, 2))
    forecasts = {start: forecast(start, scale, decimals) for start, scale, decimals in kinds}
    check(added(forecasts), forecasts, range(1, 8))


@pytest.mark.parametrize("horizon", [4, 40, 130])
@pytest.mark.parametrize("seed", range(3))
def test_forecasts_of_any_order_and_length_are_kept(horizon: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = {start: int(rng.integers(1, horizon + 1)) for start in range(1, 200) if rng.random() < 0.7}
    starts = sorted(lengths, key=lambda start: start + rng.uniform(0, MORE - 1))
    forecasts = {start: forecast(start, 50.0, 3, lengths[start]) for start in starts}
    pending = PendingForecasts(horizon, MORE)
    newest = 0
    for start, columns in forecasts.items():
        newest = max(newest, start)
        settled = newest - MORE - 1
        if start + len(columns[0]) - 1 > settled:
            pending.add(start, pack(columns, pending.digits), settled)
    check(pending, forecasts, range(settled + 1, newest + horizon))
    restored = PendingForecasts.restored(pending.state(settled), MORE, settled)
    check(restored, forecasts, range(settled + 1, newest + horizon))


@pytest.mark.parametrize("longer", [6, 40])
def test_a_longer_forecast_fits_after_shorter_ones(longer: int) -> None:
    forecasts = {1: forecast(1, 50.0, 2, 2), 2: forecast(2, 50.0, 2, 4)}
    pending = added(forecasts).resized(longer, 0)
    forecasts[3] = forecast(3, 50.0, 2, longer)
    pending.add(3, pack(forecasts[3], pending.digits), 0)
    check(pending, forecasts, range(1, 3 + longer))


def test_a_settled_step_of_a_late_forecast_replaces_nothing() -> None:
    forecasts = {start: forecast(start, 50.0, 2) for start in range(1, 40)}
    del forecasts[30]
    pending = added(forecasts)
    forecasts[30] = forecast(30, 50.0, 2)
    pending.add(30, pack(forecasts[30], pending.digits), 31)
    check(pending, forecasts, range(32, 43))
