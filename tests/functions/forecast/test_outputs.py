"""The numbers of a forecast as text: short, and as exact as the model."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import InputEvent
from fncast.series.window_data import EventReadings
from model import Forecasts
from outputs import forecasts, rejected, unavailable

EVENT = InputEvent(b"0" * 32, b',"causationid":"1","causationsource":"/a"', None)


def written(level: float, moves: list[float]) -> list[float]:
    """The values in the output for the forecast `level + moves`."""
    moved = np.array([[moves]])
    scored = Forecasts(level + moved, np.abs(moved).max(axis=(1, 2)), (0.5,), None, None)
    (output,) = forecasts([EVENT], [EventReadings([])], [0], scored)
    values: list[float] = json.loads(output)["data"]["values"]
    return values


@pytest.mark.parametrize(
    ("level", "moves", "text"),
    [
        (21.0, [0.34000000629, -0.1], "[21.34, 20.9]"),
        (0.0, [1.2345678901234e-9], "[1.234568e-09]"),
        (1e12, [1.25, 3.0], "[1000000000001.25, 1000000000003.0]"),
        (0.1, [0.0], "[0.1]"),
        (0.0, [0.0], "[0.0]"),
        (1e18, [1e18], "[2e+18]"),
    ],
)
def test_numbers_are_short(level: float, moves: list[float], text: str) -> None:
    assert str(written(level, moves)) == text


@given(
    st.floats(-1e18, 1e18),
    st.lists(st.floats(-(2.0**60), 2.0**60, width=32), min_size=1, max_size=5),
)
def test_rounding_is_finer_than_float32(level: float, moves: list[float]) -> None:
    largest = max(map(abs, moves))
    for value, move in zip(written(level, moves), moves, strict=True):
        exact = level + move
        assert math.isclose(value, exact, rel_tol=1e-13, abs_tol=max(5.01e-7 * largest, 1e-300))


def test_the_quantile_nearest_to_the_median_replaces_a_missing_median() -> None:
    values = np.array([[[1.0], [2.0], [3.0]]])
    scored = Forecasts(values, np.array([3.0]), (0.05, 0.4, 0.95), "m", "1")
    (output,) = forecasts([EVENT], [EventReadings([])], [2], scored)
    assert json.loads(output)["data"] == {
        "values": [2.0],
        "quantiles": {"0.05": [1.0], "0.4": [2.0], "0.95": [3.0]},
        "filled": 2,
        "history": 0,
    }


def test_rejected_and_unavailable_have_a_reason() -> None:
    assert json.loads(rejected(EVENT, 'bad "x"'))["data"] == {"reason": 'bad "x"'}
    assert json.loads(unavailable(EVENT, "away", 2.5))["data"] == {"reason": "away", "retry_after_s": 2.5}
