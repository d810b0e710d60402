"""A generated web shop: orders per hour and the values of its servers, week after week, played fast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fncast.produce.reading import Reading
from fncast.produce.shop_servers import MEMORY_SERIES, RESPONSE_SERIES, ServerIncidents, ShopServers
from fncast.series.step import Step

SERIES = "shop-orders"
INTERVAL_S = 0.2  # five hours per second: a day takes about five seconds
HOURS_A_WEEK = 7 * 24
MEAN_ORDERS = 120.0
# Orders of each hour of a day, relative to the mean.
NIGHT_TO_NOON = (0.35, 0.22, 0.16, 0.13, 0.14, 0.22, 0.42, 0.70, 0.95, 1.10, 1.18, 1.28)
NOON_TO_NIGHT = (1.40, 1.32, 1.20, 1.16, 1.20, 1.32, 1.50, 1.72, 1.80, 1.62, 1.18, 0.72)
WEEKDAYS = np.array([1.0, 0.97, 0.98, 1.02, 1.10, 0.80, 0.74])  # Monday first
NOISE = 0.06  # standard deviation relative to the expected orders
PROMOTION_HOURS = 6
PROMOTION_GAIN = 1.7


class ShopFeed:
    """A feed of hourly orders, and with `incidents` of the servers' values. Equal seeds give equal values."""

    is_recorded = True
    interval_s = INTERVAL_S

    def __init__(self, since: datetime, seed: int = 0, incidents: ServerIncidents | None = None) -> None:
        """since: tick 0 is the start (UTC) of the week that contains this time. incidents: None for no servers."""
        monday = since.astimezone(UTC) - timedelta(days=since.astimezone(UTC).weekday())
        self._start = monday.replace(hour=0, minute=0, second=0, microsecond=0)
        self._step = Step.seconds(3600.0)
        self._servers = None if incidents is None else ShopServers(incidents, seed)
        self._week = lru_cache(maxsize=2)(lambda week: orders_of_week(seed, week))

    def read(self, tick: int) -> list[Reading]:
        if tick < 0:
            return []
        week, hour = divmod(tick, HOURS_A_WEEK)
        at = self._start + timedelta(hours=tick)
        orders = float(self._week(week)[hour])
        readings = [Reading(SERIES, tick, at, self._step, orders, "orders/h")]
        if self._servers is not None:
            memory, response_ms = self._servers.read(tick, orders)
            readings.append(Reading(MEMORY_SERIES, tick, at, self._step, memory, "%", 100.0))
            readings.append(Reading(RESPONSE_SERIES, tick, at, self._step, response_ms, "ms"))
        return readings


def orders_of_week(seed: int, week: int) -> NDArray[np.float64]:
    """Generate the orders of each hour of one week: (168,), integers. Each week has one promotion on a random day."""
    random = np.random.default_rng((seed, week))
    expected = MEAN_ORDERS * np.outer(WEEKDAYS, NIGHT_TO_NOON + NOON_TO_NIGHT).ravel()
    promotion = 24 * int(random.integers(7)) + int(random.integers(9, 16))
    expected[promotion : promotion + PROMOTION_HOURS] *= PROMOTION_GAIN
    noisy: NDArray[np.float64] = np.maximum(
        0.0, np.rint(expected * (1 + NOISE * random.standard_normal(HOURS_A_WEEK)))
    )
    return noisy
