"""Tensor calls of the forecast function in FDK processes publish the same events as JSON calls of the same windows."""

from __future__ import annotations

import math
from array import array
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest

from fncast.series.step import Step
from functions.host.folder import read_folder
from interceptor.assembly.window import Window, window_event
from interceptor.builtin.deliver import Deliver
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import Forecast
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.route import Route
from model_service.protocols.graphpipe import InferRequest, decode_infer_response, encode_request
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
)
from tests.functions.conftest import Naives
from tests.functions.running_host import running_host
from tests.functions.window_deliveries import START, data, ended, window
from tests.interceptor.deliveries import settle

pytestmark = pytest.mark.integration

FORECAST = Path(__file__).parents[2] / "functions" / "forecast"
JSON = Route("forecast", "fn:fncast/forecast", batch=True)
TENSOR = Route("forecast", "fn:fncast/forecast", batch=True, encoding="graphpipe")
WINDOW = 4


@pytest.fixture(scope="module")
def shelf() -> Naives:
    shelf = Naives()
    shelf.put(3, WINDOW)
    return shelf


@pytest.fixture(scope="module")
def host(shelf: Naives) -> Iterator[str]:
    """The URL of a function host with the forecast function, in front of a model service."""
    from running_model_service import running_model_service

    with (
        running_model_service(shelf) as addresses,
        running_host(read_folder(FORECAST), {"GP_SERVER_URL": addresses.url}) as url,
    ):
        yield url


@pytest.fixture
async def deliver(host: str) -> AsyncIterator[Deliver]:
    deliver = Deliver(FunctionClient(host, 20, 4))
    yield deliver
    await deliver.close()


DATA = [
    data(),
    data([21.345, 22.1, 1e-3, 7]),
    data([1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3.25]),
    data([1, None, 3, None]),
    data([None, None, None, 4]),
    data([1, 2, 3]),
    data([9, -8, 7, 6, 5, 4]),
    data([9, None, 7, 6, 5, 4]),
    data([0.5, 0.5, 0.5, 0.5]),
    data([0.5, 0.5, 0.5, 0.5], unit="°C"),
    data([99, 99, 99, 99.5], unit="%", max=100),
    data([5, 5, 5, 5], min=4.5, max=5.5),
    data([97, 98, 100, 100]),
    data([97, None, 100, 100], unit="%"),
    data([101, 97, 98, 100, 100]),
    data([-1, 97, 98, 100, 100]),
    data([97, 98, 100, 100], min=5),
    data([97, 98, 100, 100], max=101.5),
    data([97, 98, 100, 100], unit="°C"),
    data([5, 5, 5, 2e18]),
    data(step_s=0.5, labels={"device": "a7", "site": "Köln", "x": ""}),
    data(step_s=None, step="PT5M"),
    data(step_s=None, step="P1M"),
    data(step_s=None, step="P1M", start="2024-02-29T00:00:00+02:00", step_day=29),
    [1, 2, 3, 4],
    data(start=None),
    data(step="PT5M"),
    data(unit=7),
    data(labels=["a"]),
    data([1, 2, 3, "4"]),
    data([1, 2, 3, True]),
    data(min=3, max=2),
    {"values": "no"},
    "[1, 2, 3]",
    None,
]


async def test_json_and_tensor_calls_publish_the_same_events(deliver: Deliver) -> None:
    ends = {}
    for route in (JSON, TENSOR):
        deliveries = [window(place, each, route) for place, each in enumerate(DATA)]
        await settle(deliver, Batch(deliveries))
        ends[route.encoding] = ended(deliveries)
    for place, (json_end, tensor_end) in enumerate(zip(ends["json"], ends["graphpipe"], strict=True)):
        assert tensor_end == json_end, DATA[place]
    assert sum(isinstance(end, list) for end in ends["json"]) == 22


async def test_assembled_windows_publish_the_same_events(deliver: Deliver) -> None:
    gaps = array("d", [math.nan, 2, math.nan, 4])
    windows = [
        Window("a", 1_700_000_000_000_000_000, 0, Step.seconds(60), gaps, "°C", b'{"host":"h"}', None, 40.0),
        Window("b", 1_700_000_000_500_000_000, 1, Step.seconds(0.5), array("d", [1, 2, 3, 4])),
        Window("c", 1_706_659_200_000_000_000, 2, Step.of_months(1, 31), array("d", [1, 2, 3, 4]), low=0.5),
    ]
    ends = {}
    for route in (JSON, TENSOR):
        deliveries = []
        for each in windows:
            record = Record("telegraf", 0, 0, 0, None, b"raw", [])
            delivery = Delivery(record, parent=Delivery(record))
            delivery.event, delivery.route = window_event(each, "kafka:telegraf"), route
            deliveries.append(delivery)
        await settle(deliver, Batch(deliveries))
        ends[route.encoding] = ended(deliveries)
    assert ends["graphpipe"] == ends["json"]
    assert all(isinstance(end, list) for end in ends["json"])


async def test_tensor_events_need_no_json_from_end_to_end(deliver: Deliver) -> None:
    tensor = encode_request(InferRequest((np.array([[1, math.nan, 3, 4]]),), ("windows",)))
    members = {"datacontenttype": CONTENT_TYPE, "start": START, "step": "PT5M", "unit": "%"}
    ends = {}
    for route in (JSON, TENSOR, Route("forecast", JSON.target, batch=False, mode="binary")):
        asking = window(1, tensor, route, **members, accept=CONTENT_TYPE)
        plain = window(2, tensor, route, **members)
        wrong = window(3, b"[1,2,3,4]", route, **members)
        await settle(deliver, Batch([asking, plain, wrong]))
        ends[route.encoding, route.batch] = ended([asking, plain, wrong])
    tensor_end, plain_end, wrong_end = ends["graphpipe", True]
    (headers, value) = tensor_end[0]
    assert headers["content-type"] == CONTENT_TYPE.encode()
    assert (headers["ce_start"], headers["ce_step"]) == (b"2024-01-31T00:20:00Z", b"PT5M")
    (forecast,) = decode_infer_response(value).output_tensors
    assert forecast.tolist() == [[[3, 4, 5], [3, 4, 5]]]
    assert orjson.loads(plain_end[0][1])["filled"] == 1
    assert "not a GraphPipe message with a window" in wrong_end
    assert ends["json", True] == ends["json", False] == ends["graphpipe", True]


async def test_a_model_that_is_away_is_waited_for(deliver: Deliver, shelf: Naives) -> None:
    deliveries = [window(place, data(), TENSOR) for place in range(3)]
    shelf.paths = {}
    await deliver.on_consume(Batch(deliveries))
    assert [delivery.outcome for delivery in deliveries] == [None] * 3
    shelf.put(4, WINDOW + 1)  # another model
    deliveries += [window(7, data([1, 2, 3, 4, 5]), TENSOR)]
    await settle(deliver, Batch(deliveries))
    shelf.put(3, WINDOW)
    assert ended(deliveries[:3]) == ["too few values: 4, the model needs 5"] * 3
    assert isinstance(deliveries[3].outcome, Forecast)
