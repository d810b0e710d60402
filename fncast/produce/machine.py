"""This machine's own metrics, read with psutil."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil

from fncast.produce.reading import Reading
from fncast.series.step import Step

# Four a second: quick enough to see the page move, slow enough that CPU shares (counted in 10 ms) are smooth.
INTERVAL_S = 0.25


class MachineFeed:
    """A feed of CPU and memory in %, network and disk traffic in B/s.

    Traffic is the growth of the system's counters over the real time between two reads. A system that shows no such
    counters (some containers) has no such series. The first read tells no traffic: there is nothing to compare it with.
    """

    recalls = False

    def __init__(
        self, since: datetime, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """since: the time of tick 0. clock: seconds, never going back."""
        self.interval_s = interval_s
        self._since = since.astimezone(UTC)
        self._step = Step.seconds(interval_s)
        self._clock = clock
        self._before: tuple[float, dict[str, int]] | None = None
        psutil.cpu_percent()  # the first call only marks the start of what the next one measures

    def read(self, tick: int) -> list[Reading]:
        now, counters = self._clock(), _counters()
        shares = [("cpu", psutil.cpu_percent()), ("memory", psutil.virtual_memory().percent)]
        traffic: list[tuple[str, float]] = []
        if self._before is not None:
            then, before = self._before
            elapsed_s = now - then
            if elapsed_s <= 0:
                return []
            # A counter that fell was reset (an interface came anew): the growth since then is not known.
            traffic = [
                (name, (count - before[name]) / elapsed_s if count >= before[name] else float("nan"))
                for name, count in counters.items()
                if name in before
            ]
        self._before = (now, counters)
        at = self._since + timedelta(seconds=tick * self.interval_s)
        return [
            *(Reading(name, tick, at, self._step, float(value), "%", 100.0) for name, value in shares),
            *(Reading(name, tick, at, self._step, float(value), "B/s") for name, value in traffic),
        ]


def _counters() -> dict[str, int]:
    """Bytes since the system's start, by the name of their series."""
    counters: dict[str, int] = {}
    if (network := psutil.net_io_counters()) is not None:
        counters |= {"network-in": network.bytes_recv, "network-out": network.bytes_sent}
    try:
        disk = psutil.disk_io_counters()
    except (OSError, RuntimeError, NotImplementedError):  # a /proc or /sys that hides the disks
        disk = None
    if disk is not None:
        counters |= {"disk-read": disk.read_bytes, "disk-write": disk.write_bytes}
    return counters
