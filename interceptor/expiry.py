"""The built-in `expiry`: an event past its `expirytime` is skipped (CloudEvents extension Expiry Time)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from interceptor.contract import Interceptor
from interceptor.delivery import Batch
from interceptor.outcome import DeadLetter, Skipped


def utc_now() -> datetime:
    return datetime.now(UTC)


class Expiry(Interceptor):
    """Skips what has expired; an event that is tried again later is looked at again."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now

    async def on_consume(self, batch: Batch) -> Batch:
        now: datetime | None = None
        for delivery in batch.pending():
            text = delivery.opened.text("expirytime")
            if text is None:
                continue
            expires = _time(text)
            if expires is None:
                delivery.outcome = DeadLetter(f"expirytime {text[:64]!r} is no RFC 3339 time with a zone")
                continue
            now = now or self._now()
            if expires <= now:
                delivery.outcome = Skipped("expired")
        return batch


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
