"""How many records of a topic a consumer group has committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from benchmarks.lib.broker import PARTITIONS
from fncast.demo.process import ProcessFailed

POLL_EVERY_S = 0.1
ANSWER_S = 30.0


class GroupProgress:
    """Queries the committed offsets of a group. A context manager, which closes its client.

    check: raises if a process of the group has ended.
    """

    def __init__(self, servers: str, group: str, topic: str, check: Callable[[], None]) -> None:
        self._reader = Consumer({"bootstrap.servers": servers, "group.id": group, "log_level": 0})
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._check = check

    def __enter__(self) -> GroupProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def committed(self) -> int:
        """Return the number of records before the committed offsets."""
        try:
            return sum(max(0, found.offset) for found in self._reader.committed(self._partitions, ANSWER_S))
        except KafkaException:  # the group has no coordinator yet
            return 0

    async def wait_for(self, records: int, within_s: float) -> tuple[float, int]:
        """Wait until `records` records are committed, at most for `within_s`. Raises what `check` raises.

        Returns the time on the monotonic clock and the number of committed records, which is smaller after a timeout.
        """
        end_s = time.monotonic() + within_s
        while True:
            committed = await asyncio.to_thread(self.committed)
            now_s = time.monotonic()
            if committed >= records or now_s > end_s:
                return now_s, committed
            self._check()
            await asyncio.sleep(POLL_EVERY_S)


async def wait_until_committed(
    servers: str, group: str, topic: str, records: int, check: Callable[[], None], within_s: float
) -> None:
    """Wait until the group has committed `records` records. Raises ProcessFailed, and what `check` raises."""
    with GroupProgress(servers, group, topic, check) as progress:
        _, committed = await progress.wait_for(records, within_s)
    if committed < records:
        raise ProcessFailed(f"{committed} of {records} records of {topic} were read within {within_s:g} s")
