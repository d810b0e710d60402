"""Assembled windows with too few readings for their function's model: the series waits for more readings."""

from __future__ import annotations

import logging

from prometheus_client import Counter

from fncast.foreign_text import clean
from interceptor.outcome import Skipped

log = logging.getLogger("fncast.deliver")

SHORT = Counter(
    "fncast_short_windows",
    "Assembled windows that had too few readings for the model, by input topic",
    ["input"],
)
_MAX_REASON_CHARACTERS = 200
_named: set[str] = set()  # topics that a log line has named


def skip_short_window(topic: str, reason: str) -> Skipped:
    """Count a window with too few readings, and log the first one of a topic. Returns its outcome.

    reason: as the function gave it.
    """
    SHORT.labels(topic).inc()
    if topic not in _named:
        _named.add(topic)
        log.warning(
            "%s: windows have fewer readings than the model needs, and are not forecast until they have more (%s)."
            " Set min_readings and window in [windows] to what the model needs",
            topic,
            clean(reason, _MAX_REASON_CHARACTERS),
        )
    return Skipped("too few readings for the model")
