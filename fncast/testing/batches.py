"""Batches for tests that call an interceptor directly, without a broker."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from fncast.testing.events import completed
from interceptor.chain import read_delivery
from interceptor.delivery import Batch, Delivery, Record

TOPIC = "metrics"
HEADERS: list[tuple[str, bytes | None]] = [("content-type", b"application/cloudevents+json")]


def batch_of(*events: Mapping[str, Any]) -> Batch:
    """Return a batch for `Interceptor.on_consume`: one delivery for each event, at the offsets 0, 1, 2 and so on.

    events: CloudEvents as dicts. They may leave out required attributes.
    """
    now_ms = int(time.time() * 1000)
    deliveries = []
    for offset, event in enumerate(events):
        value = json.dumps(completed(event)).encode()
        deliveries.append(Delivery(Record(TOPIC, 0, offset, now_ms, None, value, list(HEADERS))))
        read_delivery(deliveries[-1])
    return Batch(deliveries)
