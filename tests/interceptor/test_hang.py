"""A function that accepts calls and does not answer, at a client's time-out that is far away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest

from interceptor import backoff, hang
from interceptor.chain import read
from interceptor.deliver import Deliver, Limits
from interceptor.delivery import Batch, Delivery, Record
from interceptor.function_client import Answer
from interceptor.outcome import Forecast
from interceptor.route import Route

FORECAST = Route("forecast", "fn:fncast/forecast", batch=True)


class Function:
    """Answers each call once `may_answer(ids)`; counts the calls of each event."""

    def __init__(self) -> None:
        self.may_answer: Callable[[list[str]], bool] = lambda ids: True
        self.takes_s = 0.0
        self.calls: list[list[str]] = []

    async def call(self, route, events):
        ids = [str(event.attributes["id"]) for event in events]
        self.calls.append(ids)
        if not self.may_answer(ids):
            await asyncio.Event().wait()  # for good: what hangs is not woken by the function's return
        await asyncio.sleep(self.takes_s)
        return Answer(
            orjson.dumps(
                [
                    {
                        "specversion": "1.0",
                        "id": "o",
                        "source": "/f",
                        "type": "io.fncast.forecast.v1",
                        "causationid": id_,
                        "causationsource": "/in",
                        "data": {},
                    }
                    for id_ in ids
                ]
            ),
            True,
        )

    async def close(self) -> None: ...


def batch(*ids: str) -> Batch:
    deliveries = []
    for id_ in ids:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", id_.encode()),
            ("ce_source", b"/in"),
            ("ce_type", b"t"),
        ]
        delivery = Delivery(Record("metrics", 0, 0, 0, None, b"[1]", headers))
        read(delivery)
        delivery.route = FORECAST
        deliveries.append(delivery)
    return Batch(deliveries)


async def settle(deliver: Deliver, sent: Batch) -> None:
    while sent.pending():
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while True:
            if condition():
                return
            await asyncio.sleep(0.001)


@pytest.fixture
async def stage(monkeypatch):
    """A function that has answered once, and what delivers to it; waits are a hundredth of the real ones."""
    monkeypatch.setattr(backoff, "BASE_S", 0.0005)
    monkeypatch.setattr(backoff, "MAX_S", 0.02)
    monkeypatch.setattr(hang, "SUSPECT_S", 0.05)
    monkeypatch.setattr(hang, "PROBE_S", 0.02)
    function = Function()
    deliver = Deliver(function, Limits(calls_in_flight=2))
    await settle(deliver, batch("good"))
    yield function, deliver
    await deliver.close()


@pytest.mark.guarantee("calls that hang during an outage are retried when the function is back")
async def test_a_function_that_hangs_is_out_and_who_hung_is_called_anew_when_it_is_back(stage):
    function, deliver = stage
    function.may_answer = lambda ids: False
    sent = [batch("a", "b"), batch("c"), batch("d")]  # one more than calls may be in flight
    tasks = [asyncio.create_task(settle(deliver, one)) for one in sent]
    await until(deliver.outages)
    assert "no answer to a probe" in deliver.outages()["forecast"]
    function.may_answer = lambda ids: True
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
    assert all(type(delivery.outcome) is Forecast for one in sent for delivery in one.deliveries)
    assert deliver.open_circuits() == {}


async def test_one_call_that_hangs_is_no_outage_where_others_succeed(stage):
    function, deliver = stage
    function.may_answer = lambda ids: "stuck" not in ids
    stuck = asyncio.create_task(settle(deliver, batch("stuck")))
    await until(lambda: ["stuck"] in function.calls)
    for number in range(30):  # twice as long as a call may take unsuspected
        await settle(deliver, batch(f"good-{number}"))
        await asyncio.sleep(0.003)
    assert ["good"] not in function.calls[1:]  # nobody asked
    assert deliver.open_circuits() == {}
    assert not stuck.done()
    stuck.cancel()


async def test_a_call_that_hangs_alone_is_not_ended_by_the_probe_that_passes(stage):
    function, deliver = stage
    function.may_answer = lambda ids: "stuck" not in ids
    stuck = asyncio.create_task(settle(deliver, batch("stuck")))
    await until(lambda: function.calls.count(["good"]) == 2)  # asked whether it is out
    await until(lambda: not deliver.open_circuits())
    assert deliver.outages() == {}
    assert function.calls.count(["stuck"]) == 1
    assert not stuck.done()
    stuck.cancel()


async def test_a_slow_function_is_given_time(stage):
    function, deliver = stage
    function.takes_s = 0.04  # longer than a probe of a quick one may take
    await settle(deliver, batch("slow"))
    function.may_answer = lambda ids: "stuck" not in ids
    stuck = asyncio.create_task(settle(deliver, batch("stuck")))
    await until(lambda: function.calls.count(["slow"]) == 2)
    await until(lambda: not deliver.open_circuits())
    assert deliver.outages() == {}  # the probe had its time
    stuck.cancel()
