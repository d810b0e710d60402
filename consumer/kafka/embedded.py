"""The embedded broker for the demo and for fast tests: librdkafka's mock cluster in a separate process.

It creates topics on first use, keeps records in memory, and does not isolate transactions. So it is not for production.
`python -m consumer.kafka.embedded` prints its addresses as one line. It ends with its standard input, or by a signal.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from confluent_kafka import Producer


class EmbeddedBroker:
    """Runs as long as this object exists. bootstrap_servers: for clients in any process on this machine."""

    def __init__(self) -> None:
        self._client = Producer(
            {"bootstrap.servers": "ignored:1", "test.mock.num.brokers": 1, "log_level": 0}
        )
        metadata = self._client.list_topics(timeout=10)
        self.bootstrap_servers = ",".join(f"{b.host}:{b.port}" for b in metadata.brokers.values())

    def close(self) -> None:
        """Stop the broker. Its records are lost."""
        del self._client


def main() -> int:
    """Run a broker until standard input ends or a signal arrives. Returns the exit code."""
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
