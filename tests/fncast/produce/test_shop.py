from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from fncast.produce.shop import HOURS_A_WEEK, ShopFeed, orders_of_week

THURSDAY = datetime(2026, 1, 1, 15, 30, tzinfo=UTC)


def test_the_same_seed_gives_the_same_orders_in_any_order() -> None:
    forwards = [ShopFeed(THURSDAY, seed=1).read(tick) for tick in range(400)]
    shop = ShopFeed(THURSDAY, seed=1)
    assert [shop.read(tick) for tick in reversed(range(400))] == forwards[::-1]
    assert [reading.value for [reading] in forwards] != [
        ShopFeed(THURSDAY, seed=2).read(t)[0].value for t in range(400)
    ]


def test_hours_start_on_monday_at_midnight() -> None:
    [first], [last] = ShopFeed(THURSDAY).read(0), ShopFeed(THURSDAY).read(HOURS_A_WEEK)
    assert first.time == datetime(2025, 12, 29, tzinfo=UTC)
    assert last.time == datetime(2026, 1, 5, tzinfo=UTC)
    assert (first.step.as_json(), first.unit, last.index) == ({"step_s": 3600}, "orders/h", HOURS_A_WEEK)


def test_orders_have_a_daily_and_a_weekly_season() -> None:
    weeks = np.stack([orders_of_week(0, week).reshape(7, 24) for week in range(30)])
    by_hour, by_day = weeks.mean(axis=(0, 1)), weeks.mean(axis=(0, 2))
    assert by_hour[20] > 8 * by_hour[3]
    assert by_day[6] < 0.9 * by_day[1]
    flat = weeks.reshape(-1)
    daily = np.corrcoef(flat[24:], flat[:-24])[0, 1]
    assert daily > 0.85
    assert (flat >= 0).all()
    assert (flat == np.rint(flat)).all()


def test_there_are_no_readings_before_the_start() -> None:
    assert ShopFeed(THURSDAY).read(-1) == []
