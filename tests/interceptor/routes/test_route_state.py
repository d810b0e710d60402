"""The state of one route: its circuit breaker, and the probes while it is out."""

import asyncio

import pytest

from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.errors import Rejected, RetriableError
from interceptor.outcome import DeadLetter
from tests.interceptor.deliveries import settle, settle_until
from tests.interceptor.fake_function import SINGLE, Function, batch, ids_of, reply
from tests.waiting import eventually_async

pytestmark = pytest.mark.usefixtures("short_backoff")


async def test_a_lone_event_is_poison_if_a_known_good_event_succeeds():
    function = Function()
    deliver = Deliver(function, Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))

    def answer(event):
        if event.attributes["id"] == "poison":
            raise RetriableError("crash")
        return reply(event)

    function.answer = answer
    sent = batch(["poison"])
    await settle(deliver, sent)
    assert ids_of(sent, DeadLetter) == ["poison"]
    assert ["good"] in function.calls[1:], "the probe is the known-good event"
    await deliver.close()


async def test_an_open_breaker_allows_only_probes_with_the_known_good_event():
    function = Function()
    deliver = Deliver(function, Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))

    def answer(event):
        raise RetriableError("down")

    function.answer = answer
    sent = batch(range(20))
    await settle_until(deliver, sent, deliver.open_circuits)
    assert deliver.open_circuits() == {"forecast": "down"}
    function.calls.clear()
    for _ in range(10):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.002)
    assert function.calls
    assert all(call == ["good"] for call in function.calls)
    await deliver.close()


async def test_a_bug_in_a_probe_is_raised():
    function = Function()
    deliver = Deliver(function, Limits(max_attempts=1))
    await settle(deliver, batch(["good"]))

    def answer(event):
        if event.attributes["id"] == "good":
            raise KeyError("a bug")
        raise RetriableError("down")

    function.answer = answer
    with pytest.raises(KeyError, match="a bug"):
        await settle(deliver, batch(["next"]))
    await deliver.close()


async def test_close_cancels_probes_and_closes_the_client():
    function = Function(lambda e: (_ for _ in ()).throw(RetriableError("down")))
    deliver = Deliver(function, Limits(max_attempts=1))
    await deliver.on_consume(batch([1]))
    await deliver.close()
    assert function.is_closed
    assert len(asyncio.all_tasks()) == 1


async def test_an_outage_without_a_known_good_event_is_reported_until_it_ends():
    def answer(event):
        raise RetriableError("down")

    function = Function(answer)
    deliver = Deliver(function, Limits(max_attempts=2))
    sent = batch(range(3))
    await settle_until(deliver, sent, deliver.outages)
    for _ in range(100):
        assert deliver.open_circuits() == {"forecast": "down"}
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)
    function.answer = reply
    await settle(deliver, sent)
    assert deliver.open_circuits() == {}
    await deliver.close()


async def test_a_probe_answered_with_409_succeeds():
    seen = set()

    class Once(Function):
        async def call(self, route, events):
            if events[0].attributes["id"] == "poison":
                raise RetriableError("502", code=502)
            for event in events:
                if event.attributes["id"] in seen:
                    raise RetriableError("seen before", code=409)
                seen.add(event.attributes["id"])
            return await super().call(route, events)

    deliver = Deliver(Once(), Limits(max_attempts=2))
    await settle(deliver, batch(["good"], SINGLE))
    sent = batch(["poison"], SINGLE)
    await settle(deliver, sent)
    assert ids_of(sent, DeadLetter) == ["poison"]
    await deliver.close()


async def test_a_probe_that_is_rejected_ends_the_outage():
    """The function answers, although it rejects an event that was good before."""
    is_down = True

    def answer(event):
        if is_down:
            raise RetriableError("down")
        if event.attributes["id"] == "good":
            raise Rejected("400", 400)
        return reply(event)

    function = Function()
    deliver = Deliver(function, Limits(max_attempts=2))
    await settle(deliver, batch(["good"], SINGLE))
    function.answer = answer
    sent = batch(["next"], SINGLE)
    await settle_until(deliver, sent, deliver.outages)
    is_down = False
    await eventually_async(lambda: not deliver.outages())
    assert deliver.outages() == deliver.open_circuits() == {}
    await deliver.close()
