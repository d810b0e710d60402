"""The contract of an interceptor: Kafka's `ConsumerInterceptor` (KIP-42) with three differences.

1. Exceptions are raised. Kafka's client logs and ignores them, which would turn a failed call into a lost event.
2. Calls are async.
3. `on_consume` may start with the next batch before it returns from the last one. Batches start in input order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from interceptor.delivery import Batch, Record, StateRecord

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


class StatefulInterceptor(Interceptor):
    """An interceptor with state for each input partition. The consumer owns storage and offsets.

    State must follow from the partition's records alone. A snapshot only saves reading all of them again. All methods
    are called in the event loop of `on_consume`.

    - To write state, append `StateRecord`s to `state` of the partition's last delivery in a batch. They are published
      with its outcome: in the same transaction, or after the offset commit for at-least-once.
    - At a `Tick`, write what has changed. The consumer sends ticks to quiet partitions and before it gives a partition
      away.
    - Leave a delivery unsettled if its generation was not restored, or was dropped: the consumer ignores it.
    """

    def has_state(self, topic: str) -> bool:
        """Whether records of this input topic change the state. The partitions of other topics are not restored."""
        return True

    def restore(
        self, topic: str, partition: int, generation: int, committed: int, state: Iterable[StateRecord]
    ) -> int:
        """Begin with a partition that was assigned. Returns the offset from which to replay the input.

        generation: number of the assignment, as in `Delivery.generation`. committed: the first offset that will be
        consumed. state: the newest record of each key. A snapshot beyond `committed` must not be used. Without one,
        return `committed`: the consumer replays the records of an interceptor that has not written any state yet.
        Raises StateError if the state cannot be read.
        """
        return committed

    def replay(self, records: Sequence[Record]) -> None:
        """Apply records of a restored partition, in order, without an outcome. All lie before `committed`."""

    def drop(self, topic: str, partition: int) -> None:
        """Forget a partition that was taken away."""
