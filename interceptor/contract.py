"""The contract of an interceptor: Kafka's `ConsumerInterceptor` (KIP-42) with three differences.

1. Exceptions are raised. Kafka's client logs and ignores them, which would turn a failed call into a lost event.
2. Calls are async.
3. `on_consume` may start with the next batch before it returns from the last one. Batches start in input order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interceptor.delivery import Batch

Offsets = Mapping[tuple[str, int], int]


class Interceptor:
    """An interceptor that does nothing. Subclass it and override the methods that you need."""

    def configure(self, settings: Any) -> None:
        """Called once before the first batch. settings: the consumer's `Settings`. Raises ValueError to reject them."""

    async def on_consume(self, batch: Batch) -> Batch:
        """Settle deliveries, or change their event or route. Return the batch for the next interceptor.

        batch: deliveries in input order, possibly of several partitions. Set `outcome` to settle a delivery.
        `batch.pending()` returns the deliveries without an outcome.

        A delivery that is unsettled at the end of the chain passes through it again later, in order. Later records of
        its partition are not published or committed before it. An exception stops the consumer, and nothing of the
        batch is committed.
        """
        return batch

    def on_commit(self, offsets: Offsets) -> None:
        """Called after a successful commit, in the consumer's thread. offsets: next offset by (topic, partition)."""

    async def close(self) -> None:
        """Called once at shutdown."""
