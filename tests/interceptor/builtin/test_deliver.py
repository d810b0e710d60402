"""`deliver` with a function that answers, fails, refuses, hangs or is down."""

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.delivery import Batch
from interceptor.errors import Refused, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes.client import EventsAnswer
from interceptor.routes.route import Route
from tests.interceptor.deliveries import settle, until
from tests.interceptor.fake_function import SINGLE, Function, batch, ids_of, reply

pytestmark = pytest.mark.usefixtures("short_backoff")


async def test_one_call_for_the_whole_batch():
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


async def test_an_outage_loses_no_event_and_deliveries_resume():
    is_down = True

    def answer(event):
        if is_down:
            raise RetriableError("connection refused")
        return reply(event)

    function = Function(answer)
    deliver = Deliver(function, Limits(max_attempts=2))
    sent = batch(range(20))
    for _ in range(20):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)
    assert len(sent.pending()) == 20
    is_down = False
    await settle(deliver, sent)
    assert len(ids_of(sent, Forecast)) == 20
    assert deliver.open_circuits() == {}
    await deliver.close()


async def test_unavailable_for_all_events_is_an_outage():
    function = Function(lambda e: reply(e, "io.fncast.unavailable.v1", reason="model down", retry_after_s=0))
    deliver = Deliver(function, Limits(max_attempts=2))
    sent = batch(range(8))
    for _ in range(30):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)
    assert len(sent.pending()) == 8
    function.answer = reply
    await settle(deliver, sent)
    assert len(ids_of(sent, Forecast)) == 8
    await deliver.close()


@pytest.mark.parametrize("trouble", ["wrong event", "half an answer", "unavailable"])
async def test_a_function_whose_answers_are_all_invalid_is_out(trouble):
    is_wrong = False

    class Wrong(Function):
        async def call(self, route, events):
            if not is_wrong:
                return await super().call(route, events)
            replies = [reply(event) for event in events]
            if trouble == "half an answer":
                replies = replies[: len(replies) // 2]
            if trouble == "wrong event":
                replies = [answer | {"causationid": "another"} for answer in replies]
            if trouble == "unavailable":
                replies = [reply(event, "io.fncast.unavailable.v1") for event in events]
            return EventsAnswer(orjson.dumps(replies), True)

    deliver = Deliver(Wrong(), Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))
    is_wrong = True
    sent = batch(range(20))
    for _ in range(100):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)
    assert ids_of(sent, DeadLetter) == []
    assert len(sent.pending()) == 20
    is_wrong = False
    await settle(deliver, sent)
    assert len(ids_of(sent, Forecast)) == 20
    await deliver.close()


async def test_an_outage_of_one_route_does_not_affect_others():
    other = Route("other", "fn:fncast/other", batch=True)

    class TwoFunctions(Function):
        async def call(self, route, events):
            if route is other:
                raise RetriableError("down")
            return await super().call(route, events)

    sent = Batch(batch(range(3)).deliveries + batch(range(3), other).deliveries)
    deliver = Deliver(TwoFunctions())
    for _ in range(10):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)
    assert len(ids_of(sent, Forecast)) == 3
    assert len(sent.pending()) == 3
    await deliver.close()


async def test_a_refused_batch_is_split_and_only_the_bad_event_is_a_dead_letter():
    def answer(event):
        if event.attributes["id"] == "5":
            raise Refused("413: too large", 413)
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


async def test_an_outage_and_its_end_are_logged_once(caplog):
    caplog.set_level("INFO")
    is_down = True

    def answer(event):
        if is_down:
            raise RetriableError("down")
        return reply(event)

    deliver = Deliver(Function(answer), Limits(max_attempts=1))
    sent = batch(range(4))
    for _ in range(30):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)
    is_down = False
    await settle(deliver, sent)
    messages = [record.getMessage().split(":")[0].split(" after")[0] for record in caplog.records]
    assert messages == ["route forecast is out", "route forecast is back"]
    await deliver.close()


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
    await until(lambda: sent.deliveries[1].is_done)
    assert not sent.deliveries[0].is_done
    hang.set()
    await running
    assert sent.deliveries[0].is_done
    await deliver.close()


@pytest.mark.guarantee("an event expires while its call hangs")
async def test_an_event_expires_while_its_call_hangs():
    class Hanging(Function):
        async def call(self, route, events):
            await asyncio.sleep(60)

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
        await until(lambda: sent.deliveries[0].is_done)
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
            await asyncio.sleep(60)

    deliver = Deliver(Hanging(), handles_expiry=True)
    sent = batch(range(3))
    for n, delivery in enumerate(sent.deliveries):
        soon = datetime.now(UTC) + timedelta(seconds=0.02 * n)
        delivery.opened.attributes["expirytime"] = soon.isoformat()
    async with asyncio.timeout(5):
        await deliver.on_consume(sent)
    assert [d.outcome for d in sent.deliveries] == [Skipped("expired")] * 3
    await deliver.close()


async def test_an_event_answered_without_a_forecast_is_known_good():
    def answer(event):
        if event.attributes["id"] == "poison":
            raise RetriableError("502")
        return reply(event, "io.fncast.none.v1")

    deliver = Deliver(Function(answer), Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))
    sent = batch(["poison"])
    await settle(deliver, sent)
    assert ids_of(sent, DeadLetter) == ["poison"]
    await deliver.close()
