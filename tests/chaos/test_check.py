"""The chaos checker: which outcomes it reports, and as what."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))

from check import absent, check  # noqa: E402

EVENTS = [
    {"id": "a:0", "key": "a", "is_poison": False, "forecast": 1.0},
    {"id": "a:1", "key": "a", "is_poison": False, "forecast": 2.0},
    {"id": "b:2", "key": "b", "is_poison": True, "forecast": 3.0},
    {"id": "a:3", "key": "a", "is_poison": False, "forecast": 4.0, "is_doubtful": True},
    {"id": "a:4", "key": "a", "is_poison": False, "forecast": 5.0},
]
INPUTS = Counter(["a:0", "a:1", "b:2"])


def forecast_of(id_: str) -> tuple[str, str, bytes]:
    """Return a right forecast for this input."""
    key, _, number = id_.partition(":")
    return key, id_, b'{"values": [%d.0, 0]}' % (int(number) + 1)


@pytest.mark.parametrize(
    ("forecasts", "letters", "wrong"),
    [
        (["a:0", "a:1"], ["b:2"], set()),
        (["a:0", "a:1", "a:3"], ["b:2"], set()),
        (["a:0", "a:1", "a:3", "a:3"], ["b:2"], {"repeated"}),
        (["a:0"], ["b:2"], {"lost"}),
        (["a:0", "a:1"], [], {"lost"}),
        (["a:0", "a:1", "a:1"], ["b:2"], {"repeated"}),
        (["a:1", "a:0"], ["b:2"], {"out_of_order"}),
        (["a:0", "a:1"], ["b:2", "a:1"], {"wrongly_rejected"}),
        (["a:0", "a:1", "c:9"], ["b:2"], {"unknown"}),
    ],
)
def test_the_checker_reports_each_kind_of_fault(forecasts, letters, wrong):
    def keyed(ids):
        return [forecast_of(id_) for id_ in ids]

    found = check(EVENTS, INPUTS, keyed(forecasts), keyed(letters))
    assert {kind for kind, ids in found.items() if ids} == wrong


def test_an_acknowledged_event_that_the_input_topic_lacks_is_named():
    assert absent(EVENTS, INPUTS) == ["a:4"]


@pytest.mark.parametrize(
    "forecast", [("a", "a:1", b'{"values": [1.0]}'), ("b", "a:1", b'{"values": [2.0]}')], ids=["value", "key"]
)
def test_the_checker_reports_a_forecast_of_another_event(forecast):
    found = check(EVENTS, INPUTS, [forecast_of("a:0"), forecast], [forecast_of("b:2")])
    assert found["of_another_input"] == ["a:1"]


@pytest.mark.parametrize(
    ("forecasts", "wrong"),
    [
        (["a:0", "a:1", "a:1"], set()),
        (["a:0", "a:1"], {"lost"}),
        (["a:0", "a:1", "a:1", "a:1"], {"repeated"}),
    ],
)
def test_an_input_that_was_produced_twice_has_two_outcomes(forecasts, wrong):
    found = check(
        EVENTS, INPUTS + Counter(["a:1"]), [forecast_of(id_) for id_ in forecasts], [forecast_of("b:2")]
    )
    assert {kind for kind, ids in found.items() if ids} == wrong
