"""The values of earlier forecasts, by reading."""

from fncast.dashboard.events.forecast import ShownForecast
from fncast.dashboard.series.earlier_forecasts import MAX_KEPT, EarlierForecasts


def forecast(start: int, *values: float) -> ShownForecast:
    return ShownForecast(start, list(values), [], [], None, "forecast v1")


def test_the_forecast_closest_to_the_lead_is_kept() -> None:
    earlier = EarlierForecasts()
    earlier.add(forecast(0, 10, 11, 12), lead=2)
    earlier.add(forecast(1, 20, 21, 22), lead=2)
    assert earlier.between(0, 4) == [10, 11, 21, 22, None]


def test_only_the_newest_values_are_kept() -> None:
    earlier = EarlierForecasts()
    for start in range(MAX_KEPT + 1):
        earlier.add(forecast(start, float(start)), lead=1)
    assert earlier.between(0, MAX_KEPT // 2) == [None] * (MAX_KEPT // 2 + 1)
    assert earlier.between(MAX_KEPT, MAX_KEPT) == [MAX_KEPT]
