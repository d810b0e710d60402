"""What is measured of the consumer. Labels hold route names or `unknown`, never text of an event."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("fncast_events", "Events settled", ["destination", "outcome"])
EVENT_SECONDS = Histogram(
    "fncast_event_seconds",
    "From the record's timestamp to the publication of its result",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
IN_FLIGHT = Gauge("fncast_in_flight_events", "Events read and not yet committed")
LAG = Gauge("fncast_consumer_lag", "Records behind the end of the partition", ["topic", "partition"])
COMMITS = Counter("fncast_commits", "Commits of offsets", ["result"])
