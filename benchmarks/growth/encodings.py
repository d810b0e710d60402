"""CPU of one event in JSON calls and in tensor calls: `python -m benchmarks.growth.encodings`.

The consumer's part (read the record, build the request, read the response, build the events to publish) and the
function run in one process, without a network and with a model that answers at once. Both encodings get the same
windows and take turns. Window events carry JSON. Assembled windows hold numbers, so nothing is decoded.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import orjson

from benchmarks.growth.function_handler import WINDOW, InstantClient  # puts functions/forecast on the path
from fncast.series.step import Step
from handler import Forecaster
from interceptor.assembly.window import Window, window_event
from interceptor.chain import read_delivery
from interceptor.delivery import Delivery, Record
from interceptor.outcome import Forecast
from interceptor.routes.client import Answer
from interceptor.routes.http_request import build_request
from interceptor.routes.http_response import read_response
from interceptor.routes.route import Route
from interceptor.routes.tensor_call import build_tensor_request, read_tensor_response
from interceptor.routes.window_event import read_window
from model import ForecastModel

ROUTES = {
    "json": Route("forecast", "fn:fncast/forecast", batch=True),
    "graphpipe": Route("forecast", "fn:fncast/forecast", batch=True, encoding="graphpipe"),
}
PARTS = ("read", "request", "function", "response")
_START_NS = 1_714_521_600_000_000_000


@dataclass
class Source:
    """The windows of a call.

    deliveries: creates a delivery for each window. begin: creates the event of a delivery; its time counts as `read`.
    """

    deliveries: Callable[[Route], list[Delivery]]
    begin: Callable[[Delivery], None]


def events(size: int, rng: random.Random) -> Source:
    """Return `size` window events in binary mode, as `fncast produce` sends them."""
    records = []
    for number in range(size):
        values = [round(50 + rng.gauss(0, 5), 2) for _ in range(WINDOW)]
        data = {"start": "2024-05-01T00:00:00Z", "step_s": 300, "values": values, "unit": "%"}
        attributes = {
            "specversion": "1.0",
            "id": f"{rng.getrandbits(64):016x}",
            "source": "/machines/host-7",
            "type": "io.fncast.window.v1",
            "subject": f"cpu-{number % 50}",
            "destination": "forecast",
            "time": "2024-05-01T04:00:00Z",
        }
        headers: list[tuple[str, bytes | None]] = [
            (f"ce_{name}", text.encode()) for name, text in attributes.items()
        ]
        headers.append(("content-type", b"application/json"))
        records.append(Record("metrics", 0, number, 0, None, orjson.dumps(data), headers))
    return Source(lambda route: [_routed(Delivery(record), route) for record in records], read_delivery)


def assembled(size: int, rng: random.Random) -> Source:
    """Return `size` windows as they are assembled from single readings."""
    record = Record("telegraf", 0, 0, 0, None, b"", [])
    windows = []
    for number in range(size):
        values = array("d", [rng.gauss(50, 5) for _ in range(WINDOW)])
        windows.append(
            Window(f"cpu-{number}", _START_NS, _START_NS, Step.seconds(300), values, "%", b'{"host":"h7"}')
        )
    waiting: list[Window] = []

    def deliveries(route: Route) -> list[Delivery]:
        waiting[:] = windows[::-1]
        return [_routed(Delivery(record, parent=Delivery(record)), route) for _ in windows]

    def begin(delivery: Delivery) -> None:
        delivery.event = window_event(waiting.pop(), "kafka:telegraf", "forecast")

    return Source(deliveries, begin)


def _routed(delivery: Delivery, route: Route) -> Delivery:
    delivery.route = route
    return delivery


def call(source: Source, route: Route, forecaster: Forecaster, spent_s: dict[str, float]) -> list[Delivery]:
    """Call the function with all windows, as the consumer does. Writes the CPU seconds of each part to `spent_s`."""
    deliveries = source.deliveries(route)
    marks = [time.process_time()]
    for delivery in deliveries:
        source.begin(delivery)
        if route.is_tensor:
            read_window(delivery)
    marks.append(time.process_time())
    opened = [delivery.opened for delivery in deliveries]
    headers, body = build_tensor_request(opened) if route.is_tensor else build_request(route, opened)
    marks.append(time.process_time())
    response = forecaster.answer({name.lower(): text for name, text in headers.items()}, body)
    marks.append(time.process_time())
    received = {"Content-Type": response.content_type, **response.headers}
    answer: Answer
    if route.is_tensor:
        answer = read_tensor_response(route, len(opened), 200, received, response.body)
    else:
        answer = read_response(route, 200, received, response.body)
    for delivery, result in zip(deliveries, answer.results(deliveries), strict=True):
        assert isinstance(result, Forecast)
        delivery.outcome = result
    marks.append(time.process_time())
    for part, (began_s, ended_s) in zip(PARTS, pairwise(marks), strict=True):
        spent_s[part] = ended_s - began_s
    return deliveries


def measure(source: Source, size: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return medians in µs an event, by encoding and part. The encodings take turns."""
    forecaster = Forecaster(ForecastModel(InstantClient()))
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in ROUTES}
    for _ in range(rounds):
        for name, route in ROUTES.items():
            spent_s: dict[str, float] = {}
            call(source, route, forecaster, spent_s)
            runs[name].append(spent_s)
    return {
        name: {part: statistics.median(spent_s[part] for spent_s in calls) / size * 1e6 for part in PARTS}
        for name, calls in runs.items()
    }


def print_costs(title: str, found: dict[str, dict[str, float]]) -> None:
    """Print a line for each encoding. found: µs an event, by encoding and part."""
    print(f"{title}: µs of CPU an event")
    print(f"  {'':10}" + "".join(f"{part:>10}" for part in (*PARTS, "all")))
    sums = {name: sum(parts.values()) for name, parts in found.items()}
    for name, parts in found.items():
        print(f"  {name:10}" + "".join(f"{parts[part]:10.2f}" for part in PARTS) + f"{sums[name]:10.2f}")
    print(f"  graphpipe / json: {sums['graphpipe'] / sums['json']:.2f}")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="calls of each encoding")
    parser.add_argument("--size", type=int, default=512, help="windows in a call")
    arguments = parser.parse_args(words)
    rng = random.Random(0)
    sources = {"window events": events(arguments.size, rng), "assembled": assembled(arguments.size, rng)}
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)  # as the consumer and func.py do
    for title, source in sources.items():
        print_costs(title, measure(source, arguments.size, arguments.rounds))


if __name__ == "__main__":
    main()
