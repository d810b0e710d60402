"""The embedded broker: librdkafka's mock cluster in a process of its own, for the demo and fast tests.

It keeps about 5 MB a partition in memory, makes topics on first use, and isolates no transactions: right for trying
things out, wrong for any promise about delivery. `python -m consumer.kafka.embedded` prints its addresses as one line
and lives until its standard input ends or a signal comes.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from confluent_kafka import Producer


class EmbeddedBroker:
    """Lives as long as this object. `bootstrap_servers` is for any client of any process on this machine."""

    def __init__(self) -> None:
        self._client = Producer(
            {"bootstrap.servers": "ignored:1", "test.mock.num.brokers": 1, "log_level": 0}
        )
        metadata = self._client.list_topics(timeout=10)
        self.bootstrap_servers = ",".join(f"{b.host}:{b.port}" for b in metadata.brokers.values())

    def close(self) -> None:
        del self._client


def main() -> int:
    broker = EmbeddedBroker()

    def end(*_: Any) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(broker.bootstrap_servers, flush=True)
    while sys.stdin.read(4096):
        pass
    broker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
