"""Reads a topic with read_committed in a separate process, and writes down when each record arrived.

`python -m benchmarks.delay.reader SERVERS TOPIC PARTITIONS FILE` writes a line `partition offset seen_s` for the last
record of each partition in each batch. Earlier records of the batch arrived with it. SIGTERM ends the reader.
"""

from __future__ import annotations

import signal
import sys
import time
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

POLL_S = 0.1
BATCH = 1000


class ArrivalTimes:
    """The arrival times that a reader wrote to its file."""

    def __init__(self, file: Path) -> None:
        self._offsets: defaultdict[int, list[int]] = defaultdict(list)
        self._times_s: defaultdict[int, list[float]] = defaultdict(list)
        for line in file.read_text().splitlines():
            partition, offset, seen_s = line.split()
            self._offsets[int(partition)].append(int(offset))
            self._times_s[int(partition)].append(float(seen_s))

    def at(self, partition: int, offset: int) -> float:
        """Return when the reader got the record, in seconds since 1970; infinity if it did not."""
        index = bisect_left(self._offsets[partition], offset)
        times_s = self._times_s[partition]
        return times_s[index] if index < len(times_s) else float("inf")


def main(servers: str, topic: str, partitions: str, file: str) -> None:
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"reader-{topic}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(int(partitions))])
    with Path(file).open("w") as lines:
        while not stopping:
            batch = consumer.consume(1, POLL_S)
            if batch:
                batch += consumer.consume(BATCH, 0)
            seen_s = time.time()
            last_offsets = {each.partition(): each.offset() for each in batch if each.error() is None}
            for partition, offset in last_offsets.items():
                lines.write(f"{partition} {offset} {seen_s:.6f}\n")
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
