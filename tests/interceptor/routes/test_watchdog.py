"""A function that accepts calls and does not answer, long before the client's time-out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest

from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.delivery import Batch
from interceptor.outcome import Forecast
from interceptor.routes import backoff, breaker, watchdog
from interceptor.routes.client import EventsAnswer
from tests.interceptor.deliveries import new_delivery, new_output, settle
from tests.waiting import eventually_async


class Function:
    """Answers a call if `may_answer(ids)`, otherwise hangs. `calls`: the ids of each call."""

    def __init__(self) -> None:
        self.may_answer: Callable[[list[str]], bool] = lambda ids: True
        self.takes_s = 0.0
        self.calls: list[list[str]] = []

    async def call(self, route, events):
        ids = [str(event.attributes["id"]) for event in events]
        self.calls.append(ids)
        if not self.may_answer(ids):
            await asyncio.Event().wait()  # the call hangs even if the function recovers
        await asyncio.sleep(self.takes_s)
        return EventsAnswer(orjson.dumps([new_output(id_, data={}) for id_ in ids]), True)

    async def close(self) -> None: ...


def batch(*ids: str) -> Batch:
    return Batch([new_delivery(id_) for id_ in ids])


@pytest.fixture
async def hanging_route(monkeypatch):
    """A function that has answered once, and its `deliver`. Waits are a part of the real ones."""
    monkeypatch.setattr(backoff, "BASE_S", 0.0005)
    monkeypatch.setattr(backoff, "MAX_S", 0.02)
    monkeypatch.setattr(watchdog, "SLOW_CALL_S", 0.25)
    monkeypatch.setattr(breaker, "PROBE_TIMEOUT_S", 0.1)
    function = Function()
    deliver = Deliver(function, Limits(calls_in_flight=2))
    await settle(deliver, batch("good"))
    yield function, deliver
    await deliver.close()


@pytest.mark.guarantee("calls that hang during an outage are retried when the function is back")
async def test_calls_that_hung_during_an_outage_are_retried_after_it(hanging_route):
    function, deliver = hanging_route
    function.may_answer = lambda ids: False
    sent = [batch("a", "b"), batch("c"), batch("d")]  # one call waits for a slot
    tasks = [asyncio.create_task(settle(deliver, sent_batch)) for sent_batch in sent]
    await eventually_async(deliver.outages)
    assert "no answer to a probe" in deliver.outages()["forecast"]
    function.may_answer = lambda ids: True
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
    assert all(
        type(delivery.outcome) is Forecast for sent_batch in sent for delivery in sent_batch.deliveries
    )
    assert deliver.open_circuits() == {}


async def test_a_call_that_hangs_is_not_an_outage_while_others_succeed(hanging_route):
    function, deliver = hanging_route
    function.may_answer = lambda ids: "stuck" not in ids
    stuck = asyncio.create_task(settle(deliver, batch("stuck")))
    await eventually_async(lambda: ["stuck"] in function.calls)
    for number in range(100):  # longer than a call may take before it counts as slow
        await settle(deliver, batch(f"good-{number}"))
        await asyncio.sleep(0.003)
    assert ["good"] not in function.calls[1:]  # no probe
    assert deliver.open_circuits() == {}
    assert not stuck.done()
    stuck.cancel()


async def test_a_successful_probe_does_not_cancel_a_call_that_hangs_alone(hanging_route):
    function, deliver = hanging_route
    function.may_answer = lambda ids: "stuck" not in ids
    stuck = asyncio.create_task(settle(deliver, batch("stuck")))
    await eventually_async(lambda: function.calls.count(["good"]) == 2)  # a probe
    await eventually_async(lambda: not deliver.open_circuits())
    assert deliver.outages() == {}
    assert function.calls.count(["stuck"]) == 1
    assert not stuck.done()
    stuck.cancel()


async def test_a_probe_of_a_slow_function_gets_more_time(hanging_route):
    function, deliver = hanging_route
    function.takes_s = 0.2  # longer than the shortest time-out of a probe
    await settle(deliver, batch("slow"))
    function.may_answer = lambda ids: "stuck" not in ids
    stuck = asyncio.create_task(settle(deliver, batch("stuck")))
    await eventually_async(lambda: function.calls.count(["slow"]) == 2)
    await eventually_async(lambda: not deliver.open_circuits())
    assert deliver.outages() == {}  # the probe was not cut off
    stuck.cancel()
