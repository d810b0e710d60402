"""The servers of the generated shop: their memory and response time, with an incident now and then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MEMORY_SERIES, RESPONSE_SERIES = "shop-memory", "shop-response"
# Used memory in %, and response time in ms: in a quiet hour, and what a busy hour adds.
QUIET_MEMORY, ADDED_MEMORY = 48.0, 4.0
QUIET_RESPONSE_MS, ADDED_RESPONSE_MS = 120.0, 60.0
MEMORY_NOISE = 0.5  # standard deviation in %
RESPONSE_NOISE = 0.04  # standard deviation relative to the response time
# Orders of a busy hour.
BUSY_ORDERS = 216.0
LEAK_HOURS = 60
LEAK_PER_HOUR = 0.85  # in %
FULL_MEMORY = 97.0
FULL_HOURS = 8
# Above this memory, responses are slow: each further SLOW_STEP adds the usual response time once more.
SLOW_MEMORY, SLOW_STEP = 90.0, 1.5


@dataclass(frozen=True)
class ServerIncidents:
    """When memory leaks: it grows until it is full and responses are slow, then the servers are restarted.

    first: the hour in which the first leak begins. every: hours from one leak to the next. Raises ValueError.
    """

    first: int = 223
    every: int = 1200

    def __post_init__(self) -> None:
        if self.first < 0 or self.every <= LEAK_HOURS + FULL_HOURS:
            raise ValueError(
                f"the first incident must begin at hour 0 or later, and the next one more than"
                f" {LEAK_HOURS + FULL_HOURS} hours after it, not {self.first} and {self.every}"
            )

    def age(self, hour: int) -> int | None:
        """Hours since the leak began; None if there is no incident."""
        if hour < self.first:
            return None
        age = (hour - self.first) % self.every
        return age if age < LEAK_HOURS + FULL_HOURS else None


class ShopServers:
    """Memory and response time by hour. The same seed always gives the same values."""

    def __init__(self, incidents: ServerIncidents, seed: int = 0) -> None:
        self._incidents = incidents
        self._seed = seed

    def read(self, hour: int, orders: float) -> tuple[float, float]:
        """Memory in % and response time in ms. orders: of this hour."""
        memory_noise, response_noise = np.random.default_rng((self._seed, 1, hour)).standard_normal(2)
        load = min(1.0, orders / BUSY_ORDERS)
        memory = QUIET_MEMORY + ADDED_MEMORY * load
        age = self._incidents.age(hour)
        if age is not None:
            memory = FULL_MEMORY if age >= LEAK_HOURS else memory + LEAK_PER_HOUR * (age + 1)
        memory = min(100.0, memory + MEMORY_NOISE * float(memory_noise))
        response_ms = (QUIET_RESPONSE_MS + ADDED_RESPONSE_MS * load) * (
            1 + RESPONSE_NOISE * float(response_noise)
        )
        response_ms *= 1 + max(0.0, memory - SLOW_MEMORY) / SLOW_STEP
        return round(memory, 1), round(response_ms, 0)
