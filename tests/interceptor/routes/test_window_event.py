"""Window events on a route for tensor calls: read once, or settled as dead letters."""

from __future__ import annotations

from typing import Any

import pytest

from interceptor.outcome import DeadLetter
from interceptor.routes.window_event import read_window
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
)
from tests.interceptor.routes.window_deliveries import DATA, delivery


@pytest.mark.parametrize(
    ("data", "attributes", "reason"),
    [
        (None, {}, "the event has no data"),
        ({"values": [1]}, {}, "step_s (seconds) or step (such as PT5M or P1M) is missing"),
        ({**DATA, "values": [1, "7"]}, {}, "values[1] is not a number: '7'"),
        ({**DATA, "values": [True]}, {}, "values[0] is not a number: true"),
        ({**DATA, "values": "12"}, {}, "values is not an array of numbers"),
        ({**DATA, "labels": {"a": 1}}, {}, "labels is not an object of strings"),
        ({**DATA, "min": 2, "max": 1}, {}, "min is above max"),
        ("[1, 2]", {}, "data is a string that holds JSON: send the JSON itself, not as a string"),
        (b'{"start":"2024-01-01T00:00:00Z","step_s":1,"values":[1e400]}', {}, "values[0] is not finite: inf"),
        (b"[1, NaN]", {"datacontenttype": "text/plain"}, "values[1] is not finite: nan"),
        (b"\xff", {"datacontenttype": "text/plain"}, "the event's data is not JSON"),
        (b"garbage", {"datacontenttype": CONTENT_TYPE}, "not a GraphPipe message with a window"),
    ],
)
def test_an_event_without_a_window_is_a_dead_letter(
    data: Any, attributes: dict[str, str], reason: str
) -> None:
    window = delivery(data, **attributes)
    assert not read_window(window)
    assert isinstance(window.outcome, DeadLetter)
    assert reason in window.outcome.reason
    assert (window.outcome.kind, window.outcome.attempts) == ("not_a_window", 0)
