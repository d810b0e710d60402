"""The values of the generated shop's servers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fncast.produce.shop import ShopFeed
from fncast.produce.shop_servers import FULL_HOURS, LEAK_HOURS, SLOW_MEMORY, ServerIncidents, ShopServers

THURSDAY = datetime(2026, 1, 1, 15, 30, tzinfo=UTC)
INCIDENTS = ServerIncidents(first=100, every=200)


def test_memory_leaks_until_the_servers_are_restarted() -> None:
    servers = ShopServers(INCIDENTS)
    memory, response_ms = zip(*(servers.read(hour, 100.0) for hour in range(400)), strict=True)
    end = 100 + LEAK_HOURS + FULL_HOURS
    assert max(memory[:100]) < 60
    assert max(response_ms[:100]) < 200
    assert min(memory[end - FULL_HOURS : end]) > SLOW_MEMORY
    assert min(response_ms[end - FULL_HOURS : end]) > 400
    assert max(memory[end : end + 100]) < 60
    assert max(response_ms[end : end + 100]) < 200
    assert min(memory[300 + LEAK_HOURS : 300 + LEAK_HOURS + FULL_HOURS]) > SLOW_MEMORY


def test_the_same_seed_gives_the_same_values_in_any_order() -> None:
    servers, again = ShopServers(INCIDENTS, seed=1), ShopServers(INCIDENTS, seed=1)
    forwards = [servers.read(hour, 50.0) for hour in range(200)]
    assert [again.read(hour, 50.0) for hour in reversed(range(200))] == forwards[::-1]
    assert [ShopServers(INCIDENTS, seed=2).read(hour, 50.0) for hour in range(200)] != forwards


def test_a_feed_with_incidents_has_the_orders_of_one_without() -> None:
    with_servers, without = ShopFeed(THURSDAY, incidents=INCIDENTS), ShopFeed(THURSDAY)
    for tick in (0, 130, 300):
        orders, memory, response = with_servers.read(tick)
        assert [orders] == without.read(tick)
        assert (memory.series, memory.highest, memory.unit) == ("shop-memory", 100.0, "%")
        assert (response.series, response.unit) == ("shop-response", "ms")


@pytest.mark.parametrize(("first", "every"), [(-1, 500), (0, LEAK_HOURS + FULL_HOURS)])
def test_incidents_do_not_overlap(first: int, every: int) -> None:
    with pytest.raises(ValueError, match="must begin at hour 0 or later"):
        ServerIncidents(first, every)
