"""What a reader knows about its broker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokerState:
    """What the reader knows. Replaced as a whole, so that other threads may read it.

    connected: None before the first answer or failure. since_s: when `connected` changed, in seconds since 1970.
    problem: why the broker cannot be reached, or what else prevents reading.
    missing: topics that cannot be read yet, with the reason. skipped: records that were skipped to keep up.
    address: the bootstrap servers.
    """

    connected: bool | None
    since_s: float
    problem: str = ""
    missing: tuple[tuple[str, str], ...] = ()
    skipped: int = 0
    address: str = ""
