"""Deliveries, function answers and waits for the tests of the chain."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from interceptor.builtin.deliver import Deliver
from interceptor.chain import read_delivery
from interceptor.delivery import Batch, Delivery, Record
from interceptor.routes.route import Route

FORECAST = Route("forecast", "fn:fncast/forecast", batch=True)
_offsets = itertools.count()


def new_delivery(id_: object, route: Route = FORECAST, **extensions: str) -> Delivery:
    """Return a delivery with a route, whose event has the source /in."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(id_).encode()),
        ("ce_source", b"/in"),
        ("ce_type", b"t"),
    ]
    headers += [(f"ce_{name}", text.encode()) for name, text in extensions.items()]
    delivery = Delivery(Record("metrics", 0, next(_offsets), 0, None, b"[1]", headers))
    read_delivery(delivery)
    delivery.route = route
    return delivery


def new_batch(*extensions: dict[str, str] | None) -> Batch:
    """Return a batch of deliveries that are not read yet, one per dict of extensions. None: not an event."""
    deliveries = []
    for number, members in enumerate(extensions):
        headers = []
        if members is not None:
            attributes = {"specversion": "1.0", "id": str(number), "source": "/in", "type": "t"} | members
            headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
        deliveries.append(Delivery(Record("metrics", 0, number, 0, None, b"[1]", headers)))
    return Batch(deliveries)


def new_output(
    causation_id: str | None, type_: str = "io.fncast.forecast.v1", **members: object
) -> dict[str, object]:
    """Return an event of an answer. It names its input unless `causation_id` is None."""
    output: dict[str, object] = {"specversion": "1.0", "id": "o", "source": "/f", "type": type_}
    if causation_id is not None:
        output |= {"causationid": causation_id, "causationsource": "/in"}
    return output | members


async def settle(deliver: Deliver, batch: Batch) -> None:
    """Pass the batch to `deliver` as the consumer does, until every delivery is settled."""
    async with asyncio.timeout(10):
        while batch.pending():
            await deliver.on_consume(batch)
            await asyncio.sleep(0.001)


async def settle_until(deliver: Deliver, batch: Batch, condition: Callable[[], object]) -> None:
    """Pass the batch to `deliver` as the consumer does, until the condition is true, at most for 5 s."""
    async with asyncio.timeout(5):
        while not condition():
            await deliver.on_consume(batch)
            await asyncio.sleep(0.001)
