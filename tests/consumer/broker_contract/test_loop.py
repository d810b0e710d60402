"""The contract of the loop: each event has one outcome, in order, also after an error."""

from __future__ import annotations

from typing import Any

import pytest

from fncast import Interceptor, Skipped
from fncast.testing import ConsumerStopped, LocalFncast, window_event
from tests.consumer.broker_contract.contract_broker import (
    Broker,
)


class SkipOdd(Interceptor):
    """Skips events with an odd number. It raises while `is_broken`."""

    is_broken = False

    async def on_consume(self, batch: Any) -> Any:
        for delivery in batch.pending():
            if self.is_broken:
                raise ValueError("broken on purpose")
            if int(delivery.opened.text("number") or "0") % 2:
                delivery.outcome = Skipped("odd")
        return batch


def local(broker: Broker, interceptor: Interceptor | None = None) -> LocalFncast:
    """A consumer of this test's topics. All of them are in one group."""
    names = {name: f"{name}-{broker.tag}" for name in ("metrics", "forecasts", "dead", "outages")}
    kafka = {
        "group_id": f"group-{broker.tag}",
        "input_topics": [names["metrics"]],
        "output_topic": names["forecasts"],
        "dead_letter_topic": names["dead"],
        "outage_topic": names["outages"],
        "delivery": "at-least-once" if broker.is_embedded else "exactly-once",
    }
    chain = ["expiry", interceptor or SkipOdd(), "route", "deliver"]
    return LocalFncast(settings={"kafka": kafka}, bootstrap_servers=broker.bootstrap_servers, chain=chain)


def numbered(number: int, destination: str = "forecast") -> dict[str, Any]:
    key = f"series-{number % 6}"
    return window_event([float(number)], destination=destination, number=str(number), partitionkey=key)


def test_each_event_has_one_outcome_in_order(broker: Broker) -> None:
    for name in ("metrics", "forecasts", "dead"):
        broker.topic(name)
    with local(broker) as fncast:
        results = fncast.process(*map(numbered, range(100)), numbered(100, "nowhere"), b"not an event")
        again = fncast.process(numbered(200))
    numbers = [int(forecast.data["values"][0]) for forecast in results.forecasts]
    assert sorted(numbers) == list(range(0, 100, 2))
    for key in {forecast.key for forecast in results.forecasts}:
        of_key = [n for n, forecast in zip(numbers, results.forecasts, strict=True) if forecast.key == key]
        assert of_key == sorted(of_key)
    assert len(results.dead_letters) == 2
    assert [forecast.data["values"] for forecast in again.forecasts] == [[200.0]]


def test_the_next_consumer_reads_again_what_an_exception_left_unfinished(broker: Broker) -> None:
    for name in ("metrics", "forecasts", "dead"):
        broker.topic(name)
    broken = SkipOdd()
    with local(broker, broken) as fncast:
        assert len(fncast.process(numbered(0)).forecasts) == 1
        broken.is_broken = True
        with pytest.raises(ConsumerStopped, match="broken on purpose"):
            fncast.process(numbered(6), numbered(12))
    with local(broker) as fncast:
        results = fncast.process(numbered(18))  # of the same series, so in the same partition
    assert [forecast.data["values"][0] for forecast in results.forecasts] == [6.0, 12.0, 18.0]
