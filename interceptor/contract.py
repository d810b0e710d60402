"""The contract of an interceptor: Kafka's `ConsumerInterceptor` (KIP-42), with three differences.

1. Exceptions go through. Kafka's client logs and swallows them, which would turn a failed call into a lost event.
2. Calls are async.
3. `on_consume` may be entered for the next batch before the last one returned; batches start in input order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interceptor.delivery import Batch

Offsets = Mapping[tuple[str, int], int]


class Interceptor:
    """Does nothing: override what you need."""

    def configure(self, settings: Any) -> None:
        """Called once, before the first batch, with the consumer's settings. Raises ValueError to refuse them."""

    async def on_consume(self, batch: Batch) -> Batch:
        """Look at deliveries and settle those that you answer for; return the batch for the next interceptor.

        Settle a delivery by setting its `outcome`; `batch.pending()` gives those that have none. After the last
        interceptor every delivery is settled, or stays unsettled to be given to the chain again later, in order.
        Nothing behind an unsettled delivery of the same partition is published or committed.
        What is raised here stops the consumer with nothing of the batch committed.
        """
        return batch

    def on_commit(self, offsets: Offsets) -> None:
        """Called after a commit that succeeded. offsets: the next offset to read, by (topic, partition)."""

    async def close(self) -> None:
        """Called once, at the end."""
