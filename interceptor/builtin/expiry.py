"""The built-in `expiry`: skips an event after its `expirytime` (CloudEvents extension Expiry Time)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fncast.series.rfc3339 import parse_time
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery
from interceptor.outcome import DeadLetter, Skipped

EXPIRED = Skipped("expired")


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


class Expiry(Interceptor):
    """Skips expired events. A delivery that passes through the chain again is checked again."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now

    async def on_consume(self, batch: Batch) -> Batch:
        now: datetime | None = None
        for delivery in batch.pending():
            if "expirytime" not in delivery.opened.attributes:
                continue
            try:
                expires_at = parse_time(delivery.opened.text("expirytime"))
            except ValueError as error:
                delivery.outcome = DeadLetter(f"expirytime: {error}", kind="bad_expirytime")
                continue
            now = now or self._now()
            if expires_at <= now:
                delivery.outcome = EXPIRED
        return batch


def remaining_s(delivery: Delivery) -> float | None:
    """Return the seconds until the event expires, negative after that. None if it has no valid `expirytime`."""
    text = delivery.opened.text("expirytime")
    if text is None:
        return None
    try:
        return (parse_time(text) - utc_now()).total_seconds()
    except ValueError:
        return None
