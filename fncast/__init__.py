"""fncast: forecasts for the readings on a Kafka topic.

The names below are the public interface for your interceptors. They are imported on first use, so that
`import fncast` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interceptor.contract import Interceptor
    from interceptor.delivery import Batch, Delivery
    from interceptor.outcome import DeadLetter, Forecast, Skipped

__all__ = ["Batch", "DeadLetter", "Delivery", "Forecast", "Interceptor", "Skipped"]

_HOMES = {
    "Interceptor": "interceptor.contract",
    "Batch": "interceptor.delivery",
    "Delivery": "interceptor.delivery",
    "DeadLetter": "interceptor.outcome",
    "Forecast": "interceptor.outcome",
    "Skipped": "interceptor.outcome",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'fncast' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
