"""`deliver` with a function that answers, fails or rejects."""

import asyncio

import pytest

from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.delivery import Batch
from interceptor.errors import Rejected, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes.client import EventsAnswer
from tests.interceptor.deliveries import settle
from tests.interceptor.fake_function import SINGLE, Function, batch, ids_of, reply
from tests.waiting import eventually_async

pytestmark = pytest.mark.usefixtures("short_backoff")


async def test_a_whole_batch_is_one_call():
    function = Function()
    sent = batch(range(5))
    await Deliver(function).on_consume(sent)
    assert function.calls == [["0", "1", "2", "3", "4"]]
    assert ids_of(sent, Forecast) == ["0", "1", "2", "3", "4"]


async def test_a_call_is_limited_in_events_and_bytes():
    function = Function()
    await Deliver(function, Limits(batch_events=2)).on_consume(batch(range(5)))
    assert sorted(map(len, function.calls)) == [1, 2, 2]
    function = Function()
    await Deliver(function, Limits(batch_bytes=7)).on_consume(batch(range(5)))
    assert sorted(map(len, function.calls)) == [1, 2, 2]


async def test_calls_in_flight_are_limited():
    function = Function()
    await Deliver(function, Limits(calls_in_flight=3)).on_consume(batch(range(50), SINGLE))
    assert len(function.calls) == 50
    assert function.most_in_flight == 3


async def test_a_rejection_settles_only_the_bad_event():
    function = Function(
        lambda e: reply(e, "io.fncast.rejected.v1", reason="bad") if e.attributes["id"] == "2" else reply(e)
    )
    sent = batch(range(4))
    await Deliver(function).on_consume(sent)
    assert sent.deliveries[2].outcome == DeadLetter("bad", attempts=1, kind="refused_by_function")
    assert ids_of(sent, Forecast) == ["0", "1", "3"]


async def test_a_temporary_failure_loses_no_event():
    failures = iter([RetriableError("502"), RetriableError("invalid answer")])

    def answer(event):
        for failure in failures:
            raise failure
        return reply(event)

    sent = batch(range(3))
    await settle(Deliver(Function(answer)), sent)
    assert ids_of(sent, Forecast) == ["0", "1", "2"]


async def test_a_rejected_batch_is_split_and_only_the_bad_event_is_a_dead_letter():
    def answer(event):
        if event.attributes["id"] == "5":
            raise Rejected("413: too large", 413)
        return reply(event)

    sent = batch(range(8))
    await settle(Deliver(Function(answer)), sent)
    assert sent.deliveries[5].outcome == DeadLetter("413: too large", 413, 1, "refused_by_function")
    assert len(ids_of(sent, Forecast)) == 7


async def test_an_answer_without_a_body_skips_the_events():
    class Silent(Function):
        async def call(self, route, events):
            return EventsAnswer(None, False)

    sent = batch(range(2), SINGLE)
    await Deliver(Silent()).on_consume(sent)
    assert len(ids_of(sent, Skipped)) == 2


@pytest.mark.guarantee("a failing call delays only its own partition")
async def test_a_settled_delivery_is_done_while_others_of_its_batch_wait():
    """A call of one route hangs; the delivery of another route is done."""
    hang = asyncio.Event()

    class Hanging(Function):
        async def call(self, route, events):
            if events[0].attributes["id"] == "slow":
                await hang.wait()
            return await super().call(route, events)

    deliver = Deliver(Hanging(), is_last=True)
    sent = Batch([*batch(["slow"], SINGLE).deliveries, *batch(["other"]).deliveries])
    running = asyncio.create_task(deliver.on_consume(sent))
    await eventually_async(lambda: sent.deliveries[1].is_done)
    assert not sent.deliveries[0].is_done
    hang.set()
    await running
    assert sent.deliveries[0].is_done
    await deliver.close()
