"""Kafka records through the real chain and the real forecast function: each gets exactly one correct outcome."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from foreign_records import DESTINATIONS, foreign_record, good_record
from fuzz_report import Report, Until

sys.path.insert(0, str(Path(__file__).parents[2] / "functions" / "forecast"))

from fncast.dashboard.console import ConsoleFormatter
from fncast.dashboard.events import event as dashboard_event
from fncast.dashboard.events.record import ReceivedRecord as ShownRecord
from handler import Forecaster
from interceptor import dead_letter
from interceptor.builtin.deliver import Deliver
from interceptor.builtin.expiry import Expiry
from interceptor.builtin.router import Router
from interceptor.chain import Chain
from interceptor.cloudevents.event import Event
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import DeadLetter, Forecast, Outcome, Skipped
from interceptor.routes.client import Answer
from interceptor.routes.http_request import build_request
from interceptor.routes.http_response import read_response
from interceptor.routes.route import Route
from model import ForecastModel
from model_service.client import InferenceResult
from model_service.protocols.graphpipe import IOMetadata, MetadataResponse, Type

ROUTES = {
    "forecast": Route("forecast", "fn:fncast/forecast", batch=True),
    "single": Route("single", "http://127.0.0.1/forecast", batch=False, mode="binary"),
}
BATCH_RECORDS = 20
SLOW_S = 2.0  # of CPU, for one batch
WINDOW, HORIZON = 24, 2


class Scorer:
    """A model that repeats the last reading."""

    def metadata(self) -> MetadataResponse:
        described = f'{{"window": {WINDOW}, "quantiles": [0.1, 0.5, 0.9]}}'
        return MetadataResponse(
            "forecast", "1", "", described, (IOMetadata("x", Type.Float32, (-1, WINDOW)),)
        )

    def infer(self, windows: np.ndarray[Any, Any]) -> InferenceResult:
        return InferenceResult(
            np.repeat(windows[:, -1], 3 * HORIZON).reshape(-1, HORIZON, 3), "forecast", "1"
        )


class InProcess:
    """Calls the function without HTTP, with the requests and answers of the HTTP client."""

    def __init__(self) -> None:
        self._function = Forecaster(ForecastModel(Scorer()))

    async def call(self, route: Route, events: Sequence[Event]) -> Answer:
        headers, body = build_request(route, events)
        answer = self._function.answer({name.lower(): value for name, value in headers.items()}, body)
        return read_response(route, 200, {"Content-Type": answer.content_type}, answer.body)

    async def close(self) -> None: ...


def new_chain() -> Chain:
    deliver = Deliver(InProcess(), is_last=True, handles_expiry=True)
    return Chain([Expiry(), Router(ROUTES), deliver])


def run(randomly: random.Random, until: Until) -> Report:
    """Check batches of wrong records that also hold a valid record for each route."""
    return asyncio.run(_run(randomly, until))


async def _run(randomly: random.Random, until: Until) -> Report:
    report = Report()
    chain = new_chain()
    offsets = itertools.count()
    while not until(report.count):
        await try_batch(chain, randomly, offsets, report)
    await chain.close()
    return report


async def try_batch(
    chain: Chain, randomly: random.Random, offsets: itertools.count[int], report: Report
) -> None:
    """Pass one batch through the chain and report each of its wrong records."""
    foreign = [foreign_record(randomly, next(offsets)) for _ in range(BATCH_RECORDS)]
    good = [good_record(next(offsets), destination) for destination in DESTINATIONS]
    records = [*foreign, *good]
    randomly.shuffle(records)
    deliveries = {record.offset: Delivery(record) for record in records}
    started_s = time.process_time()
    try:
        await chain.on_consume(Batch(list(deliveries.values())))
    except Exception as error:
        report.crashed(error, foreign)
        return
    if (took_s := time.process_time() - started_s) > SLOW_S:
        report.fail(f"took {took_s:.1f} s of CPU", foreign)
    for record in good:
        if type(deliveries[record.offset].outcome) is not Forecast:
            report.fail(f"a valid record in the same batch is {deliveries[record.offset].outcome}", foreign)
    for record in foreign:
        try:
            report.passed(check(deliveries[record.offset]))
        except Exception as error:
            report.crashed(error, record)


def check(delivery: Delivery) -> str:
    """Return the name of the outcome. Raises AssertionError if there is none, or if it cannot be published or shown."""
    outcome: Outcome | None = delivery.outcome
    if isinstance(outcome, DeadLetter):
        _check_letter(delivery, outcome)
        return "dead letter"
    if isinstance(outcome, Skipped):
        assert outcome.reason == "expired"
        assert delivery.opened.text("expirytime")
        return "expired"
    assert isinstance(outcome, Forecast), f"no outcome: {outcome}"
    (published,) = outcome.events
    assert all(type(name) is str and type(value) is bytes and value for name, value in published.headers)
    event = dashboard_event.parse(ShownRecord("forecasts", 0, 0, 0.0, published.value, published.headers))
    assert event.attributes["causationid"] == delivery.opened.text("id")
    assert ConsoleFormatter().format(event, 0.0).isprintable()
    return "forecast"


def _check_letter(delivery: Delivery, outcome: DeadLetter) -> None:
    record = delivery.record
    headers = dead_letter.headers(delivery, outcome)
    reason = dict(headers)["fncast-reason"]
    assert reason, "no reason"
    assert reason.decode().isprintable()
    added = sum(len(name) + len(value or b"") for name, value in headers[len(record.headers) :])
    assert added <= dead_letter.MAX_ADDED_BYTES
    letter = Record("dead-letters", 0, 0, 0, record.key, record.value, headers)
    assert dead_letter.split_headers(letter)[0] == record.headers
