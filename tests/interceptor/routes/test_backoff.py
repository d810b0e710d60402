"""The wait before the next attempt. The random number is passed in."""

import asyncio

import orjson
import pytest

from interceptor.builtin.deliver import Deliver
from interceptor.chain import read_delivery
from interceptor.delivery import Batch, Delivery, Record
from interceptor.errors import RetriableError
from interceptor.outcome import Forecast
from interceptor.routes.backoff import BASE_S, MAX_RETRY_AFTER_S, MAX_S, delay_s
from interceptor.routes.client import EventsAnswer
from interceptor.routes.route import Route


@pytest.mark.parametrize("failures", [1, 2, 5, 40])
def test_full_jitter_is_between_zero_and_the_exponential_bound(failures):
    bound_s = min(MAX_S, BASE_S * 2.0 ** (failures - 1))
    assert delay_s(failures, None, uniform=lambda: 0.0) == 0.0
    assert delay_s(failures, None, uniform=lambda: 0.5) == pytest.approx(bound_s / 2)
    assert delay_s(failures, None, uniform=lambda: 0.999999) <= bound_s


def test_waits_are_random():
    assert len({delay_s(8, None) for _ in range(50)}) > 40


def test_retry_after_is_honoured_up_to_a_limit():
    assert delay_s(1, 15.0, uniform=lambda: 0.9) == 15.0
    assert delay_s(1, 3600.0) == MAX_RETRY_AFTER_S
    assert delay_s(10, 0.0, uniform=lambda: 0.5) == MAX_S / 2


async def test_the_next_call_waits_for_retry_after():
    """The next call is at least 15 s after an answer with `Retry-After: 15`. The batch returns at once."""
    now_s = 100.0

    class Client:
        calls = 0

        async def call(self, route, events):
            self.calls += 1
            if self.calls == 1:
                raise RetriableError("503: busy", 15.0)
            answer = {"specversion": "1.0", "id": "o", "source": "/f", "type": "t", "causationid": "1"}
            return EventsAnswer(orjson.dumps([answer | {"causationsource": "/in"}]), True)

        async def close(self):
            pass

    headers = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/in"), ("ce_type", b"t")]
    delivery = Delivery(Record("metrics", 0, 0, 0, None, b"[1]", headers))
    read_delivery(delivery)
    delivery.route = Route("forecast", "fn:fncast/forecast", batch=True)
    client = Client()
    deliver = Deliver(client, clock=lambda: now_s)
    await deliver.on_consume(Batch([delivery]))
    # Without a known-good event the breaker closes after a wait, so that the delivery is tried.
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})  # the probe
    now_s = 114.9
    await deliver.on_consume(Batch([delivery]))
    assert (client.calls, delivery.outcome) == (1, None)
    assert deliver.open_circuits() == {"forecast": "503: busy"}  # reported until a call succeeds
    now_s = 115.1
    await deliver.on_consume(Batch([delivery]))
    assert client.calls == 2
    assert type(delivery.outcome) is Forecast
    assert deliver.open_circuits() == {}
    await deliver.close()
