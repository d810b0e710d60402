"""fncast: forecasts for the readings on a Kafka topic.

The names below are the public interface for your interceptors. They are imported on first use, so that
`import fncast` stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fncast.lazy_names import lazy_names

if TYPE_CHECKING:
    from interceptor.contract import Interceptor
    from interceptor.delivery import Batch, Delivery
    from interceptor.outcome import DeadLetter, Forecast, Skipped

__all__ = ["Batch", "DeadLetter", "Delivery", "Forecast", "Interceptor", "Skipped"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Interceptor": "interceptor.contract",
        "Batch": "interceptor.delivery",
        "Delivery": "interceptor.delivery",
        "DeadLetter": "interceptor.outcome",
        "Forecast": "interceptor.outcome",
        "Skipped": "interceptor.outcome",
    },
)
