"""The chain: an ordered list of interceptors, built once from the settings."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fncast.foreign_text import clean
from interceptor.cloudevents.reader import read_event
from interceptor.contract import Interceptor, StatefulInterceptor
from interceptor.delivery import Batch, Delivery, Tick
from interceptor.errors import InvalidEvent
from interceptor.outcome import Assembled, DeadLetter, Skipped

if TYPE_CHECKING:
    from interceptor.contract import Offsets

MAX_ERROR_CHARACTERS = 300  # of an error that a message quotes
ASSEMBLED = Assembled()
TICKED = Skipped("the tick completed nothing")


class Chain:
    """Reads each record as an event, then passes the batch through the interceptors.

    Records that are not events are settled as dead letters before the first interceptor.
    """

    def __init__(
        self,
        interceptors: Sequence[Interceptor],
        names: Sequence[str] = (),
        reading_topics: Collection[str] = frozenset(),
    ) -> None:
        """names: of the interceptors in the settings; by default the names of their classes.

        reading_topics: their records are readings in a format other than CloudEvents, which `assemble` reads.
        """
        self._interceptors = tuple(interceptors)
        self._names = _unique(names or [type(interceptor).__name__ for interceptor in interceptors])
        self._reading_topics = frozenset(reading_topics)

    @property
    def stateful(self) -> dict[str, StatefulInterceptor]:
        """The interceptors with state by their unique name, in the chain's order."""
        named = zip(self._names, self._interceptors, strict=True)
        return {name: found for name, found in named if isinstance(found, StatefulInterceptor)}

    async def on_consume(self, batch: Batch) -> Batch:
        """Pass the batch through the chain. The caller then calls `mark_done`.

        Raises what an interceptor raises; RuntimeError if that would end the process, such as SystemExit.
        """
        deliveries = batch.deliveries
        for delivery in deliveries:
            record = delivery.record
            if (
                record.topic not in self._reading_topics
                and delivery.event is None
                and delivery.outcome is None
                and type(record) is not Tick
            ):
                read_delivery(delivery)
        for name, interceptor in zip(self._names, self._interceptors, strict=True):
            batch = await _call(name, interceptor, batch)
            if isinstance(interceptor, StatefulInterceptor):
                _set_owner(deliveries, name)
        _skip_ticks(deliveries)
        return batch

    def on_commit(self, offsets: Offsets) -> None:
        """Report a commit to all interceptors. offsets: next offset by (topic, partition)."""
        for interceptor in self._interceptors:
            interceptor.on_commit(offsets)

    async def close(self) -> None:
        """Close all interceptors, the last one first."""
        for interceptor in reversed(self._interceptors):
            await interceptor.close()


async def _call(name: str, interceptor: Interceptor, batch: Batch) -> Batch:
    """Pass the batch through one interceptor. Raises TypeError if it does not return a batch."""
    try:
        returned = await interceptor.on_consume(batch)
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as error:
        # sys.exit() would end the process without a message, and perhaps with exit code 0.
        raise RuntimeError(
            f"the interceptor {name} raised {type(error).__name__}: {clean(str(error), MAX_ERROR_CHARACTERS)}"
        ) from error
    if not isinstance(returned, Batch):
        raise TypeError(
            f"on_consume of the interceptor {name} must return the batch, but it returned {type(returned).__name__}"
        )
    return returned


def mark_done(deliveries: Iterable[Delivery]) -> None:
    """Mark the settled deliveries as done. Only this function sets `is_done`.

    A record whose readings were assembled is settled once all its windows are. The consumer's loop calls this function
    when it takes a batch back. The last interceptor may call it earlier, so that a settled delivery is published while
    others of its batch wait.
    """
    parents: dict[int, Delivery] = {}
    for delivery in deliveries:
        if delivery.outcome is not None:
            delivery.is_done = True
            if delivery.parent is not None:
                parents[id(delivery.parent)] = delivery.parent
        else:
            delivery.is_done = False
            if delivery.windows:
                parents[id(delivery)] = delivery
    for parent in parents.values():
        windows = parent.windows or ()
        for window in windows:
            if window.outcome is None:
                break
        else:
            for window in windows:
                window.is_done = True
            parent.outcome, parent.is_done = ASSEMBLED, True


def read_delivery(delivery: Delivery) -> None:
    """Set the delivery's event, or settle the delivery as a dead letter with the reason."""
    record = delivery.record
    try:
        delivery.event = read_event(record.headers, record.value)
    except InvalidEvent as error:
        delivery.outcome = DeadLetter(record.flaw or str(error), kind="not_an_event")


def compose(
    names: Sequence[str],
    built_ins: Mapping[str, Callable[[], Interceptor]],
    settings: Any,
    reading_topics: Collection[str] = frozenset(),
) -> Chain:
    """Build the chain of the settings: built-ins by name, others as `package.module:Class`. Each is configured.

    Raises ValueError if a name cannot be loaded, or if an interceptor rejects the settings.
    """
    interceptors = []
    for name in names:
        interceptor = built_ins[name]() if name in built_ins else _load(name, built_ins)
        interceptor.configure(settings)
        interceptors.append(interceptor)
    return Chain(interceptors, names, reading_topics)


def _skip_ticks(deliveries: Iterable[Delivery]) -> None:
    """Settle ticks without an outcome, unless windows that they completed are on their way."""
    for delivery in deliveries:
        if type(delivery.record) is Tick and delivery.outcome is None and not delivery.windows:
            delivery.outcome = TICKED


def _set_owner(deliveries: Iterable[Delivery], name: str) -> None:
    """Give new state records the name of the interceptor that has added them."""
    for delivery in deliveries:
        for record in delivery.state:
            record.owner = record.owner or name


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Number the repeats of a name: audit, audit#2."""
    return tuple(
        f"{name}#{count}" if (count := names[: index + 1].count(name)) > 1 else name
        for index, name in enumerate(names)
    )


def _load(path: str, built_ins: Mapping[str, object]) -> Interceptor:
    """Return an instance of the class at `package.module:Class`. Raises ValueError."""
    module, colon, name = path.partition(":")
    if not colon:
        raise ValueError(
            f"interceptor {path!r} is neither a built-in ({', '.join(built_ins)}) nor of the form package.module:Class"
        )
    try:
        interceptor = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"interceptor {path!r} cannot be loaded: {error}") from error
    if not isinstance(interceptor, Interceptor):
        raise ValueError(f"interceptor {path!r} is not a subclass of interceptor.contract.Interceptor")
    return interceptor
