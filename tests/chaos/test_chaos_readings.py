"""A chaos run with single readings, and what its checker notices."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))

from check_readings import Expected, check, mean, window_id  # noqa: E402

START_S = 1_767_225_600


def reading(step: int, value: float, key: str = "k1") -> tuple[str, str, bytes]:
    record = {"name": "m", "tags": {"k": key}, "timestamp": START_S + 60 * step, "fields": {"v": value}}
    return key, "id", json.dumps(record).encode()


def forecast(step: int, value: float, key: str = "k1") -> tuple[str, str, bytes]:
    return key, id_of(step, key), b'{"values": [%f, 0]}' % (value + 1)


def id_of(step: int, key: str = "k1") -> str:
    return window_id(key, START_S + 60 * step)


INPUTS = [
    *(reading(step, step) for step in (0, 1, 2, 2, 4)),
    ("k1", "poison", b"{"),
    reading(3, 7),
    reading(5, 5),
]
RIGHT = [forecast(2, 0.5), forecast(4, 10 / 6), forecast(5, 19 / 6)]


def test_windows_are_computed_from_the_input_alone():
    expected = Expected(INPUTS)
    assert expected.order == {"k1": [id_of(2), id_of(4), id_of(5)]}
    assert expected.windows[id_of(2)] == pytest.approx((0 + 0 + 0 + 0 + 1 + 2) / 6)
    assert expected.windows[id_of(4)] == pytest.approx((0 + 0 + 1 + 2 + 3 + 4) / 6)
    assert expected.windows[id_of(5)] == pytest.approx((0 + 1 + 2 + 7 + 4 + 5) / 6)
    assert expected.poison == {"poison": 1}


@pytest.mark.parametrize(
    ("window", "bridged"),
    [
        ([None, 1, 2, None, 4, 5], [1, 1, 2, 3, 4, 5]),
        ([3, None, None, 6, None, None], [3, 4, 5, 6, 6, 6]),
    ],
)
def test_gaps_are_bridged(window, bridged):
    assert mean(window) == pytest.approx(sum(bridged) / 6)


POISONED = [("k1", "poison", b"")]


@pytest.mark.parametrize(
    ("forecasts", "letters", "wrong"),
    [
        (RIGHT, POISONED, set()),
        (RIGHT[1:], POISONED, {"lost"}),
        (RIGHT, [], {"lost"}),
        ([*RIGHT, RIGHT[2]], POISONED, {"repeated"}),
        (RIGHT, POISONED * 2, {"repeated"}),
        ([RIGHT[1], RIGHT[0], RIGHT[2]], POISONED, {"out_of_order"}),
        (RIGHT, [*POISONED, ("k1", "other", b"")], {"wrongly_rejected"}),
        ([*RIGHT, forecast(3, 1)], POISONED, {"unknown"}),
        ([*RIGHT[:2], forecast(5, 2)], POISONED, {"of_another_input"}),
    ],
)
def test_the_checker_reports_each_kind_of_fault(forecasts, letters, wrong):
    found = check(Expected(INPUTS), forecasts, letters)
    assert {kind for kind, ids in found.items() if ids} == wrong
