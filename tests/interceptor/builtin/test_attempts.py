"""What `deliver` remembers of a delivery whose calls fail."""

import pytest

from interceptor.builtin import attempts as attempts_module
from interceptor.builtin import deliver as deliver_module
from interceptor.builtin.attempts import count_attempt, defer, is_waiting
from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.cloudevents.event import Event
from interceptor.errors import RetriableError
from interceptor.outcome import DeadLetter, Forecast
from interceptor.routes.backoff import MAX_S
from interceptor.routes.breaker import CircuitBreaker
from tests.interceptor.deliveries import new_delivery, settle, settle_until
from tests.interceptor.fake_function import SINGLE, Function, batch, ids_of, reply

pytestmark = pytest.mark.usefixtures("short_backoff")


def test_a_delivery_waits_until_its_time_or_the_end_of_an_outage():
    delivery, breaker = new_delivery("a"), CircuitBreaker()
    assert not is_waiting(delivery, breaker, 100.0)
    defer([delivery], breaker, 100.0, 1.5)
    assert is_waiting(delivery, breaker, 101.4)
    assert not is_waiting(delivery, breaker, 101.5)
    breaker.outages = 1
    assert not is_waiting(delivery, breaker, 101.4)


@pytest.mark.parametrize(("count", "wait_s", "most"), [(1, 0.1, 1), (8, MAX_S + 1, 4), (8, MAX_S, 1000)])
def test_the_next_call_of_a_deferred_delivery_is_smaller_where_that_helps(count, wait_s, most):
    deliveries = [new_delivery(n) for n in range(count)]
    defer(deliveries, CircuitBreaker(), 100.0, wait_s)
    assert {min(delivery.retry.max_events, 1000) for delivery in deliveries} == {most}


def test_only_attempts_since_the_last_outage_count_against_an_event():
    delivery, breaker = new_delivery("a"), CircuitBreaker()
    assert not count_attempt(delivery, breaker)
    breaker.successes = 1
    assert count_attempt(delivery, breaker)
    assert delivery.attempts == 2
    breaker.outages = 1
    assert not count_attempt(delivery, breaker)
    assert delivery.attempts == 1


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
    delivery = next(d for d in sent.deliveries if isinstance(d.outcome, DeadLetter))
    assert delivery.outcome.reason.startswith("attempts exhausted: 502")
    assert delivery.outcome.code == 502
    assert delivery.outcome.attempts >= 3


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
    await settle_until(
        deliver,
        sent,
        lambda: max(delivery.attempts for delivery in sent.deliveries) >= 3 and deliver.outages(),
    )
    is_down = False
    await settle(deliver, sent)
    assert hiccups == 0
    assert ids_of(sent, Forecast) == ["unlucky", "other"]
    await deliver.close()


async def test_attempts_without_a_connection_do_not_count():
    """Other calls of the route succeed in between, so the attempts would otherwise make the event poison."""
    tries = 0

    class Rejecting(Function):
        async def call(self, route, events):
            nonlocal tries
            if events[0].attributes["id"] == "unlucky" and tries < 6:
                tries += 1
                await settle(deliver, batch(["other"]))
                raise RetriableError("cannot be reached", is_sent=False)
            return await super().call(route, events)

    deliver = Deliver(Rejecting(), Limits(max_attempts=2))
    await settle(deliver, batch(["good"]))
    sent = batch(["unlucky"])
    await settle(deliver, sent)
    assert tries == 6
    assert ids_of(sent, Forecast) == ["unlucky"]
    await deliver.close()


async def test_a_batch_with_a_long_retry_after_is_split(monkeypatch):
    """One event of the batch may cause the Retry-After."""
    for module in (deliver_module, attempts_module):
        monkeypatch.setattr(module, "MAX_S", 0.0005)  # a longer wait counts as long

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
