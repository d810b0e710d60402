"""`deliver` while a function is out: no event is lost, other routes continue, deliveries resume."""

import asyncio

import orjson
import pytest

from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.delivery import Batch
from interceptor.errors import Rejected, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes.client import EventsAnswer
from interceptor.routes.route import Route
from tests.interceptor.deliveries import settle, settle_until
from tests.interceptor.fake_function import Function, batch, ids_of, reply

pytestmark = pytest.mark.usefixtures("short_backoff")


async def test_an_outage_loses_no_event_and_deliveries_resume():
    is_down = True

    def answer(event):
        if is_down:
            raise RetriableError("connection refused")
        return reply(event)

    function = Function(answer)
    deliver = Deliver(function, Limits(max_attempts=2))
    sent = batch(range(20))
    await settle_until(deliver, sent, deliver.outages)
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
    await settle_until(deliver, sent, deliver.outages)
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
    await settle_until(deliver, sent, deliver.outages)
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
    await settle_until(deliver, sent, deliver.outages)
    assert deliver.outages().keys() == {"other"}
    assert len(ids_of(sent, Forecast)) == 3
    assert len(sent.pending()) == 3
    await deliver.close()


async def test_an_outage_and_its_end_are_logged_once(caplog):
    caplog.set_level("INFO")
    is_down = True

    def answer(event):
        if is_down:
            raise RetriableError("down")
        return reply(event)

    deliver = Deliver(Function(answer), Limits(max_attempts=1))
    sent = batch(range(4))
    await settle_until(deliver, sent, deliver.outages)
    for _ in range(30):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.001)
    is_down = False
    await settle(deliver, sent)
    messages = [record.getMessage().split(":")[0].split(" after")[0] for record in caplog.records]
    assert messages == ["route forecast is out", "route forecast is back"]
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


@pytest.mark.parametrize("is_sent", [True, False])
async def test_a_function_that_rejects_calls_is_not_out(is_sent):
    """is_sent: whether the function rejected the event, or the event could not be sent to it."""
    failure = RetriableError("down")

    def answer(event):
        raise failure

    deliver = Deliver(Function(answer), Limits(max_attempts=2))
    sent = batch(range(3))
    await settle_until(deliver, sent, deliver.outages)
    failure = Rejected("400", 400, is_sent=is_sent)
    await settle(deliver, sent)
    assert len(ids_of(sent, DeadLetter)) == 3
    assert bool(deliver.outages()) is not is_sent
    await deliver.close()


async def test_rejections_do_not_make_valid_events_poison_while_the_model_is_down():
    """A rejection needs no model, so it does not show that a valid event could be scored."""

    def answer(event):
        id_ = str(event.attributes["id"])
        if id_.startswith("bad"):
            return reply(event, "io.fncast.rejected.v1", reason="bad")
        return reply(event, "io.fncast.unavailable.v1", reason="model down") if is_down else reply(event)

    async def reject_events_of_another_partition():
        number = 0
        while True:
            await deliver.on_consume(batch([f"bad {number}"]))
            await asyncio.sleep(0)
            number += 1

    is_down = False
    deliver = Deliver(Function(answer), Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))
    is_down = True
    sent = batch(range(4))
    rejecting = asyncio.create_task(reject_events_of_another_partition())
    await settle_until(deliver, sent, deliver.outages)
    rejecting.cancel()
    assert ids_of(sent, DeadLetter) == []
    is_down = False
    await settle(deliver, sent)
    assert len(ids_of(sent, Forecast)) == 4
    await deliver.close()


async def test_a_window_that_is_too_short_for_the_model_is_not_known_good():
    """The function rejects it without the model, so a probe with it would succeed during an outage of the model."""

    def answer(event):
        if event.attributes["id"] == "short":
            return reply(event, "io.fncast.rejected.v1", reason="too few values: 9, the model needs 48")
        return reply(event, "io.fncast.unavailable.v1", reason="model down") if is_down else reply(event)

    is_down = False
    deliver = Deliver(Function(answer), Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))
    short = batch(["short"])
    short.deliveries[0].parent = short.deliveries[0]
    short.deliveries[0].record.topic = "short-windows"
    await settle(deliver, short)
    assert len(ids_of(short, Skipped)) == 1
    is_down = True
    sent = batch(range(4))
    await settle_until(deliver, sent, deliver.outages)
    assert ids_of(sent, DeadLetter) == []
    is_down = False
    await settle(deliver, sent)
    assert len(ids_of(sent, Forecast)) == 4
    await deliver.close()
