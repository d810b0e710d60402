"""Deliveries are divided into calls by number and by size."""

from __future__ import annotations

import orjson

from interceptor.builtin.calls import Limits, split_into_calls
from interceptor.chain import read_delivery
from interceptor.delivery import Delivery, Record
from interceptor.outcome import Headers
from interceptor.routes.route import Route
from interceptor.routes.window_event import read_window

TENSOR = Route("forecast", "http://f.example/", batch=False, encoding="graphpipe")
JSON = Route("forecast", "fn:fncast/forecast", batch=True)


def window(length: int, route: Route) -> Delivery:
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1"),
        ("ce_source", b"/in"),
        ("ce_type", b"t"),
    ]
    delivery = Delivery(Record("metrics", 0, 0, 0, None, orjson.dumps([1.5] * length), headers))
    read_delivery(delivery)
    delivery.route = route
    if route.is_tensor:
        assert read_window(delivery)
    return delivery


def sizes(lengths: list[int], route: Route, limits: Limits) -> list[int]:
    return [len(call) for call in split_into_calls([window(each, route) for each in lengths], limits)]


def test_a_tensor_call_takes_many_events_also_of_a_route_for_single_events() -> None:
    assert sizes([4] * 5, TENSOR, Limits(batch_events=3)) == [3, 2]


def test_a_tensor_is_as_wide_as_its_longest_row() -> None:
    limits = Limits(batch_bytes=8 * 100)
    assert sizes([10] * 25, TENSOR, limits) == [10, 10, 5]
    # 10 short rows beside one of 50 would need 550 readings.
    assert sizes([10] * 10 + [50], TENSOR, limits) == [10, 1]
    assert sizes([50, 10, 10], TENSOR, limits) == [2, 1]
    assert sizes([500, 10], TENSOR, limits) == [1, 1]


def test_json_is_measured_by_its_bytes() -> None:
    # 10 readings take 41 bytes as JSON.
    assert sizes([10] * 5, JSON, Limits(batch_bytes=82)) == [2, 2, 1]
