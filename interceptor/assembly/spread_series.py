"""Finds series whose readings come in more than one partition: each partition has separate windows of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fncast.foreign_text import clean
from interceptor.assembly.partition_windows import PartitionWindows

log = logging.getLogger("fncast.assemble")


class SpreadSeries:
    """Logs one warning for each input topic. It sees only the partitions of this consumer."""

    def __init__(self) -> None:
        self._warned: set[str] = set()
        self._checked: dict[tuple[str, int], int] = {}  # by partition, how many series were looked at

    def look(self, partitions: Mapping[tuple[str, int], PartitionWindows]) -> None:
        """Look at the series that are new since the last call."""
        for partition, windows in partitions.items():
            topic, number = partition
            known, count = self._checked.get(partition, 0), len(windows.series)
            if known == count or topic in self._warned:
                continue
            self._checked[partition] = count
            others = [(n, other) for (t, n), other in partitions.items() if t == topic and n != number]
            for series in windows.series[min(known, count) :]:
                found = next((n for n, other in others if other.has(series.name)), None)
                if found is not None:
                    self._warn(topic, series.name, number, found)
                    break

    def _warn(self, topic: str, name: str, number: int, other: int) -> None:
        self._warned.add(topic)
        log.warning(
            "the series %r comes in partitions %d and %d of %s, so each has only a part of its readings. Let the"
            " producer key records by series, or set rekey = true for this input",
            clean(name, 200),
            min(number, other),
            max(number, other),
            topic,
        )
