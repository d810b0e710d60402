"""The chain: an ordered list of interceptors, composed once from the settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from interceptor.cloudevents.event import read_event
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery
from interceptor.errors import InvalidEvent
from interceptor.outcome import DeadLetter

if TYPE_CHECKING:
    from interceptor.contract import Offsets


class Chain:
    """Passes each batch down the interceptors. Records are read as events first: what is none is settled here."""

    def __init__(self, interceptors: Sequence[Interceptor]) -> None:
        self._interceptors = tuple(interceptors)

    async def on_consume(self, batch: Batch) -> Batch:
        """Pass the batch down the chain, in the order of the settings. Raises what an interceptor raises."""
        for delivery in batch.pending():
            if delivery.event is None:
                read(delivery)
        for interceptor in self._interceptors:
            batch = await interceptor.on_consume(batch)
        return batch

    def on_commit(self, offsets: Offsets) -> None:
        for interceptor in self._interceptors:
            interceptor.on_commit(offsets)

    async def close(self) -> None:
        for interceptor in reversed(self._interceptors):
            await interceptor.close()


def read(delivery: Delivery) -> None:
    """Give the delivery its event, or settle it as a dead letter that says why it has none."""
    record = delivery.record
    try:
        delivery.event = read_event(record.headers, record.value)
    except InvalidEvent as error:
        delivery.outcome = DeadLetter(record.flaw or str(error), kind="not_an_event")


def compose(names: Sequence[str], built_ins: Mapping[str, Callable[[], Interceptor]], settings: Any) -> Chain:
    """The chain of the settings: built-ins by name, others as `package.module:Class`, each configured.

    Raises ValueError for a name that leads nowhere, or settings that an interceptor refuses.
    """
    interceptors = []
    for name in names:
        interceptor = built_ins[name]() if name in built_ins else _by_path(name, built_ins)
        interceptor.configure(settings)
        interceptors.append(interceptor)
    return Chain(interceptors)


def _by_path(path: str, built_ins: Mapping[str, object]) -> Interceptor:
    module, colon, name = path.partition(":")
    if not colon:
        raise ValueError(
            f"interceptor {path!r}: neither a built-in ({', '.join(built_ins)}) nor of the form package.module:Class"
        )
    try:
        made = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"interceptor {path!r} cannot be loaded: {error}") from error
    if not isinstance(made, Interceptor):
        raise ValueError(f"interceptor {path!r} is no subclass of interceptor.contract.Interceptor")
    return made
