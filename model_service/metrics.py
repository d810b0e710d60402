"""What the model service measures."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

_WINDOWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
_SECONDS = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)


class Metrics:
    """A registry of its own for each server, so that two can live in one process."""

    content_type = CONTENT_TYPE

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._windows = Histogram(
            "fncast_model_batch_windows",
            "Windows scored by one call of a model",
            buckets=_WINDOWS,
            registry=self._registry,
        )
        self._seconds = Histogram(
            "fncast_model_seconds", "Time of one call of a model", buckets=_SECONDS, registry=self._registry
        )

    def observe(self, windows: int, seconds: float) -> None:
        """One call of a model."""
        self._windows.observe(windows)
        self._seconds.observe(seconds)

    def page(self) -> bytes:
        return generate_latest(self._registry)
