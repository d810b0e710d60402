"""The Prometheus metrics of the model service."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

_WINDOWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
_SECONDS = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)


class Metrics:
    """The metrics of one server. Each server has a separate registry, so that a process may run several."""

    content_type = CONTENT_TYPE

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._windows = _Histogram(
            "fncast_model_batch_windows", "Windows scored by one call of a model", _WINDOWS
        )
        self._seconds = _Histogram("fncast_model_seconds", "Time of one call of a model", _SECONDS)
        self._registry.register(self._windows)
        self._registry.register(self._seconds)

    def observe(self, windows: int, seconds: float) -> None:
        """Record one call of a model."""
        self._windows.observe(windows)
        self._seconds.observe(seconds)

    def page(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)


class _Histogram(Collector):
    """A histogram without the locks of the library, because only the event loop observes."""

    def __init__(self, name: str, help_: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._help = help_
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._help)
        bounds = [*map(str, map(float, self._bounds)), "+Inf"]
        family.add_metric([], list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)
        yield family
