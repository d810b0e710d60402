"""The built-in `expiry`: an event past its `expirytime` is skipped (CloudEvents extension Expiry Time)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery
from interceptor.outcome import DeadLetter, Skipped

EXPIRED = Skipped("expired")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Expiry(Interceptor):
    """Skips what has expired; an event that is tried again later is looked at again."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now

    async def on_consume(self, batch: Batch) -> Batch:
        now: datetime | None = None
        for delivery in batch.pending():
            if "expirytime" not in delivery.opened.attributes:
                continue
            text = delivery.opened.text("expirytime") or ""
            expires = _time(text)
            if expires is None:
                delivery.outcome = DeadLetter(
                    f"expirytime {text[:64]!r} is no RFC 3339 time with a zone", kind="bad_expirytime"
                )
                continue
            now = now or self._now()
            if expires <= now:
                delivery.outcome = EXPIRED
        return batch


def left_s(delivery: Delivery) -> float | None:
    """Seconds until the event expires, below 0 afterwards; None where it does not."""
    text = delivery.opened.text("expirytime")
    expires = None if text is None else _time(text)
    return None if expires is None else (expires - utc_now()).total_seconds()


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
