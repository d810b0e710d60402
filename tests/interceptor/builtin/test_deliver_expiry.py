"""`deliver` with events that expire during their call."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from interceptor.builtin.deliver import Deliver
from interceptor.outcome import Forecast, Skipped
from tests.interceptor.fake_function import SINGLE, Function, batch, ids_of
from tests.waiting import eventually_async

pytestmark = pytest.mark.usefixtures("short_backoff")


@pytest.mark.guarantee("an event expires while its call hangs")
async def test_an_event_expires_while_its_call_hangs():
    class Hanging(Function):
        async def call(self, route, events):
            await asyncio.Event().wait()

    deliver = Deliver(Hanging(), handles_expiry=True)
    sent = batch(["late"], SINGLE)
    soon = datetime.now(UTC) + timedelta(seconds=0.05)
    sent.deliveries[0].opened.attributes["expirytime"] = soon.isoformat()
    async with asyncio.timeout(5):
        await deliver.on_consume(sent)
    assert sent.deliveries[0].outcome == Skipped("expired")
    await deliver.close()


@pytest.mark.guarantee("an event that expires during a call does not fail the other events of the call")
async def test_an_event_expires_during_a_call_and_the_others_get_their_answer():
    answers = asyncio.Event()

    class Slow(Function):
        async def call(self, route, events):
            await answers.wait()
            return await super().call(route, events)

    function = Slow()
    deliver = Deliver(function, is_last=True, handles_expiry=True)
    sent = batch(["soon", "late", "never"])
    for delivery, in_s in zip(sent.deliveries, (0.02, 60), strict=False):
        soon = datetime.now(UTC) + timedelta(seconds=in_s)
        delivery.opened.attributes["expirytime"] = soon.isoformat()
    running = asyncio.create_task(deliver.on_consume(sent))
    async with asyncio.timeout(5):
        await eventually_async(lambda: sent.deliveries[0].is_done)
        assert [d.outcome for d in sent.deliveries] == [Skipped("expired"), None, None]
        answers.set()
        await running
    assert ids_of(sent, Forecast) == ["late", "never"]
    assert ids_of(sent, Skipped) == ["soon"]
    assert function.calls == [["soon", "late", "never"]]
    await deliver.close()


async def test_a_call_ends_once_all_its_events_have_expired():
    class Hanging(Function):
        async def call(self, route, events):
            await asyncio.Event().wait()

    deliver = Deliver(Hanging(), handles_expiry=True)
    sent = batch(range(3))
    for n, delivery in enumerate(sent.deliveries):
        soon = datetime.now(UTC) + timedelta(seconds=0.02 * n)
        delivery.opened.attributes["expirytime"] = soon.isoformat()
    async with asyncio.timeout(5):
        await deliver.on_consume(sent)
    assert [d.outcome for d in sent.deliveries] == [Skipped("expired")] * 3
    await deliver.close()
