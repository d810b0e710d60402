"""Metrics of this machine, read with psutil."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil

from fncast.produce.reading import Reading
from fncast.series.step import Step

# Short enough to see the page move, long enough for smooth CPU shares (the system counts in 10 ms).
INTERVAL_S = 0.25


class MachineFeed:
    """A feed of CPU and memory usage in %, and of network and disk traffic in B/s.

    Traffic is the growth of a system counter divided by the time between two reads. The first read has no traffic.
    A system without such counters (some containers) has no such series.
    """

    is_recorded = False

    def __init__(
        self, since: datetime, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """since: the time of tick 0. clock: monotonic, in seconds."""
        self.interval_s = interval_s
        self._since = since.astimezone(UTC)
        self._step = Step.seconds(interval_s)
        self._clock = clock
        self._before: tuple[float, dict[str, int]] | None = None
        psutil.cpu_percent()  # the first call only starts the measurement

    def read(self, tick: int) -> list[Reading]:
        now_s, counters = self._clock(), _counters()
        shares = [("cpu", psutil.cpu_percent()), ("memory", psutil.virtual_memory().percent)]
        traffic: list[tuple[str, float]] = []
        if self._before is not None:
            before_s, before = self._before
            elapsed_s = now_s - before_s
            if elapsed_s <= 0:
                return []
            # A counter that shrank was reset, for example with its network interface. The growth is unknown.
            traffic = [
                (name, (count - before[name]) / elapsed_s if count >= before[name] else float("nan"))
                for name, count in counters.items()
                if name in before
            ]
        self._before = (now_s, counters)
        at = self._since + timedelta(seconds=tick * self.interval_s)
        return [
            *(Reading(name, tick, at, self._step, float(value), "%", 100.0) for name, value in shares),
            *(Reading(name, tick, at, self._step, float(value), "B/s") for name, value in traffic),
        ]


def _counters() -> dict[str, int]:
    """Bytes since the start of the system, by series name."""
    counters: dict[str, int] = {}
    if (network := psutil.net_io_counters()) is not None:
        counters |= {"network-in": network.bytes_recv, "network-out": network.bytes_sent}
    try:
        disk = psutil.disk_io_counters()
    except (OSError, RuntimeError, NotImplementedError):  # /proc or /sys does not show disks
        disk = None
    if disk is not None:
        counters |= {"disk-read": disk.read_bytes, "disk-write": disk.write_bytes}
    return counters
