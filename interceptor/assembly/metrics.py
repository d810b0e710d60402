"""Metrics of assembling. Labels hold topics and a fixed set of outcomes, never the name of a series."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

READINGS = Counter("fncast_readings", "Readings by input topic and what became of them", ["input", "outcome"])
LATE = Counter(
    "fncast_late_readings", "Readings that came after their step's grace, but inside the window", ["input"]
)
SERIES = Gauge("fncast_series", "Series that are assembled")
STATE_BYTES = Gauge("fncast_state_bytes", "Size of the last snapshot of all partitions")
