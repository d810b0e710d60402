"""Forecasts are cut at the limits of their series."""

from typing import Any

import pytest

from handler import Forecaster
from model import ForecastModel
from tests.functions.fake_model import Falling, ask, event


@pytest.mark.parametrize(
    ("values", "members", "quantiles"),
    [
        ([4, 3, 2, 1], {}, [0, 0, 11]),
        ([0, 0, 0, 0], {}, [0, 0, 10]),
        ([4, None, 2, 1], {}, [0, 0, 11]),
        ([4, -0.5, 2, 1], {}, [-29, -9, 11]),
        ([-1, 4, 3, 2, 1], {}, [-29, -9, 11]),  # negative before the model's window
        ([None, 4, 3, 2, 1], {}, [0, 0, 11]),
        ([4, 3, 2, 1], {"unit": "°C"}, [-29, -9, 11]),
        ([4, 3, 2, 1], {"min": -15}, [-15, -9, 11]),
        ([4, -3, 2, 1], {"min": 0}, [0, 0, 11]),
        ([96, 97, 98, 99], {"unit": "%"}, [69, 89, 109]),
        ([96, 97, 98, 99], {"unit": "%", "max": 100}, [69, 89, 100]),
        ([4, 3, 2, 1], {"max": 5, "min": 3}, [3, 3, 5]),
        ([96, 97, 100, 99], {}, [69, 89, 100]),
        ([101, 96, 97, 100, 99], {}, [69, 89, 109]),  # above 100 before the model's window
        ([96, 97, 100, 99], {"min": 0}, [69, 89, 109]),
    ],
)
def test_forecasts_keep_their_limits(
    values: list[float | None], members: dict[str, Any], quantiles: list[float]
) -> None:
    forecaster = Forecaster(ForecastModel(Falling()))
    first, *_, other = ask(forecaster, event(values=values, **members), event("2", [-9, -9, -9, -9]))
    answered = first["data"]["quantiles"]
    assert [answered[level] for level in ("0.1", "0.5", "0.9")] == [[limit] * 3 for limit in quantiles]
    assert first["data"]["values"] == answered["0.5"]
    assert other["data"]["values"] == [-19] * 3
