"""The consumer's metrics. Labels hold route names or `unknown`, never text of an event."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class SecondsHistogram(Collector):
    """A histogram of durations for one writing thread: without a lock, so it is faster than prometheus_client's."""

    def __init__(self, name: str, documentation: str, bounds: tuple[float, ...]) -> None:
        """bounds: upper bounds of the buckets in seconds, ascending."""
        self._name, self._documentation, self._bounds = name, documentation, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum_s = 0.0
        REGISTRY.register(self)

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count durations. A negative one counts as 0: clocks differ between machines, and producers set timestamps."""
        seconds = max(0.0, seconds)
        self._counts[bisect_left(self._bounds, seconds)] += times
        self._sum_s += seconds * times

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the counts so far, as prometheus_client asks for them."""
        edges = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(edges, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._documentation, buckets, self._sum_s)


EVENTS = Counter("fncast_events", "Events settled", ["destination", "outcome"])
EVENT_SECONDS = SecondsHistogram(
    "fncast_event_seconds",
    "From the record's timestamp to the publication of its result",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
IN_FLIGHT = Gauge("fncast_in_flight_events", "Events read and not yet committed")
# An older timestamp does not say when the record was sent: the producer writes history, or its clock shows 1970.
MAX_EVENT_S = 30 * 86_400
LAG = Gauge(
    "fncast_consumer_lag", "End of the partition minus the group's committed offset", ["topic", "partition"]
)
DEAD_LETTERS = Counter(
    "fncast_dead_letters",
    "Dead letters by input topic and kind of reason, one of a fixed set (interceptor/outcome.py)",
    ["topic", "kind"],
)
PAUSED = Gauge(
    "fncast_input_paused", "1 while a topic is paused because its first records were all rejected", ["topic"]
)
RESTORE_SECONDS = SecondsHistogram(
    "fncast_restore_seconds",
    "From the start of restoring a partition's state to its end",
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
LOST = Counter(
    "fncast_lost_records", "Records that Kafka deleted before this consumer had read them", ["topic"]
)
COMMITS = Counter("fncast_commits", "Commits of offsets", ["result"])
