"""`deliver` with a function that answers, fails, refuses, hangs or is down."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from interceptor.builtin import deliver as delivering
from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.cloudevents.event import Event
from interceptor.delivery import Batch
from interceptor.errors import Refused, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.routes import backoff
from interceptor.routes.client import EventsAnswer
from interceptor.routes.route import Route
from tests.interceptor.deliveries import FORECAST, new_delivery, new_output, settle, until

SINGLE = Route("single", "http://127.0.0.1/f", batch=False)


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch):
    """Wait milliseconds instead of seconds."""
    monkeypatch.setattr(backoff, "BASE_S", 0.0005)
    monkeypatch.setattr(backoff, "MAX_S", 0.002)


def batch(ids: Sequence[object], route: Route = FORECAST) -> Batch:
    return Batch([new_delivery(id_, route) for id_ in ids])


def reply(event: Event, type_: str = "io.fncast.forecast.v1", **data: object) -> dict[str, object]:
    return new_output(str(event.attributes["id"]), type_, data=data)


class Function:
    """Answers each event with `answer`, which may raise for the whole call."""

    def __init__(self, answer: Callable[[Event], dict[str, object]] = reply) -> None:
        self.answer = answer
        self.calls: list[list[str]] = []
        self.in_flight = self.most_in_flight = 0
        self.is_closed = False

    async def call(self, route: Route, events: Sequence[Event]) -> EventsAnswer:
        self.calls.append([str(event.attributes["id"]) for event in events])
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            return EventsAnswer(orjson.dumps([self.answer(event) for event in events]), True)
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        self.is_closed = True


def ids_of(batch: Batch, kind: type) -> list[str]:
    return [str(d.opened.attributes["id"]) for d in batch.deliveries if type(d.outcome) is kind]


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


@pytest.mark.parametrize("poison", [{0}, {255}, {17, 18, 200}, {0, 64, 128, 192}])
async def test_poison_becomes_a_dead_letter_and_the_others_are_forecast(poison):
    def answer(event):
        if int(event.attributes["id"]) in poison:
            raise RetriableError("502: function failed", code=502)
        return reply(event)

    sent = batch(range(256))
    await settle(Deliver(Function(answer), Limits(max_attempts=3)), sent)
    assert ids_of(sent, DeadLetter) == [str(n) for n in sorted(poison)]
    assert len(ids_of(sent, Forecast)) == 256 - len(poison)
    suspect = next(d for d in sent.deliveries if isinstance(d.outcome, DeadLetter))
    assert suspect.outcome.reason.startswith("attempts exhausted: 502")
    assert suspect.outcome.code == 502
    assert suspect.outcome.attempts >= 3


async def test_an_event_that_failed_alone_is_retried_alone():
    def answer(event: Event) -> dict[str, object]:
        if event.attributes["id"] != "good":
            raise RetriableError("exploded")
        return reply(event)

    function = Function(answer)
    deliver = Deliver(function)
    await deliver.on_consume(batch(["good"]))
    sent = batch(["a", "b", "c"])
    await settle(deliver, sent)
    assert sorted(ids_of(sent, DeadLetter)) == ["a", "b", "c"]
    for id_ in "abc":  # the search by halves is not repeated
        first_alone = function.calls.index([id_])
        assert not [call for call in function.calls[first_alone:] if id_ in call and len(call) > 1]


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


@pytest.mark.parametrize("has_known_good", [True, False])
async def test_attempts_during_an_outage_do_not_count(has_known_good):
    is_down, hiccups = False, 1

    def answer(event):
        nonlocal hiccups
        if is_down:
            raise RetriableError("503")
        if event.attributes["id"] == "unlucky" and hiccups:
            hiccups -= 1
            raise RetriableError("503: warming up")
        return reply(event)

    function = Function(answer)
    deliver = Deliver(function, Limits(max_attempts=3))
    if has_known_good:
        await settle(deliver, batch(["good"], SINGLE))
    is_down = True
    sent = batch(["unlucky", "other"], SINGLE)
    async with asyncio.timeout(5):
        while max(delivery.attempts for delivery in sent.deliveries) < 3 or not deliver.outages():
            await deliver.on_consume(sent)
            await asyncio.sleep(0.001)
    is_down = False
    await settle(deliver, sent)
    assert hiccups == 0
    assert ids_of(sent, Forecast) == ["unlucky", "other"]
    await deliver.close()


async def test_attempts_without_a_connection_do_not_count():
    """Other calls of the route succeed in between, so the attempts would otherwise make the event poison."""
    tries = 0

    class Refusing(Function):
        async def call(self, route, events):
            nonlocal tries
            if events[0].attributes["id"] == "unlucky" and tries < 6:
                tries += 1
                await settle(deliver, batch(["other"]))
                raise RetriableError("cannot be reached", is_sent=False)
            return await super().call(route, events)

    deliver = Deliver(Refusing(), Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))
    sent = batch(["unlucky"])
    await settle(deliver, sent)
    assert tries == 6
    assert ids_of(sent, Forecast) == ["unlucky"]
    await deliver.close()


async def test_an_open_breaker_allows_only_probes_with_the_known_good_event():
    function = Function()
    deliver = Deliver(function, Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))

    def answer(event):
        raise RetriableError("down")

    function.answer = answer
    sent = batch(range(20))
    async with asyncio.timeout(5):
        while not deliver.open_circuits():
            await deliver.on_consume(sent)
    assert deliver.open_circuits() == {"forecast": "down"}
    function.calls.clear()
    for _ in range(10):
        await deliver.on_consume(sent)
        await asyncio.sleep(0.002)
    assert function.calls
    assert all(call == ["good"] for call in function.calls)
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


async def test_close_cancels_probes_and_closes_the_client():
    function = Function(lambda e: (_ for _ in ()).throw(RetriableError("down")))
    deliver = Deliver(function, Limits(max_attempts=1))
    await deliver.on_consume(batch([1]))
    await deliver.close()
    assert function.is_closed
    assert len(asyncio.all_tasks()) == 1


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


async def test_an_outage_without_a_known_good_event_is_reported_until_it_ends():
    def answer(event):
        raise RetriableError("down")

    function = Function(answer)
    deliver = Deliver(function, Limits(max_attempts=2))
    sent = batch(range(3))
    async with asyncio.timeout(5):
        while not deliver.outages():
            await deliver.on_consume(sent)
            await asyncio.sleep(0.001)
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


async def test_a_probe_that_is_refused_ends_the_outage():
    """The function answers, although it rejects an event that was good before."""
    is_down = True

    def answer(event):
        if is_down:
            raise RetriableError("down")
        if event.attributes["id"] == "good":
            raise Refused("400", 400)
        return reply(event)

    function = Function()
    deliver = Deliver(function, Limits(max_attempts=2))
    await settle(deliver, batch(["good"], SINGLE))
    function.answer = answer
    sent = batch(["next"], SINGLE)
    async with asyncio.timeout(5):
        while not deliver.outages():
            await deliver.on_consume(sent)
            await asyncio.sleep(0.001)
    is_down = False
    await until(lambda: not deliver.outages())
    assert deliver.outages() == deliver.open_circuits() == {}
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


async def test_a_batch_with_a_long_retry_after_is_split(monkeypatch):
    """One event of the batch may cause the Retry-After."""
    monkeypatch.setattr(delivering, "MAX_S", 0.0005)  # a longer wait counts as long

    def answer(event):
        if event.attributes["id"] == "3":
            raise RetriableError("503", 0.001)
        return reply(event)

    deliver = Deliver(Function(answer), Limits(max_attempts=3))
    sent = batch(range(8))
    await settle(deliver, sent)
    assert ids_of(sent, DeadLetter) == ["3"]
    assert len(ids_of(sent, Forecast)) == 7
    await deliver.close()
