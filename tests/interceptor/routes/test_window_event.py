"""Window events on a route for tensor calls: read once, or settled as dead letters."""

from __future__ import annotations

from array import array
from typing import Any

import orjson
import pytest

from fncast.series.step import Step
from interceptor.assembly.window import Window, window_event
from interceptor.outcome import DeadLetter
from interceptor.routes.window_event import read_window, readings_of, row_bytes
from model_service.protocols.tensor_calls import CONTENT_TYPE
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


def test_an_interceptor_can_replace_the_data_of_an_assembled_window() -> None:
    window = Window("cpu", 1_767_225_600 * 10**9, 0, Step.seconds(60), array("d", [1.0, 2.0]))
    replaced = delivery()
    replaced.event = window_event(window, "kafka:metrics")
    assert read_window(replaced)
    assert readings_of(replaced.opened).values.tolist() == [1.0, 2.0]
    replaced.opened.data = orjson.dumps({**DATA, "values": [7, 8, 9]})
    assert read_window(replaced)
    assert readings_of(replaced.opened).values.tolist() == [7.0, 8.0, 9.0]
    assert row_bytes(replaced.opened) == 24
    replaced.opened.data = b"{}"
    assert not read_window(replaced)
